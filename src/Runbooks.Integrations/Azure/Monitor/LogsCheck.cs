using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using Azure.Core;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Monitor;

/// <summary>Holds a number that a log query yields against a threshold.</summary>
internal sealed partial class LogsCheck(LogsClient logs)
    : Check<LogsParameters>("azureMonitor.logs", "Holds the number that a Log Analytics query yields against a threshold.")
{
    private static readonly TimeSpan s_longTime = TimeSpan.FromDays(7);

    public override string Role => LogsClient.Role;

    // A count or a summary of everything is one row, also when there is nothing to count.
    public override bool MayFindNothing(JsonElement with) =>
        WithText.LeavesEmptyOpen(with) && WithText.Of(with, "query")?.Split('|')[^1].Trim() is var last && !(last == "count" || (last?.StartsWith("summarize ", StringComparison.Ordinal) == true && !last.Contains(" by ", StringComparison.Ordinal)));

    protected override async Task<CheckResult> AskAsync(LogsParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var rows = await logs.QueryAsync(parameters.Workspace, parameters.Query, parameters.Over, cancellationToken);
        if (rows.Count == 0)
        {
            return Measurement.Empty(parameters.Failing, parameters.WhenEmpty, "no row matches it in this time.");
        }

        var values = rows.Select(row => Number(row, parameters.Column)).ToList();
        if (values.Contains(null))
        {
            return CheckResult.Unknown(parameters.Column is { } column
                ? $"The query's rows have no number in a column '{column}'."
                : "The query's rows have no column that holds a number. Add 'summarize' or name the column.");
        }

        var worst = parameters.Failing.Worst(values.ConvertAll(value => new One(value!.Value)), one => one.Value).Value;
        var judged = Measurement.Judge(parameters.Failing, worst, parameters.Unit, rows.Count == 1 ? "" : $" (the worst of {rows.Count} rows)")
            .UnlessSilent(parameters.Failing, values.Exists(value => double.IsNaN(value!.Value)) ? "another row's is not a number" : null);
        return judged.Verdict == Verdict.Passing && worst == 0 && rows.Count == 1 && parameters is { WhenEmpty: not WhenEmpty.Passing, Failing.IsAbsent: false }
            && await NeverWrittenAsync(parameters, cancellationToken) is { } never
            ? judged.UnlessSilent(parameters.Failing, never) with { Verdict = parameters.WhenEmpty == WhenEmpty.Failing ? Verdict.Failing : Verdict.Unknown }
            : judged;
    }

    /// <summary>A table that nothing is written to has none of what is counted, however bad things are.</summary>
    /// <returns>Which one that is, in words; null when something is written to it, or when the query does not begin with a table.</returns>
    private async Task<string?> NeverWrittenAsync(LogsParameters parameters, CancellationToken cancellationToken)
    {
        if (Table().Match(parameters.Query) is not { Success: true } table)
        {
            return null;
        }

        var (name, category) = (table.Groups["table"].Value, table.Groups["category"].Value);
        var one = await logs.QueryAsync(parameters.Workspace, $"{name}{(category.Length == 0 ? "" : $" | where Category == \"{category}\"")} | take 1 | count", s_longTime, cancellationToken);
        return one.Count == 1 && Number(one[0], null) == 0
            ? $"nothing at all was written to {name}{(category.Length == 0 ? "" : $" with the category {category}")} for {s_longTime.TotalDays:0} days, so there is nothing to count"
            : null;
    }

    /// <summary>The table, and the category where that is what the query asks of it first: kinds of logs that share a table are switched on one by one.</summary>
    [GeneratedRegex("""
        ^\s*(?<table>[A-Za-z_][A-Za-z0-9_]{0,99})\s*\|(?:\s*where\b[^|]*\bCategory\s*==\s*"(?<category>[A-Za-z0-9_. -]{1,100})")?
        """, RegexOptions.NonBacktracking)]
    private static partial Regex Table();

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

public sealed record LogsParameters
{
    [Required, RegularExpression("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    [Description("The workspace's id: a GUID, shown on its overview page.")]
    public required string Workspace { get; init; }

    [Required, QueryText, MaxLength(8000)]
    [Description("KQL that yields a number. Of several rows the worst one counts.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the number is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a row.")]
    public required FailingWhen Failing { get; init; }

    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
    [Description("The column that holds the number; the first numeric one when left out.")]
    public string? Column { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    [Description("How far back the query may look.")]
    public TimeSpan Over { get; init; } = TimeSpan.FromMinutes(30);

    [Description("The verdict when the query finds no row, and when it counts 0 in a table that nothing was written to for a week.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}

/// <summary>The query API of Log Analytics.</summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format"/>
internal sealed class LogsClient(AzurePipelines pipelines, IOptions<AzureOptions> options)
{
    public const string Role = "Log Analytics Reader";
    private const string Scope = "https://api.loganalytics.io/.default";

    /// <returns>The first table: one dictionary for each row, by column.</returns>
    public async Task<IReadOnlyList<IReadOnlyList<KeyValuePair<string, JsonNode?>>>> QueryAsync(
        string workspace, string query, TimeSpan over, CancellationToken cancellationToken)
    {
        var endpoint = new Uri(options.Value.LogsEndpoint);
        var on = $"workspace '{workspace}'";
        var call = new AzureRequest(RequestMethod.Post, new Uri($"{endpoint.ToString().TrimEnd('/')}/v1/workspaces/{workspace}/query"), "query its logs", on, Role)
        {
            Body = BinaryData.FromString(new JsonObject { ["query"] = query, ["timespan"] = XmlConvert.ToString(over) }.ToJsonString()),
        };
        var answer = await pipelines.To(endpoint, Scope).SendAsync(call, cancellationToken);
        try
        {
            var json = JsonNode.Parse(answer.Body)!.AsObject();
            // 200 with an error beside the rows: a part of the data could not be read, and a number over the rest misleads.
            if (json["error"] is JsonObject error)
            {
                throw new AzureRequestException($"{on} could answer only in part: {error["message"]}");
            }

            var table = json["tables"]!.AsArray()[0]!;
            var columns = table["columns"]!.AsArray().Select(column => (string)column!["name"]!).ToList();
            return [.. table["rows"]!.AsArray().Select(row => columns.Zip(row!.AsArray(), KeyValuePair.Create).ToList())];
        }
        catch (Exception odd) when (odd is JsonException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new AzureRequestException($"{on} answered the query in a form that is not known.", inner: odd);
        }
    }
}
