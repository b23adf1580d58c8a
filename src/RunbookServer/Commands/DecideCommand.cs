namespace RunbookServer.Commands;

/// <summary>
/// <c>runbook approve ID</c>, <c>runbook reject ID</c>, <c>runbook take-over ID</c>; for work by hand, <c>runbook done ID</c> and
/// <c>runbook could-not ID</c>.
/// </summary>
internal static class DecideCommand
{
    private const string Approve = "approve";
    private const string Decision = "decision";

    public static Command BuildApprove() => Build("approve", Approve, "Shows what an incident asks to do, and says yes to exactly that.");

    public static Command BuildReject() => Build("reject", "reject", "Says no to what an incident asks; its steps do not run.");
    public static Command BuildTakeOver() => Build(
        "take-over",
        "takeOver",
        "Takes over an incident that waits for an answer: the automation stops. Close the incident when it is over.");

    public static Command BuildDone()
    {
        var (id, by, reason) = Parts("Who did it.");
        var items = new Option<int[]>("--item")
        {
            Description = "An item of the checklist that is done, counted from 1; once for each.",
            DefaultValueFactory = _ => [],
        };
        var all = new Option<bool>("--all") { Description = "Every item that is left." };
        var command = new Command("done", "Says that work by hand is done, or which items of it are done.") { id, items, all, by, reason };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var done = parsed.GetRequiredValue(items);
            if (parsed.GetValue(all) && done.Length > 0)
            {
                throw new CommandException("--all names every item that is left, and --item some of them. Leave one of them out.");
            }

            var gate = await WorkAsync(api, parsed.GetRequiredValue(id), cancellationToken);
            if (parsed.GetValue(all) && gate["task"]?["items"] is JsonArray list)
            {
                done = [.. list.Index().Where(item => item.Item?["doneBy"] is null).Select(item => item.Index + 1)];
            }

            var body = Body("done", parsed.GetRequiredValue(by), parsed.GetValue(reason), gate);
            body["items"] = done.Length == 0 ? null : new JsonArray([.. done.Select(item => (JsonNode)item)]);
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), Decision, body, cancellationToken)).Print();
        });
    }

    public static Command BuildCouldNot()
    {
        var (id, by, reason) = Parts("Who could not do it.");
        reason.Required = true;
        var command = new Command("could-not", "Says that work by hand could not be done, and why.") { id, by, reason };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var gate = await WorkAsync(api, parsed.GetRequiredValue(id), cancellationToken);
            var body = Body("couldNot", parsed.GetRequiredValue(by), parsed.GetValue(reason), gate);
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), Decision, body, cancellationToken)).Print();
        });
    }

    /// <summary>The open question for work by hand. The answer names it, so that it cannot count for a later question.</summary>
    private static async Task<JsonNode> WorkAsync(ApiClient api, string id, CancellationToken cancellationToken)
    {
        var incident = await api.GetIncidentAsync(id, cancellationToken);
        var gate = incident["gate"] ?? throw AsksNothing(incident);
        return gate["task"] is null
            ? throw new CommandException($"It asks for a decision and not for work by hand. See: {ThisProgram.Command} show {id}", ExitCode.Failed)
            : gate;
    }

    /// <summary>Nothing is sent: a question that opens in the meantime was not read.</summary>
    private static CommandException AsksNothing(JsonNode incident)
    {
        if (incident["final"]?.GetValue<bool>() != true)
        {
            return new($"Incident {incident["id"]} asks nothing at the moment.", ExitCode.Failed);
        }

        var (headline, reason) = ($"{incident["headline"]}", $"{incident["reason"]}");
        var end = reason.StartsWith(headline, StringComparison.Ordinal) ? reason : $"{headline}. {reason}";
        return new($"Incident {incident["id"]} ended: {end}".TrimEnd(), ExitCode.Failed);
    }

    private static CommandException NoSuchQuestion(JsonNode incident, string gate)
    {
        var known = ShowCommand.Items(incident, "gates").Select(other => $"{other["id"]}").ToList();
        var others = known.Count > 0 ? $"; it has {string.Join(", ", known)}" : "";
        return new($"Incident {incident["id"]} has no question '{gate}'{others}.", ExitCode.Failed);
    }

    private static (Argument<string> Id, Option<string> By, Option<string?> Reason) Parts(
        string who = "Who decides, by their name in the contacts; the user of this machine unless named.") =>
        (ClientOptions.IncidentId(), ClientOptions.By(who), ClientOptions.Reason());

    /// <param name="question">The question that was read, and is answered; null where none was read.</param>
    private static JsonObject Body(string decision, string by, string? reason, JsonNode? question, string? gate = null) => new()
    {
        ["decision"] = decision,
        ["by"] = by,
        ["gate"] = question?["id"]?.ToString() ?? gate,
        ["reason"] = reason,
        ["planHash"] = question?["planHash"]?.ToString(),
    };

    private static Command Build(string name, string decision, string description)
    {
        var (id, by, reason) = Parts();
        var gate = new Option<string?>("--gate")
        {
            Description = "Which question; the open one unless named."
                + (decision == Approve ? " A script has to name it once a yes to an earlier one came this way." : ""),
        };
        var yes = new Option<bool>("--yes", "-y")
        {
            Description = "Approves what it shows without asking at the terminal. A script is not asked.",
        };
        var command = new Command(name, description) { id, by, gate, reason };
        if (decision == Approve)
        {
            command.Add(yes);
        }

        return ClientOptions.WithHost(command, (parsed, api, cancellationToken) => DecideAsync(
            api,
            parsed.GetRequiredValue(id),
            new(decision, parsed.GetRequiredValue(by), parsed.GetValue(reason), parsed.GetValue(gate)),
            isUnasked: parsed.GetValue(yes) || Console.IsInputRedirected,
            cancellationToken));
    }

    private static async Task<int> DecideAsync(ApiClient api, string id, Answer answer, bool isUnasked, CancellationToken cancellationToken)
    {
        var (question, isDryRun) = answer.Decision == Approve
            ? await QuestionAsync(api, id, answer.Gate, isUnasked, cancellationToken)
            : (null, false);
        if (IsOpen(question) && !isUnasked && !Agrees(Console.In, isDryRun))
        {
            ConsoleOutput.Raw("Nothing was approved.");
            return ExitCode.Failed;
        }

        var body = Body(answer.Decision, answer.By, answer.Reason, question, answer.Gate);
        var response = await api.PostIncidentAsync(id, Decision, body, cancellationToken);
        if (IsOpen(question) && response.Body is JsonObject refusal && refusal["status"]?.ToString() == "planChanged")
        {
            throw new CommandException(
                "The plan has changed since it was shown here; nothing was approved. Run this again to see the plan as it is now.",
                ExitCode.Failed);
        }

        return response.Print();
    }

    /// <summary>Prints an open question, so that exactly this plan is approved. The host says how a question ended that is no longer open.</summary>
    private static async Task<(JsonNode? Question, bool IsDryRun)> QuestionAsync(
        ApiClient api, string id, string? gate, bool isUnasked, CancellationToken cancellationToken)
    {
        var incident = await api.GetIncidentAsync(id, cancellationToken);
        var asked = gate is null
            ? incident["gate"] ?? throw AsksNothing(incident)
            : ShowCommand.Items(incident, "gates").FirstOrDefault(other => other["id"]?.ToString() == gate)
                ?? throw NoSuchQuestion(incident, gate);
        if (IsOpen(asked))
        {
            foreach (var line in QuestionLines(incident, asked))
            {
                ConsoleOutput.Record(line);
            }
        }

        // A script that got no answer runs again, and must not approve a question that nobody has looked at.
        return IsOpen(asked) && isUnasked && gate is null && EarlierYes(incident, asked) is { } earlier
            ? throw new CommandException(
                $"A yes to '{earlier}' came this way before, and another question is open by now. Nothing was approved. "
                + $"Name the one that is meant: --gate {asked["id"]}",
                ExitCode.Failed)
            : (asked, ShowCommand.IsDryRun(incident));
    }

    private static string? EarlierYes(JsonNode incident, JsonNode asked) => ShowCommand.Items(incident, "gates")
        .Where(gate => gate["id"]?.ToString() != asked["id"]?.ToString() && HasYesThroughApi(gate))
        .Select(gate => gate["id"]?.ToString())
        .LastOrDefault();

    private static bool HasYesThroughApi(JsonNode gate) => ShowCommand.Items(gate, "decisions").Any(decision =>
        decision["decision"]?.ToString() == Approve && decision["via"]?.ToString() == DecisionVia.Api);

    private static bool IsOpen(JsonNode? question) => question?["outcome"]?.ToString() == "pending";

    internal static IEnumerable<string> AgainstLines(JsonNode incident, JsonNode asked) =>
    [
        .. Lines.Of(Labelled("It must not run as things are: ", asked["blocker"])),
        .. ShowCommand.Items(incident, "heldBack").Select(guard => $"It cannot run at the moment: {guard}"),
    ];

    internal static IEnumerable<string> QuestionLines(JsonNode incident, JsonNode asked) =>
    [
        .. Lines.Of(ShowCommand.IsDryRun(incident) ? GateText.DryRun : null),
        $"{incident["title"]} on {incident["target"]}",
        $"{asked["question"]}",
        .. ShowCommand.Items(incident, "steps").Select(step => $"  Done so far: {ShowCommand.Step(step)}"),

        .. ShowCommand.Items(incident, ShowCommand.Items(incident, "verification").Any() ? "verification" : "findings")
            .Select(finding => $"  {ShowCommand.Finding(finding)}"),
        .. ShowCommand.Items(incident, "news").Select(news => $"  News: {news["text"]}"),
        .. Lines.Of(Labelled("  Why it is asked now: ", asked["difference"])),
        .. ShowCommand.Items(asked, "plan").SelectMany((step, at) => PlanLines(step, at + 1)),
        .. ItemLines(asked).Select(line => $"  {line}"),
        .. AgainstLines(incident, asked).Select(against => $"  {against}"),
        .. ShowCommand.Items(asked, "warnings").Select(warning => $"  Warning: {warning}"),
        .. Lines.Of(
            Labelled("  How it went before: ", asked["trackRecord"]),
            Labelled("  ", asked["needed"]),
            Labelled("  If nobody answers: ", asked["ifNobodyAnswers"])),
    ];

    private static string? Labelled(string label, JsonNode? value) => value is null ? null : $"{label}{value}";

    private static IEnumerable<string> PlanLines(JsonNode step, int number) =>
    [
        $"  {number}. {step["will"]} ({$"{step["action"]} {step["parameters"]?.ToJsonString()}".Trim()})",
        .. Lines.Of(UndoLine(step) is { } undo ? $"     {undo}" : null),
    ];

    /// <summary>A fix of the cause is never taken back, so only that it cannot be undone is worth a line.</summary>
    internal static string? UndoLine(JsonNode step) => step["undo"] switch
    {
        null => "Cannot be undone.",
        _ when step["phase"]?.ToString() == "resolution" => null,
        var undo => $"Undo: {undo}",
    };

    internal static IEnumerable<string> ItemLines(JsonNode asked) => asked["task"] is { } task
        ? ShowCommand.Items(task, "items").Select((item, at) => ItemLine(item, at + 1))
        : [];

    private static string ItemLine(JsonNode item, int number) => item["doneBy"] is { } by
        ? $"☑ {number}. {item["text"]} ({by})"
        : $"☐ {number}. {item["text"]}";

    internal static bool Agrees(TextReader input, bool isDryRun)
    {
        Console.Out.Write(isDryRun ? "Rehearse this? [y/N] " : "Approve this? [y/N] ");
        return input.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES";
    }

    private sealed record Answer(string Decision, string By, string? Reason, string? Gate);
}

internal static class VerbCommands
{
    private const string Who = "Who does it, by their name in the contacts; the user of this machine unless named.";

    public static Command BuildStop() => Build(
        "stop",
        "cancel",
        "Stops the automation of an incident before its next step and takes back what can be taken back; "
        + "in the resolution, what the mitigation changed stays.");

    public static Command BuildAcknowledge() => Build(
        "acknowledge",
        "acknowledge",
        "Says that you are looking after an ended incident that needs a person.",
        needed: false,
        field: "note");

    public static Command BuildTakeBack() =>
        Build("take-back", "take-back", "Takes back now what an incident has changed, and ends the incident.");

    public static Command BuildClose() => Build("close", "close", "Closes an incident that a person took over, or whose end needed a person.");

    public static Command BuildRetry() => Build("retry", "retry", "Tries an ended incident again, as a new incident on the same target.");

    public static Command BuildNote()
    {
        var (id, by) = (ClientOptions.IncidentId(), ClientOptions.By(Who));
        var text = new Argument<string>("text") { Description = "What to write into the record." };
        var command = new Command("note", "Writes a note into an incident's record.") { id, by, text };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject { ["by"] = parsed.GetRequiredValue(by), ["reason"] = parsed.GetRequiredValue(text) };
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), "notes", body, cancellationToken)).Print();
        });
    }

    private static Command Build(string name, string path, string description, bool needed = true, string field = "reason")
    {
        var (id, by) = (ClientOptions.IncidentId(), ClientOptions.By(Who));
        var reason = needed ? ClientOptions.Reason() : ClientOptions.Reason("What you do about it; goes on the record.");
        reason.Required = needed;
        return ClientOptions.WithHost(new Command(name, description) { id, by, reason }, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject { ["by"] = parsed.GetRequiredValue(by), [field] = parsed.GetValue(reason) };
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), path, body, cancellationToken)).Print();
        });
    }
}
