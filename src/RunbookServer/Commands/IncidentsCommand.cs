using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;

namespace RunbookServer.Commands;

/// <summary><c>runbook incidents</c>: what is open and what was.</summary>
internal static class IncidentsCommand
{
    private static readonly string[] s_heads = ["ID", "AGE", "SEVERITY", "STATE", "RUNBOOK", "TARGET"];

    public static Command Build()
    {
        var client = new ClientOptions();
        var state = new Option<string?>("--state") { Description = $"Only these: open, final, needsPerson (ended and not over), or a state: {string.Join(", ", Enum.GetValues<IncidentState>().Select(CamelCase.Of))}." };
        var limit = new Option<int>("--limit") { Description = $"At most this many; {IncidentQuery.Most} at the most.", DefaultValueFactory = _ => 20 };
        var json = new Option<bool>("--json") { Description = "As the API gives it, for a script." };
        var command = new Command("incidents", "Lists incidents, newest first.") { state, limit, json };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var query = parsed.GetValue(state) is { Length: > 0 } wanted ? $"&state={Uri.EscapeDataString(wanted)}" : "";
            var (_, body) = (await api.GetAsync($"api/incidents?limit={parsed.GetValue(limit)}{query}", cancellationToken)).OrFail();
            if (parsed.GetValue(json))
            {
                ConsoleOutput.Json(body);
                return ExitCode.Done;
            }

            var incidents = body?["incidents"]?.AsArray() ?? [];
            if (incidents.Count == 0)
            {
                ConsoleOutput.Raw(query.Length == 0 ? "No incidents yet." : $"No incident is {parsed.GetValue(state)}.");
                return ExitCode.Done;
            }

            foreach (var line in Table([s_heads, .. incidents.Select(incident => Cells(incident, TimeProvider.System.GetUtcNow()))]))
            {
                ConsoleOutput.Raw(line);
            }

            if (body?["next"] is not null)
            {
                ConsoleOutput.Raw($"There are more: name a state{(parsed.GetValue(limit) < IncidentQuery.Most ? $", or a higher --limit than {parsed.GetValue(limit)}" : "")}.");
            }

            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>How long ago, in the largest unit that says something.</summary>
    internal static string Age(string? since, DateTimeOffset now) =>
        DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, out var at) ? (now - at) switch
        {
            { TotalMinutes: < 1 } length => $"{Math.Max(0, (int)length.TotalSeconds)} s",
            { TotalHours: < 1 } length => $"{(int)length.TotalMinutes} min",
            { TotalDays: < 1 } length => $"{(int)length.TotalHours} h {length.Minutes} min",
            { TotalDays: < 2 } => "1 day",
            var length => $"{(int)length.TotalDays} days",
        }
        : "";

    private static string[] Cells(JsonNode? incident, DateTimeOffset now)
    {
        var alerts = incident?["alertCount"]?.GetValue<int>() is > 1 and var count ? $" ({count} alerts)" : "";
        return
        [
            Text(incident, "id"), Age(Text(incident, "openedAt"), now), Text(incident, "severity") is { Length: > 0 } severity ? severity : "-", Text(incident, "state"),
            Text(incident, "runbook"), $"{IncidentText.Target(Text(incident, "target"))}{alerts}",
        ];
    }

    private static IEnumerable<string> Table(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, s_heads.Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    private static string Text(JsonNode? incident, string key) => incident?[key]?.ToString() ?? "";
}
