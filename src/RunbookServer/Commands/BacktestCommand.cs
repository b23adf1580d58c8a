using System.Collections.Concurrent;
using System.Text;
using RunbookServer.Reporting;
using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary><c>runbook backtest</c>: which past incidents go otherwise with the runbooks as they are now.</summary>
internal static class BacktestCommand
{
    public static Command Build()
    {
        var options = new BacktestOptions();
        var command = new Command(
            "backtest",
            "Plays past incidents with the runbooks as they are now, and tells which go otherwise. Touches nothing.");
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(options, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(BacktestOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using var services = OfflineServices.Build(host: options.Settings.Of(parsed));
        var now = Load(services, options.Folder.Of(parsed));
        var old = parsed.GetValue(options.Before) is { } named ? Load(services, RunbookFolder.Find(named.FullName)) : null;
        var past = await PastAsync(options, parsed, cancellationToken);
        var results = await new Backtest(now, old, services.GetRequiredService<StepCatalog>()).RunAsync(past, cancellationToken);
        ConsoleOutput.Raw(parsed.GetRequiredValue(options.Format) switch
        {
            "json" => Json(results),
            "markdown" => Markdown(results),
            _ => Text(results),
        });
        var isAsBefore = results.Any(result => result.LeftOut is null) && !results.Any(result => result.IsOtherwise);
        return parsed.GetValue(options.Strict) && !isAsBefore ? ExitCode.Failed : ExitCode.Done;
    }

    private static async Task<IReadOnlyList<IncidentView>> PastAsync(
        BacktestOptions options,
        ParseResult parsed,
        CancellationToken cancellationToken)
    {
        var save = parsed.GetValue(options.Save);
        return (parsed.GetValue(options.Incidents), parsed.GetValue(options.Since)) switch
        {
            ({ }, null) when save is not null => throw new CommandException("--save goes with --since."),
            ({ } folder, null) => PastIncidents.Read(folder),
            (null, { } age) => await FetchAsync(options.Client, parsed, age, save, cancellationToken),
            _ => throw new CommandException("Name either a folder with --incidents, or a time with --since, such as 30d."),
        };
    }

    private static IReadOnlyCollection<Runbook> Load(IServiceProvider services, RunbookFolder folder)
    {
        var catalog = new RunbookCatalog(services.GetRequiredService<RunbookReader>());
        var loaded = catalog.Load(folder.Read());
        return loaded.Errors.Count == 0
            ? catalog.Current
            : throw new CommandException(
                $"The runbooks in {folder.Path} have errors; nothing was played.\n{string.Join("\n", loaded.Errors)}",
                ExitCode.Failed);
    }

    private static async Task<IReadOnlyList<IncidentView>> FetchAsync(
        ClientOptions client,
        ParseResult parsed,
        string age,
        string? save,
        CancellationToken cancellationToken)
    {
        var began = DurationText.TryParse(age, out var length)
            ? TimeProvider.System.GetUtcNow() - length
            : DateTimeOffset.TryParseExact(age, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day)
            ? day
            : throw new CommandException($"--since is '{age}'; it has to be {DurationText.Expected}, or a day such as 2026-11-01.");
        using var api = client.Connect(parsed);
        var fetched = await PastIncidents.FetchAsync(api, began, cancellationToken);
        if (save is not null)
        {
            Directory.CreateDirectory(save);
            foreach (var (incident, json) in fetched)
            {
                await File.WriteAllTextAsync(Path.Combine(save, $"{incident.Id}.json"), json, cancellationToken);
            }
        }

        return [.. fetched.Select(item => item.Incident)];
    }

    private static string Summary(IReadOnlyList<BacktestResult> results)
    {
        var left = results.Count(result => result.LeftOut is not null);
        var held = results.Count(result => result.IsHeld);
        var leftOut = left > 0 ? $" {left} left out." : "";
        var heldBack = held > 0
            ? $" {held} {CountText.Were(held)} played in the stricter mode of the record (dryRun or approveAll): "
                + "what the runbook does without it is not known."
            : "";
        return $"{Outcome(results.Count - left, results.Count(result => result.IsOtherwise))}{leftOut}{heldBack}";
    }

    private static string Outcome(int played, int otherwise) => (played, otherwise) switch
    {
        (0, _) => "No incident was played: nothing is known.",
        (_, 0) => $"{CountText.Format(played, "incident")} {Go(played)} as before.",
        _ => $"Of {CountText.Format(played, "incident")}, {otherwise} {Go(otherwise)} otherwise.",
    };

    private static string Go(int count) => count == 1 ? "goes" : "go";

    private static string Text(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder();
        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            var target = CleanText.Line(IncidentText.Target(result.Incident.Target));
            text.Append($"{result.Incident.Id}  {result.Incident.Runbook} on {target}\n")
                .Append($"    was: {CleanText.Line(result.Was)}\n")
                .Append($"    is:  {CleanText.Line(result.Is)}\n");
        }

        foreach (var result in results.Where(result => result.LeftOut is not null))
        {
            text.Append($"{result.Incident.Id}  left out: {result.LeftOut}\n");
        }

        return text.Append(Summary(results)).ToString();
    }

    private static string Markdown(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder($"**Backtest.** {Summary(results)}\n");
        if (results.Any(result => result.IsOtherwise))
        {
            text.Append("\n| incident | runbook | was | is |\n|---|---|---|---|\n");
        }

        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            var cells = new[] { result.Incident.Runbook, result.Was, result.Is }.Select(MarkdownText.Escape);
            text.Append($"| {result.Incident.Id} | {string.Join(" | ", cells)} |\n");
        }

        return text.ToString().TrimEnd();
    }

    private static string Json(IReadOnlyList<BacktestResult> results) => new JsonObject
    {
        ["summary"] = Summary(results),
        ["incidents"] = new JsonArray([.. results.Select(result => new JsonObject
        {
            ["id"] = result.Incident.Id,
            ["runbook"] = result.Incident.Runbook,
            ["target"] = result.Incident.Target,
            ["otherwise"] = result.IsOtherwise,
            ["was"] = result.Was,
            ["is"] = result.Is,
            ["leftOut"] = result.LeftOut,
            ["heldTo"] = result.IsHeld ? CamelCase.Of(result.Incident.Mode) : null,
        })]),
    }.ToJsonString(JsonReport.Options);
}
}

internal sealed class BacktestOptions
{
    public BacktestOptions() => Format.AcceptOnlyFromAmong("text", "markdown", "json");

    public Option<string?> Incidents { get; } = new("--incidents")
    {
        Description = "A folder with incidents as the API gives them, a JSON file each.",
    };

    public Option<string?> Since { get; } = new("--since")
    {
        Description = "In place of a folder: what has ended on the running host since so long ago (30d) or since a day (2026-11-01).",
    };

    public Option<string?> Save { get; } = new("--save") { Description = "With --since: keep them in this folder, for --incidents." };

    public Option<DirectoryInfo?> Before { get; } = new("--base")
    {
        Description = "Compare with the runbooks of this folder, as they were before a change, in place of what the record says.",
    };

    public RunbookFolderOption Folder { get; } = new();

    public HostSettingsOption Settings { get; } = new();

    public Option<bool> Strict { get; } = new("--strict") { Description = "End with 1 when an incident goes otherwise, or none was played." };

    public Option<string> Format { get; } = new("--format")
    {
        Description = "text; markdown, for a comment on a pull request; json.",
        DefaultValueFactory = _ => "text",
    };

    public ClientOptions Client { get; } = new();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Incidents, Since, Save, Before, Folder, Settings, Strict, Format])
        {
            command.Add(option);
        }

        Client.AddTo(command);
    }

/// <summary>Plays past incidents again with the runbooks as they are now, or as they are about to be.</summary>
/// <param name="before">The runbooks that a change is compared with; null to compare with the record.</param>
internal sealed class Backtest(IReadOnlyCollection<Runbook> runbooks, IReadOnlyCollection<Runbook>? before, StepCatalog steps)
{
    public async Task<IReadOnlyList<BacktestResult>> RunAsync(IReadOnlyList<IncidentView> incidents, CancellationToken cancellationToken)
    {
        var results = new ConcurrentBag<BacktestResult>();
        await Parallel.ForEachAsync(incidents, cancellationToken, async (incident, _) => results.Add(await PlayAsync(incident)));
        return [.. results.OrderBy(result => result.Incident.Id, StringComparer.Ordinal)];
    }

    private async Task<BacktestResult> PlayAsync(IncidentView incident)
    {
        if (!incident.Final)
        {
            return new(incident) { LeftOut = "it has not ended" };
        }

        var now = Takers.Of(incident, runbooks);
        if (before is null)
        {
            return await AgainstRecordAsync(incident, now);
        }

        if (before.FirstOrDefault(runbook => runbook.Id == incident.Runbook) is not { } old)
        {
            return new(incident) { LeftOut = $"there was no runbook '{incident.Runbook}' before" };
        }

        var then = Takers.Of(incident, before);
        if (old.Hash == now.Own?.Hash && now.Beside(then.Others).Count == 0)
        {
            return new(incident);
        }

        // A mode that the old runbook had in its file is part of the change. Any other mode came from the host.
        var hosts = old.Mode == incident.Mode ? RunMode.Normal : incident.Mode;
        return new(incident)
        {
            Was = await GoesAsync(incident, then, then.Others, hosts),
            Is = await GoesAsync(incident, now, then.Others, hosts),
            IsHeld = now.WouldGoBeyond(hosts),
        };
    }

    private async Task<BacktestResult> AgainstRecordAsync(IncidentView incident, Takers now)
    {
        if (now.Own is null && now.Others.Count == 0 && runbooks.All(runbook => runbook.Id != incident.Runbook))
        {
            return new(incident) { LeftOut = $"there is no runbook '{incident.Runbook}' here" };
        }

        // The record does not say which other runbooks took the alert then.
        IReadOnlyList<Runbook> known = now.Own is null ? [] : now.Others;
        return new(incident)
        {
            Was = Recorded(incident),
            Is = await GoesAsync(incident, now, known, incident.Mode),
            IsHeld = now.WouldGoBeyond(incident.Mode),
        };
    }

    /// <param name="known">The runbooks that took the alert already, beside the incident's own, in incidents of their own.</param>
    /// <param name="mode">How far the host lets it go.</param>
    private async Task<string> GoesAsync(IncidentView incident, Takers takers, IReadOnlyList<Runbook> known, RunMode mode)
    {
        var added = takers.Beside(known);
        return (takers.Own, added) switch
        {
            ({ } own, _) => Joined(await PlayedAsync(incident, own, mode), added),
            (null, [var next, ..]) => Joined(
                $"'{next.Id}' takes it in place of '{incident.Runbook}': {await PlayedAsync(incident, next, mode)}",
                added.Skip(1)),
            _ when takers.Others.Count > 0 => $"'{incident.Runbook}' takes it no longer; "
                + $"beside it as before: {string.Join(", ", takers.Others.Select(other => other.Id))}",
            _ => $"no runbook takes it: {takers.Reason}",
        };
    }

    private static string Joined(string first, IEnumerable<Runbook> others) =>
        string.Join("; ", others.Select(other => $"'{other.Id}' takes it too").Prepend(first));

    /// <summary>How it goes with this runbook, in the form of <see cref="Recorded"/>.</summary>
    private async Task<string> PlayedAsync(IncidentView incident, Runbook runbook, RunMode mode)
    {
        try
        {
            var test = new TestCase(incident.Runbook, null, Known(IncidentTestWriter.Of(incident with { Mode = mode }), runbook));
            var (played, problems) = await TestRunner.PlayAsync(test, runbook, steps);
            if (played is null)
            {
                return string.Join(" ", problems);
            }

            var steps = played.Steps.Select(step => Told(step.Name, step.Action, step.Status));
            return Told(CamelCase.Of(played.State), steps, [.. problems.Select(problem => problem.Text), .. Unknown(incident, played)]);
        }
        catch (TestCaseException unusable)
        {
            return unusable.Message;
        }
    }

    private static string[] Unknown(IncidentView incident, Incident played)
    {
        var wasRehearsal = incident.Mode == RunMode.DryRun && played.Mode != RunMode.DryRun;
        return wasRehearsal && played.Steps.Count > 0
            ? ["it was a rehearsal, so what the checks say after a real step is not known, and taken as before it"]
            : [];
    }

    private static string Recorded(IncidentView incident) =>
        Told(CamelCase.Of(incident.State), incident.Steps.Select(step => Told(step.Name, step.Action, step.Status)), []);

    /// <summary>With the action, since a step of the same name that does something else is another step.</summary>
    private static string Told(string name, string action, StepStatus status) => $"{name} ({action}): {CamelCase.Of(status)}";

    private static string Told(string state, IEnumerable<string> steps, IEnumerable<string> remarks) =>
        string.Join("; ", [state, string.Join(", ", steps) is { Length: > 0 } words ? words : "no step ran", .. remarks]);

    /// <summary>Without answers of checks and steps that are no longer in the runbook.</summary>
    private static TestScript Known(TestScript script, Runbook runbook)
    {
        var checks = runbook.Diagnosis.Select(check => check.Name).ToHashSet(StringComparer.Ordinal);
        var names = runbook.AllSteps().Select(planned => planned.Step.Name).ToHashSet(StringComparer.Ordinal);
        return script.With(
            script.Checks.Where(check => checks.Contains(check.Key)).ToDictionary(StringComparer.Ordinal),
            script.Steps.Where(step => names.Contains(step.Key)).ToDictionary(StringComparer.Ordinal));
    }
}

/// <summary>The runbooks that take an incident's alert.</summary>
/// <param name="Own">The incident's own runbook; null where it does not take the alert.</param>
/// <param name="Others">The most specific first; each opens an incident of its own.</param>
/// <param name="Reason">Why no runbook takes it; null where one does.</param>
internal sealed record Takers(Runbook? Own, IReadOnlyList<Runbook> Others, string? Reason)
{
    public static Takers Of(IncidentView incident, IReadOnlyCollection<Runbook> runbooks)
    {
        var own = runbooks.FirstOrDefault(runbook => runbook.Id == incident.Runbook);
        var recorded = incident.Alert;
        if (AlertIdentity.IsByHand(recorded.Source))
        {
            return new(own, [], own is null ? $"'{incident.Runbook}', which was started by hand, was removed" : null);
        }

        var alert = new Alert
        {
            Source = recorded.Source,
            Name = recorded.Name,
            Fingerprint = recorded.Fingerprint,
            Severity = recorded.Severity,
            Labels = recorded.Labels,
            Runbook = recorded.Runbook,
        };
        var match = RunbookMatcher.Match(alert, runbooks);
        return new(
            match.Runbooks.FirstOrDefault(runbook => runbook == own),
            [.. match.Runbooks.Where(runbook => runbook != own)],
            match.Reason);
    }

    public IReadOnlyList<Runbook> Beside(IReadOnlyList<Runbook> known) =>
        [.. Others.ExceptBy(known.Select(runbook => runbook.Id), other => other.Id)];

    /// <summary>Whether the runbook that takes it would by itself go further than this mode.</summary>
    public bool WouldGoBeyond(RunMode mode) => (Own ?? (Others.Count > 0 ? Others[0] : null))?.Mode < mode;
}

internal sealed record BacktestResult(IncidentView Incident)
{
    /// <summary>Why it was not played; null where it was.</summary>
    public string? LeftOut { get; init; }

    /// <summary>The same as <see cref="Is"/> where the runbook did not change.</summary>
    public string Was { get; init; } = "";

    public string Is { get; init; } = "";

    /// <summary>It was played in the stricter mode of its record: what its steps do without that is not known.</summary>
    public bool IsHeld { get; init; }

    public bool IsOtherwise => LeftOut is null && Was != Is;
}
