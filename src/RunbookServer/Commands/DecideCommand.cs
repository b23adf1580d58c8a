using System.CommandLine;
using System.Text.Json.Nodes;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook approve ID</c>, <c>runbook reject ID</c> and <c>runbook take-over ID</c>.</summary>
internal static class DecideCommand
{
    private const string Approve = "approve";

    public static Command BuildApprove() => Build("approve", Approve, "Shows what an incident asks to do, and says yes to exactly that.");

    public static Command BuildReject() => Build("reject", "reject", "Says no to what an incident asks; its steps do not run.");

    public static Command BuildTakeOver() => Build("take-over", "takeOver", "Takes an incident that asks over from the automation; close it when it is over.");

    private static Command Build(string name, string decision, string description)
    {
        var client = new ClientOptions();
        var id = new Argument<string>("id") { Description = "The incident's id." };
        var by = new Option<string>("--by") { Description = "Who decides.", DefaultValueFactory = _ => Environment.UserName };
        var gate = new Option<string?>("--gate") { Description = "Which question; the open one unless named." };
        var reason = new Option<string?>("--reason") { Description = "Why; goes on the record." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Approves what it shows without asking at the terminal. A script is not asked." };
        var command = new Command(name, description) { id, by, gate, reason };
        if (decision == Approve)
        {
            command.Add(yes);
        }

        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var path = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}";
            var question = decision == Approve ? await QuestionAsync(api, path, parsed.GetValue(gate), cancellationToken) : null;
            if (question is not null && !parsed.GetValue(yes) && !Console.IsInputRedirected && !Agrees(Console.In))
            {
                ConsoleOutput.Raw("Nothing was approved.");
                return ExitCode.Failed;
            }

            var body = new JsonObject
            {
                ["decision"] = decision,
                ["by"] = parsed.GetRequiredValue(by),
                ["gate"] = question?["id"]?.ToString() ?? parsed.GetValue(gate),
                ["reason"] = parsed.GetValue(reason),
                ["planHash"] = question?["planHash"]?.ToString(),
            };
            var response = await api.PostAsync($"{path}/decision", body.ToJsonString(), cancellationToken);
            if (question is not null && response.Body is JsonObject refusal && refusal["status"]?.ToString() == "planChanged")
            {
                throw new CommandException("The plan has changed since it was shown here; nothing was approved. Run this again to see the plan as it is now.", ExitCode.Failed);
            }

            var (_, answer) = response.OrFail();
            ConsoleOutput.Line(ConsoleOutput.Plain(answer?["message"]?.ToString() ?? "Recorded."));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>What is printed is what is approved: a plan that changes in between is not.</summary>
    /// <returns>Null when the question is no longer open: then the host says how it ended.</returns>
    private static async Task<JsonNode?> QuestionAsync(ApiClient api, string path, string? gate, CancellationToken cancellationToken)
    {
        var (_, incident) = (await api.GetAsync(path, cancellationToken)).OrFail();
        var asked = gate is null ? incident?["gate"] : incident?["gates"]?.AsArray().FirstOrDefault(one => one?["id"]?.ToString() == gate);
        if (asked?["outcome"]?.ToString() != "pending")
        {
            return null;
        }

        foreach (var line in Lines(incident!, asked))
        {
            ConsoleOutput.Raw(line);
        }

        return asked;
    }

    /// <summary>The question as the page of its link puts it: each step, what it is run with, and whether it can be taken back.</summary>
    internal static IEnumerable<string> Lines(JsonNode incident, JsonNode asked)
    {
        yield return $"{incident["title"]} on {incident["target"]}";
        yield return $"{asked["question"]}";
        foreach (var (step, number) in Items(asked, "plan").Select((step, at) => (step, at + 1)))
        {
            yield return $"  {number}. {step["will"]} ({$"{step["action"]} {step["parameters"]?.ToJsonString()}".Trim()})";
            if (step["undo"] is { } undo)
            {
                yield return $"     Undo: {undo}";
            }
            else
            {
                yield return "     Cannot be undone.";
            }
        }

        foreach (var warning in Items(asked, "warnings"))
        {
            yield return $"  Warning: {warning}";
        }
    }

    /// <summary>At a terminal the steps are read before they are approved; only a yes is one. Whoever calls it from a script has said yes by that.</summary>
    internal static bool Agrees(TextReader input)
    {
        Console.Out.Write("Approve this? [y/N] ");
        return input.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES";
    }

    private static IEnumerable<JsonNode> Items(JsonNode node, string key) => node[key] is JsonArray items ? items.OfType<JsonNode>() : [];
}
