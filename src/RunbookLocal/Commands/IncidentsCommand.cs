using System.CommandLine;
using Spectre.Console;

namespace RunbookLocal.Commands;

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
            var table = new Table().Border(TableBorder.Minimal).AddColumns("id", "state", "runbook", "target", "alerts", "opened");
            foreach (var incident in body?["incidents"]?.AsArray() ?? [])
            {
                table.AddRow([.. ((string[])["id", "state", "runbook", "target", "alertCount", "openedAt"]).Select(key => Screen.Plain(incident?[key]?.ToString()))]);
            }

            AnsiConsole.Write(table);
            return ExitCode.Done;
        });
        return command;
    }
}
