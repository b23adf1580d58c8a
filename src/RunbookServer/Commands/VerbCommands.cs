namespace RunbookServer.Commands;

/// <summary>What a person does with an incident beside deciding: each says who and why, and both go on the record.</summary>
internal static class VerbCommands
{
    private const string Who = "Who does it, by their name in the contacts; the user of this machine unless named.";

    public static Command BuildStop() => Build("stop", "cancel", "Stops the automation of an incident before its next step and takes back what can be taken back; in the resolution, what the mitigation changed stays.");

    public static Command BuildAcknowledge() => Build("acknowledge", "acknowledge", "Says that you are looking after an ended incident that needs a person.", needed: false, field: "note");

    public static Command BuildTakeBack() => Build("take-back", "take-back", "Takes back now what an incident has changed, and ends the incident.");

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
        var labels = new Option<string[]>("--label") { Description = "name=value, as an alert's label would say it; once for each.", DefaultValueFactory = _ => [] };
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
