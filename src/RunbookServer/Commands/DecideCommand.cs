using System.CommandLine;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook approve ID</c>, <c>runbook reject ID</c> and <c>runbook take-over ID</c>.</summary>
internal static class DecideCommand
{
    public static Command BuildApprove() => Build("approve", "approve", "Says yes to what an incident asks, and prints the steps that were approved.");

    public static Command BuildReject() => Build("reject", "reject", "Says no to what an incident asks; its steps do not run.");

    public static Command BuildTakeOver() => Build("take-over", "takeOver", "Takes an incident that asks over from the automation; close it when it is over.");

    private static Command Build(string name, string decision, string description)
    {
        var client = new ClientOptions();
        var id = new Argument<string>("id") { Description = "The incident's id." };
        var by = new Option<string>("--by") { Description = "Who decides.", DefaultValueFactory = _ => Environment.UserName };
        var gate = new Option<string?>("--gate") { Description = "Which question; the open one unless named." };
        var reason = new Option<string?>("--reason") { Description = "Why; goes on the record." };
        var command = new Command(name, description) { id, by, gate, reason };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var path = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}";
            var asked = decision == "approve" ? await QuestionAsync(api, path, parsed.GetValue(gate), cancellationToken) : null;
            var body = new JsonObject
            {
                ["decision"] = decision,
                ["by"] = parsed.GetRequiredValue(by),
                ["gate"] = asked?["id"]?.ToString() ?? parsed.GetValue(gate),
                ["reason"] = parsed.GetValue(reason),
                ["planHash"] = asked?["planHash"]?.ToString(),
            };
            var (_, answer) = (await api.PostAsync($"{path}/decision", body.ToJsonString(), cancellationToken)).OrFail();
            ConsoleOutput.Line(ConsoleOutput.Plain(answer?["message"]?.ToString() ?? "Recorded."));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>What is printed is what is approved: a plan that changes in between is not.</summary>
    private static async Task<JsonNode?> QuestionAsync(ApiClient api, string path, string? gate, CancellationToken cancellationToken)
    {
        var (_, incident) = (await api.GetAsync(path, cancellationToken)).OrFail();
        var asked = gate is null ? incident?["gate"] : incident?["gates"]?.AsArray().FirstOrDefault(one => one?["id"]?.ToString() == gate);
        if (asked?["outcome"]?.ToString() == "pending")
        {
            ConsoleOutput.Raw(asked["question"]!.ToString());
            foreach (var (step, number) in asked["plan"]!.AsArray().Select((step, i) => (step, i + 1)))
            {
                ConsoleOutput.Raw($"  {number}. {step?["will"]} ({step?["action"]} {step?["parameters"]?.ToJsonString()})");
            }
        }

        return asked;
    }
}
