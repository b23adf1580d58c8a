using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Monitor;

/// <summary>Holds a number that a log query yields against a threshold.</summary>
internal sealed class LogsCheck(LogsClient logs)
    : Check<LogsParameters>("azureMonitor.logs", "Holds the number that a Log Analytics query yields against a threshold.")
{
    public override string Role => LogsClient.Role;

    protected override async Task<CheckResult> AskAsync(LogsParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var rows = await logs.QueryAsync(parameters.Workspace, parameters.Query, parameters.Over, cancellationToken);
        if (rows.Count == 0)
        {
            return Reading.Empty(parameters.Failing, parameters.WhenEmpty, "no row matches it in this time.");
        }

        var values = rows.Select(row => Number(row, parameters.Column)).ToList();
        if (values.Contains(null))
        {
            return CheckResult.Unknown(parameters.Column is { } column
                ? $"The query's rows have no number in a column '{column}'."
                : "The query's rows have no column that holds a number. Add 'summarize' or name the column.");
        }

        var worst = parameters.Failing.Worst(values.ConvertAll(value => new One(value!.Value)), one => one.Value).Value;
        return Reading.Judge(parameters.Failing, worst, parameters.Unit, rows.Count == 1 ? "" : $" (the worst of {rows.Count} rows)");
    }

    private static double? Number(IReadOnlyList<KeyValuePair<string, JsonNode?>> row, string? column) => row
        .Where(cell => column is null || string.Equals(cell.Key, column, StringComparison.OrdinalIgnoreCase))
        .Select(cell => cell.Value?.GetValueKind() switch
        {
            JsonValueKind.Number => cell.Value.GetValue<double>(),
            // Decimals, and what is no number, come as text.
            JsonValueKind.String when column is not null && double.TryParse((string?)cell.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => (double?)null,
        })
        .FirstOrDefault(number => number is not null);

    private sealed record One(double Value);
}
