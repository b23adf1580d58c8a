using System.CommandLine;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook approve ID</c> and <c>runbook reject ID</c>.</summary>
internal static class DecideCommand
{
    public static Command BuildApprove() => Build("approve", "Says yes to what an incident asks.");

    public static Command BuildReject() => Build("reject", "Says no to what an incident asks; nothing is done.");

    private static Command Build(string decision, string description)
    {
        var client = new ClientOptions();
        var id = new Argument<string>("id") { Description = "The incident's id." };
        var by = new Option<string>("--by") { Description = "Who decides.", DefaultValueFactory = _ => Environment.UserName };
        var gate = new Option<string?>("--gate") { Description = "Which question; the open one unless named." };
        var reason = new Option<string?>("--reason") { Description = "Why; goes on the record." };
        var command = new Command(decision, description) { id, by, gate, reason };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var body = new JsonObject
            {
                ["decision"] = decision,
                ["by"] = parsed.GetRequiredValue(by),
                ["gate"] = parsed.GetValue(gate),
                ["reason"] = parsed.GetValue(reason),
            };
            var path = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/decision";
            var (_, answer) = (await api.PostAsync(path, body.ToJsonString(), cancellationToken)).OrFail();
            ConsoleOutput.Line(ConsoleOutput.Plain(answer?["message"]?.ToString() ?? "Recorded."));
            return ExitCode.Done;
        });
        return command;
    }
}
