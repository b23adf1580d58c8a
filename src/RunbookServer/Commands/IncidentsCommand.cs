using System.CommandLine;
using System.Text.Json.Nodes;
using Runbooks.Model.Incidents;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook incidents</c>: what is open and what was.</summary>
internal static class IncidentsCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var state = new Option<string?>("--state") { Description = "Only those in this state, for example awaitingApproval." };
        var limit = new Option<int>("--limit") { Description = "At most this many.", DefaultValueFactory = _ => 20 };
        var command = new Command("incidents", "Lists incidents, newest first.") { state, limit };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var query = parsed.GetValue(state) is { Length: > 0 } wanted ? $"&state={Uri.EscapeDataString(wanted)}" : "";
            var (_, body) = (await api.GetAsync($"api/incidents?limit={parsed.GetValue(limit)}{query}", cancellationToken)).OrFail();
            var incidents = body?["incidents"]?.AsArray() ?? [];
            if (incidents.Count == 0)
            {
                ConsoleOutput.Raw(query.Length == 0 ? "No incidents yet." : $"No incident is {parsed.GetValue(state)}.");
            }

            foreach (var incident in incidents)
            {
                var alerts = incident?["alertCount"]?.GetValue<int>() is > 1 and var count ? $"  {count} alerts" : "";
                ConsoleOutput.Raw($"{Text(incident, "id"),-22} {Text(incident, "openedAt")[..16].Replace('T', ' ')}  {Text(incident, "state"),-16} {Text(incident, "runbook"),-22} {IncidentText.Target(Text(incident, "target"))}{alerts}");
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string Text(JsonNode? incident, string key) => incident?[key]?.ToString() ?? "";
}

/// <summary><c>runbook show ID</c>: one incident whole, as the API gives it.</summary>
internal static class ShowCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var id = new Argument<string>("id") { Description = "The incident's id." };
        var command = new Command("show", "Shows one incident as JSON.") { id };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var (_, body) = (await api.GetAsync($"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}", cancellationToken)).OrFail();
            ConsoleOutput.Json(body);
            return ExitCode.Done;
        });
        return command;
    }
}
