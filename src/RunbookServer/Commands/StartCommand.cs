namespace RunbookServer.Commands;

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
        var command = new Command("start", "Starts a runbook by hand. Says which labels are missing.") { runbook, labels, by, reason };
        return ClientOptions.WithHost(command, (parsed, api, cancellationToken) =>
        {
            var body = new JsonObject
            {
                ["labels"] = LabelsOf(parsed.GetRequiredValue(labels)),
                ["by"] = parsed.GetRequiredValue(by),
                ["reason"] = parsed.GetValue(reason),
            };
            return StartAsync(api, parsed.GetRequiredValue(runbook), body, cancellationToken);
        });
    }

    /// <summary>The last one counts where a name is given twice.</summary>
    private static JsonObject LabelsOf(string[] labels) => new(labels
        .Select(label => label.Split('=', 2))
        .GroupBy(pair => pair[0])
        .Select(pairs => KeyValuePair.Create(pairs.Key, (JsonNode?)pairs.Last()[1])));

    private static async Task<int> StartAsync(ApiClient api, string runbook, JsonObject body, CancellationToken cancellationToken)
    {
        var path = $"api/runbooks/{Uri.EscapeDataString(runbook)}/incidents";
        var (_, answer) = (await api.PostAsync(path, body.ToJsonString(), cancellationToken)).OrFail();
        foreach (var incident in answer?["incidents"]?.AsArray() ?? [])
        {
            ConsoleOutput.Record($"{incident?["outcome"]}: {incident?["runbook"]} on {incident?["target"]}. {incident?["reason"]}".TrimEnd());
            ConsoleOutput.Raw($"  {api.Address}incidents/{incident?["id"]}");
        }

        return ExitCode.Done;
    }
}
