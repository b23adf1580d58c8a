using System.CommandLine;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

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
            Screen.Json(body);
            return ExitCode.Done;
        });
        return command;
    }
}
