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
        return ClientOptions.WithHost(new Command("done", "Says that work by hand is done, or which items of it are done.") { id, items, all, by, reason }, async (parsed, api, cancellationToken) =>
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
        return ClientOptions.WithHost(new Command("could-not", "Says that work by hand could not be done, and why.") { id, by, reason }, async (parsed, api, cancellationToken) =>
        {
            var gate = await WorkAsync(api, parsed.GetRequiredValue(id), cancellationToken);
            return (await api.PostIncidentAsync(parsed.GetRequiredValue(id), Decision, Body("couldNot", parsed.GetRequiredValue(by), parsed.GetValue(reason), gate), cancellationToken)).Print();
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
    private static CommandException AsksNothing(JsonNode incident) => new(
        incident["final"]?.GetValue<bool>() == true ? $"Incident {incident["id"]} ended: {($"{incident["reason"]}".StartsWith($"{incident["headline"]}", StringComparison.Ordinal) ? "" : $"{incident["headline"]}. ")}{incident["reason"]}".TrimEnd() : $"Incident {incident["id"]} asks nothing at the moment.", ExitCode.Failed);

    private static CommandException NoSuchQuestion(JsonNode incident, string gate) => new(
        $"Incident {incident["id"]} has no question '{gate}'{(ShowCommand.Items(incident, "gates").Select(one => $"{one["id"]}").ToList() is { Count: > 0 } known ? $"; it has {string.Join(", ", known)}" : "")}.", ExitCode.Failed);

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
        var gate = new Option<string?>("--gate") { Description = $"Which question; the open one unless named.{(decision == Approve ? " A script has to name it once a yes to an earlier one came this way." : "")}" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Approves what it shows without asking at the terminal. A script is not asked." };
        var command = new Command(name, description) { id, by, gate, reason };
        if (decision == Approve)
        {
            command.Add(yes);
        }

        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var unasked = parsed.GetValue(yes) || Console.IsInputRedirected;
            var (question, isDryRun) = decision == Approve ? await QuestionAsync(api, parsed.GetRequiredValue(id), parsed.GetValue(gate), unasked, cancellationToken) : (null, false);
            if (IsOpen(question) && !unasked && !Agrees(Console.In, isDryRun))
            {
                ConsoleOutput.Raw("Nothing was approved.");
                return ExitCode.Failed;
            }

            var body = Body(decision, parsed.GetRequiredValue(by), parsed.GetValue(reason), question, parsed.GetValue(gate));
            var response = await api.PostIncidentAsync(parsed.GetRequiredValue(id), Decision, body, cancellationToken);
            if (IsOpen(question) && response.Body is JsonObject refusal && refusal["status"]?.ToString() == "planChanged")
            {
                throw new CommandException("The plan has changed since it was shown here; nothing was approved. Run this again to see the plan as it is now.", ExitCode.Failed);
            }

            return response.Print();
        });
    }

    /// <summary>Prints an open question, so that exactly this plan is approved. The host says how a question ended that is no longer open.</summary>
    private static async Task<(JsonNode? Question, bool IsDryRun)> QuestionAsync(ApiClient api, string id, string? gate, bool unasked, CancellationToken cancellationToken)
    {
        var incident = await api.GetIncidentAsync(id, cancellationToken);
        var asked = gate is null
            ? incident["gate"] ?? throw AsksNothing(incident)
            : ShowCommand.Items(incident, "gates").FirstOrDefault(one => one["id"]?.ToString() == gate) ?? throw NoSuchQuestion(incident, gate);
        if (IsOpen(asked))
        {
            foreach (var line in Lines(incident, asked))
            {
                ConsoleOutput.Record(line);
            }
        }

        // A script that got no answer runs again, and must not approve a question that nobody has looked at.
        return IsOpen(asked) && unasked && gate is null && EarlierYes(incident, asked) is { } earlier
            ? throw new CommandException($"A yes to '{earlier}' came this way before, and another question is open by now. Nothing was approved. Name the one that is meant: --gate {asked["id"]}", ExitCode.Failed)
            : (asked, ShowCommand.IsDryRun(incident));
    }

    private static string? EarlierYes(JsonNode incident, JsonNode asked) => ShowCommand.Items(incident, "gates")
        .Where(one => one["id"]?.ToString() != asked["id"]?.ToString() && ShowCommand.Items(one, "decisions").Any(said => said["decision"]?.ToString() == Approve && said["via"]?.ToString() == DecisionVia.Api))
        .Select(one => one["id"]?.ToString()).LastOrDefault();

    private static bool IsOpen(JsonNode? question) => question?["outcome"]?.ToString() == "pending";

    /// <summary>What keeps an open question from being carried out, in the words of its page.</summary>
    internal static IEnumerable<string> AgainstLines(JsonNode incident, JsonNode asked) =>
    [
        .. asked["blocker"] is { } blocker ? [$"It must not run as things are: {blocker}"] : Array.Empty<string>(),
        .. ShowCommand.Items(incident, "heldBack").Select(guard => $"It cannot run at the moment: {guard}"),
    ];

    /// <summary>The question as its page shows it: each step with its parameters, and whether it can be taken back.</summary>
    internal static IEnumerable<string> Lines(JsonNode incident, JsonNode asked) =>
    [
        .. ShowCommand.IsDryRun(incident) ? [GateText.DryRun] : Array.Empty<string>(),
        $"{incident["title"]} on {incident["target"]}",
        $"{asked["question"]}",
        .. ShowCommand.Items(incident, "steps").Select(step => $"  Done so far: {ShowCommand.Step(step)}"),

        // The newest answers of the checks.
        .. ShowCommand.Items(incident, ShowCommand.Items(incident, "verification").Any() ? "verification" : "findings")
            .Select(finding => $"  {ShowCommand.Finding(finding)}"),
        .. ShowCommand.Items(incident, "news").Select(news => $"  News: {news["text"]}"),
        .. asked["difference"] is { } difference ? [$"  Changed since it was asked before: {difference}"] : Array.Empty<string>(),
        .. ShowCommand.Items(asked, "plan").SelectMany((step, at) => PlanLines(step, at + 1)),
        .. ItemLines(asked).Select(line => $"  {line}"),
        .. AgainstLines(incident, asked).Select(against => $"  {against}"),
        .. ShowCommand.Items(asked, "warnings").Select(warning => $"  Warning: {warning}"),
        .. asked["trackRecord"] is { } trackRecord ? [$"  How it went before: {trackRecord}"] : Array.Empty<string>(),
        .. asked["needed"] is { } needed ? [$"  {needed}"] : Array.Empty<string>(),
        .. asked["ifNobodyAnswers"] is { } silence ? [$"  If nobody answers: {silence}"] : Array.Empty<string>(),
    ];

    private static IEnumerable<string> PlanLines(JsonNode step, int number) =>
    [
        $"  {number}. {step["will"]} ({$"{step["action"]} {step["parameters"]?.ToJsonString()}".Trim()})",
        .. UndoLine(step) is { } undo ? [$"     {undo}"] : Array.Empty<string>(),
    ];

    /// <summary>A fix of the cause is never taken back, so only that it cannot be undone is worth a line.</summary>
    private static string? UndoLine(JsonNode step) =>
        step["undo"] is not { } undo ? "Cannot be undone." : step["phase"]?.ToString() == "resolution" ? null : $"Undo: {undo}";

    /// <summary>The checklist of work by hand, with a tick at each item that is done.</summary>
    internal static IEnumerable<string> ItemLines(JsonNode asked) => asked["task"] is { } task
        ? ShowCommand.Items(task, "items").Select((item, at) => $"{(item["doneBy"] is null ? "☐" : "☑")} {at + 1}. {item["text"]}{(item["doneBy"] is { } by ? $" ({by})" : "")}")
        : [];

    /// <summary>Asks at the terminal. Only a yes counts as one.</summary>
    internal static bool Agrees(TextReader input, bool isDryRun)
    {
        Console.Out.Write(isDryRun ? "Rehearse this? [y/N] " : "Approve this? [y/N] ");
        return input.ReadLine()?.Trim().ToUpperInvariant() is "Y" or "YES";
    }
}

/// <summary>What a person does with an incident beside deciding: each says who and why, for the record.</summary>
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
        return ClientOptions.WithHost(new Command("note", "Writes a note into an incident's record.") { id, by, text }, async (parsed, api, cancellationToken) =>
            (await api.PostIncidentAsync(parsed.GetRequiredValue(id), "notes", new() { ["by"] = parsed.GetRequiredValue(by), ["reason"] = parsed.GetRequiredValue(text) }, cancellationToken)).Print());
    }

    /// <param name="needed">Whether a reason has to be given.</param>
    /// <param name="field">The reason's name in the body.</param>
    private static Command Build(string name, string path, string description, bool needed = true, string field = "reason")
    {
        var (id, by) = (ClientOptions.IncidentId(), ClientOptions.By(Who));
        var reason = needed ? ClientOptions.Reason() : ClientOptions.Reason("What you do about it; goes on the record.");
        reason.Required = needed;
        return ClientOptions.WithHost(new Command(name, description) { id, by, reason }, async (parsed, api, cancellationToken) =>
            (await api.PostIncidentAsync(parsed.GetRequiredValue(id), path, new() { ["by"] = parsed.GetRequiredValue(by), [field] = parsed.GetValue(reason) }, cancellationToken)).Print());
    }
}

/// <summary><c>runbook start RUNBOOK --label pod=llm-b-0</c>: starts a runbook by hand.</summary>
internal static class StartCommand
{
    public static Command Build()
    {
        var runbook = new Argument<string>("runbook") { Description = "The runbook's id." };
        var labels = new Option<string[]>("--label")
        {
            Description = "name=value, as an alert's label would say it; once for each.",
            DefaultValueFactory = _ => [],
        };
        labels.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1))
            {
                result.AddError($"--label has to be name=value, not '{token.Value}'.");
            }
        });
        var by = ClientOptions.By("Who starts it, by their name in the contacts; the user of this machine unless named.");
        var reason = ClientOptions.Reason();
        return ClientOptions.WithHost(new Command("start", "Starts a runbook by hand. Says which labels are missing.") { runbook, labels, by, reason }, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject
            {
                ["labels"] = new JsonObject(parsed.GetRequiredValue(labels).Select(label => label.Split('=', 2))
                    .GroupBy(pair => pair[0]).Select(pairs => KeyValuePair.Create(pairs.Key, (JsonNode?)pairs.Last()[1]))),
                ["by"] = parsed.GetRequiredValue(by),
                ["reason"] = parsed.GetValue(reason),
            };
            var (_, answer) = (await api.PostAsync($"api/runbooks/{Uri.EscapeDataString(parsed.GetRequiredValue(runbook))}/incidents", body.ToJsonString(), cancellationToken)).OrFail();
            foreach (var incident in answer?["incidents"]?.AsArray() ?? [])
            {
                ConsoleOutput.Record($"{incident?["outcome"]}: {incident?["runbook"]} on {incident?["target"]}. {incident?["reason"]}".TrimEnd());
                ConsoleOutput.Raw($"  {api.Address}incidents/{incident?["id"]}");
            }

            return ExitCode.Done;
        });
    }
}
