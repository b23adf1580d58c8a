using System.Net;
using RunbookServer.Samples;

namespace RunbookServer.Commands;

/// <summary><c>runbook fire SAMPLE|FILE</c>: posts an alert to the running host, as its sender would.</summary>
internal static class FireCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var what = new Argument<string?>("sample")
        {
            Description = "The name of a sample alert, or a file with an alert. Without it the samples are listed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var source = SampleAlerts.SourceOption();
        var reset = new Option<bool>("--reset")
        {
            Description = "First puts the sandbox back to how it was at the start; without a sample, that alone.",
        };
        var command = new Command(
            "fire", "Posts a sample or a given alert to the running host. Ends with 1 when nothing of it was taken, or not all.")
        {
            what,
            source,
            reset,
        };
        client.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
            FireAsync(client, parsed, parsed.GetValue(what), parsed.GetValue(source), parsed.GetValue(reset), cancellationToken));
        return command;
    }

    private static async Task<int> FireAsync(
        ClientOptions client, ParseResult parsed, string? name, string? source, bool wantsReset, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(name) && !wantsReset)
        {
            return ListSamples();
        }

        var alert = string.IsNullOrEmpty(name) ? ((string, byte[])?)null : SampleAlerts.Read(name, source, client.FindSandbox(parsed));
        using var api = client.Connect(parsed);
        if (wantsReset)
        {
            await ResetAsync(api, cancellationToken);
        }

        return alert is var (sender, body)
            ? PrintAnswer(await api.PostAsync($"api/alerts/{sender}", body, cancellationToken), api.Address)
            : ExitCode.Done;
    }

    private static int ListSamples()
    {
        ConsoleOutput.Raw("Samples:");
        foreach (var sample in SampleAlerts.Names)
        {
            ConsoleOutput.Raw($"  {sample}");
        }

        return ExitCode.Done;
    }

    private static int PrintAnswer((HttpStatusCode Status, JsonNode? Body) response, Uri address)
    {
        // A post that is refused as too large is taken as far as it was complete.
        foreach (var incident in (response.Body as JsonObject)?["incidents"]?.AsArray() ?? [])
        {
            Print(incident, address);
        }

        var (_, answer) = response.OrFail();
        foreach (var warning in ApiResponses.Problems(answer, "warnings"))
        {
            ConsoleOutput.Note(warning);
        }

        var errors = ApiResponses.Problems(answer, "errors").ToList();
        foreach (var error in errors)
        {
            ConsoleOutput.Error(error);
        }

        var lost = answer?["lost"]?.GetValue<int>() ?? 0;
        if (lost > 0)
        {
            ConsoleOutput.Error($"{CountText.Format(lost, "alert")} of the post {CountText.Were(lost)} left out "
                + "by its sender or by the limits of a post.");
        }

        return IsTaken(answer) && lost == 0 && errors.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task ResetAsync(ApiClient api, CancellationToken cancellationToken)
    {
        var answer = await api.PostAsync("api/sandbox/reset", "{}", cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            throw new CommandException("The host has no sandbox: it was not started to practise.", ExitCode.Failed);
        }

        var (_, done) = answer.OrFail();
        ConsoleOutput.Raw(done?["message"]?.ToString() ?? "The sandbox was reset.");
    }

    /// <summary>Whether each alert has an incident: an alert that is ignored has reached nobody.</summary>
    private static bool IsTaken(JsonNode? answer) => answer?["incidents"] is JsonArray { Count: > 0 } incidents
        && incidents.All(incident => incident?["outcome"]?.ToString() is not "ignored");

    private static void Print(JsonNode? incident, Uri address)
    {
        var id = incident?["id"]?.ToString();
        var about = incident?["runbook"] is { } runbook ? $"{runbook} on {IncidentText.Target((string?)incident["target"] ?? "")}." : "";
        ConsoleOutput.Record($"{incident?["outcome"]}: {about} {incident?["reason"]}".Replace("  ", " ", StringComparison.Ordinal).TrimEnd());
        if (!string.IsNullOrEmpty(id))
        {
            ConsoleOutput.Raw($"  {new Uri(address, $"/incidents/{Uri.EscapeDataString(id)}")}");
        }
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
