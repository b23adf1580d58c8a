namespace RunbookServer.Commands;

/// <summary>What a person does with an incident beside deciding: each says who and why, and both go on the record.</summary>
internal static class VerbCommands
{
    public static Command BuildStop() => Build("stop", "cancel", "Stops the automation of an incident before its next step and takes back what can be taken back; in the resolution, what the mitigation changed stays.");

    public static Command BuildAcknowledge() => Build("acknowledge", "acknowledge", "Says that you are looking after an ended incident that needs a person.", needed: false, field: "note");

    public static Command BuildTakeBack() => Build("take-back", "take-back", "Takes back now what an incident has changed, and ends the incident.");

    public static Command BuildClose() => Build("close", "close", "Closes an incident that a person took over, or whose end needed a person.");

    public static Command BuildRetry() => Build("retry", "retry", "Tries an ended incident again, as a new incident on the same target.");

    public static Command BuildNote()
    {
        var text = new Argument<string>("text") { Description = "What to write into the record." };
        return Build("note", "notes", "Writes a note into an incident's record.", text: text);
    }

    /// <param name="needed">Whether a reason has to be given.</param>
    /// <param name="field">The reason's name in the body.</param>
    /// <param name="text">Where the reason is what the command is about; null where it is an option.</param>
    private static Command Build(string name, string path, string description, bool needed = true, string field = "reason", Argument<string>? text = null)
    {
        var id = ClientOptions.IncidentId();
        var by = new Option<string>("--by") { Description = "Who does it, by their name in the contacts; the user of this machine unless named.", DefaultValueFactory = _ => Environment.UserName };
        var reason = new Option<string?>("--reason") { Description = needed ? "Why; goes on the record." : "What you do about it; goes on the record.", Required = needed };
        var command = new Command(name, description) { id, by };
        if (text is null)
        {
            command.Add(reason);
        }
        else
        {
            command.Add(text);
        }

        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject { ["by"] = parsed.GetRequiredValue(by), [field] = text is null ? parsed.GetValue(reason) : parsed.GetRequiredValue(text) };
            var address = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/{path}";
            var (_, answer) = (await api.PostAsync(address, body.ToJsonString(), cancellationToken)).OrFail();
            ConsoleOutput.Record($"{answer!["message"]}");
            return ExitCode.Done;
        });
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
        var by = new Option<string>("--by") { Description = "Who starts it, by their name in the contacts; the user of this machine unless named.", DefaultValueFactory = _ => Environment.UserName };
        var reason = new Option<string?>("--reason") { Description = "Why; goes on the record." };
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
