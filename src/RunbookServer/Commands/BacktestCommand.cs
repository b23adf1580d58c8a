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
        var client = new ClientOptions();
        var folder = new RunbookFolderOption();
        var settings = new HostSettingsOption();
        var incidents = new Option<string?>("--incidents") { Description = "A folder with incidents as the API gives them, a JSON file each." };
        var since = new Option<string?>("--since") { Description = "In place of a folder: what has ended on the running host since so long ago (30d) or since a day (2026-11-01)." };
        var save = new Option<string?>("--save") { Description = "With --since: keep them in this folder, for --incidents." };
        var before = new Option<DirectoryInfo?>("--base") { Description = "Compare with the runbooks of this folder, as they were before a change, in place of what the record says." };
        var strict = new Option<bool>("--strict") { Description = "End with 1 when an incident goes otherwise, or none was played." };
        var format = new Option<string>("--format") { Description = "text; markdown, for a comment on a pull request; json.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "markdown", "json");
        var command = new Command("backtest", "Plays past incidents with the runbooks as they are now, and tells which go otherwise. Touches nothing.") { incidents, since, save, before, folder, settings, strict, format };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var services = OfflineServices.Build(host: settings.Of(parsed));
            var now = Load(services, folder.Of(parsed));
            var old = parsed.GetValue(before) is { } named ? Load(services, RunbookFolder.Find(named.FullName)) : null;
            var past = (parsed.GetValue(incidents), parsed.GetValue(since)) switch
            {
                ({ }, null) when parsed.GetValue(save) is not null => throw new CommandException("--save goes with --since."),
                ({ } from, null) => PastIncidents.Read(from),
                (null, { } age) => await FetchAsync(client, parsed, age, parsed.GetValue(save), cancellationToken),
                _ => throw new CommandException("Name either a folder with --incidents, or a time with --since, such as 30d."),
            };
            var results = await new Backtest(now, old, services.GetRequiredService<StepCatalog>()).RunAsync(past, cancellationToken);
            ConsoleOutput.Raw(parsed.GetRequiredValue(format) switch { "json" => Json(results), "markdown" => Markdown(results), _ => Text(results) });
            var isAsBefore = results.Any(result => result.LeftOut is null) && !results.Any(result => result.IsOtherwise);
            return parsed.GetValue(strict) && !isAsBefore ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
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

        return [.. fetched.Select(one => one.Incident)];
    }

    /// <summary>The one sentence that everybody reads.</summary>
    private static string Summary(IReadOnlyList<BacktestResult> results)
    {
        var (played, otherwise, left) = (results.Count(result => result.LeftOut is null), results.Count(result => result.IsOtherwise), results.Count(result => result.LeftOut is not null));
        return (played == 0 ? "No incident was played: nothing is known." : otherwise == 0 ? $"{CountText.Format(played, "incident")} {(played == 1 ? "goes" : "go")} as before." : $"Of {CountText.Format(played, "incident")}, {otherwise} {(otherwise == 1 ? "goes" : "go")} otherwise.")
            + (left > 0 ? $" {left} left out." : "")
            + (results.Count(result => result.IsHeld) is > 0 and var held ? $" {held} {CountText.Were(held)} played in the stricter mode of the record (dryRun or approveAll): what the runbook does without it is not known." : "");
    }

    private static string Text(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder();
        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            text.Append($"{result.Incident.Id}  {result.Incident.Runbook} on {CleanText.Line(IncidentText.Target(result.Incident.Target))}\n    was: {CleanText.Line(result.Was)}\n    is:  {CleanText.Line(result.Is)}\n");
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
            text.Append($"| {result.Incident.Id} | {MarkdownText.Escape(result.Incident.Runbook)} | {MarkdownText.Escape(result.Was)} | {MarkdownText.Escape(result.Is)} |\n");
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

/// <summary>Plays past incidents again with the runbooks as they are now, or as they are about to be.</summary>
/// <param name="before">The runbooks that a change is compared with; null to compare with the record.</param>
internal sealed class Backtest(IReadOnlyCollection<Runbook> runbooks, IReadOnlyCollection<Runbook>? before, StepCatalog steps)
{
    public async Task<IReadOnlyList<BacktestResult>> RunAsync(IReadOnlyList<IncidentView> incidents, CancellationToken cancellationToken)
    {
        var results = new ConcurrentBag<BacktestResult>();
        await Parallel.ForEachAsync(incidents, cancellationToken, async (incident, _) => results.Add(await OneAsync(incident)));
        return [.. results.OrderBy(result => result.Incident.Id, StringComparer.Ordinal)];
    }

    private async Task<BacktestResult> OneAsync(IncidentView incident)
    {
        if (!incident.Final)
        {
            return new(incident) { LeftOut = "it has not ended" };
        }

        var now = Takers.Of(incident, runbooks);
        if (before is null)
        {
            // The record does not know who else took the alert then.
            return now.Own is null && now.Others.Count == 0 && runbooks.All(one => one.Id != incident.Runbook)
                ? new(incident) { LeftOut = $"there is no runbook '{incident.Runbook}' here" }
                : new(incident) { Was = Recorded(incident), Is = await GoesAsync(incident, now, now.Own is null ? [] : now.Others, incident.Mode), IsHeld = now.WouldGoBeyond(incident.Mode) };
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
        return new(incident) { Was = await GoesAsync(incident, then, then.Others, hosts), Is = await GoesAsync(incident, now, then.Others, hosts), IsHeld = now.WouldGoBeyond(hosts) };
    }

    /// <param name="known">The runbooks that took the alert already, beside the incident's own, in incidents of their own.</param>
    /// <param name="mode">How far the host lets it go.</param>
    private async Task<string> GoesAsync(IncidentView incident, Takers takers, IReadOnlyList<Runbook> known, RunMode mode)
    {
        var added = takers.Beside(known);
        return (takers.Own, added) switch
        {
            ({ } own, _) => string.Join("; ", added.Select(TakesToo).Prepend(await PlayedAsync(incident, own, mode))),
            (null, [var next, ..]) => string.Join("; ", added.Skip(1).Select(TakesToo).Prepend($"'{next.Id}' takes it in place of '{incident.Runbook}': {await PlayedAsync(incident, next, mode)}")),
            _ when takers.Others.Count > 0 => $"'{incident.Runbook}' takes it no longer; beside it as before: {string.Join(", ", takers.Others.Select(other => other.Id))}",
            _ => $"no runbook takes it: {takers.Reason}",
        };
    }

    private static string TakesToo(Runbook other) => $"'{other.Id}' takes it too";

    /// <summary>How it goes with this runbook, in the form of <see cref="Recorded"/>.</summary>
    private async Task<string> PlayedAsync(IncidentView incident, Runbook runbook, RunMode mode)
    {
        try
        {
            var test = new TestCase(incident.Runbook, null, Known(IncidentTestWriter.Of(incident with { Mode = mode }), runbook));
            var (played, problems) = await TestRunner.PlayAsync(test, runbook, steps);
            return played is null
                ? string.Join(" ", problems)
                : Told(CamelCase.Of(played.State), played.Steps.Select(step => Told(step.Name, step.Action, step.Status)), [.. problems.Select(problem => problem.Text), .. Unknown(incident, played)]);
        }
        catch (TestCaseException unusable)
        {
            return unusable.Message;
        }
    }

    private static string[] Unknown(IncidentView incident, Incident played) => incident.Mode == RunMode.DryRun && played.Mode != RunMode.DryRun && played.Steps.Count > 0
        ? ["it was a rehearsal, so what the checks say after a real step is not known, and taken as before it"]
        : [];

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
        var names = runbook.AllSteps().Select(one => one.Step.Name).ToHashSet(StringComparer.Ordinal);
        return script.With(
            script.Checks.Where(one => checks.Contains(one.Key)).ToDictionary(StringComparer.Ordinal),
            script.Steps.Where(one => names.Contains(one.Key)).ToDictionary(StringComparer.Ordinal));
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
        var said = incident.Alert;
        if (AlertIdentity.IsByHand(said.Source))
        {
            return new(own, [], own is null ? $"'{incident.Runbook}', which was started by hand, was removed" : null);
        }

        var alert = new Alert { Source = said.Source, Name = said.Name, Fingerprint = said.Fingerprint, Severity = said.Severity, Labels = said.Labels, Runbook = said.Runbook };
        var match = RunbookMatcher.Match(alert, runbooks);
        return new(match.Runbooks.FirstOrDefault(runbook => runbook == own), [.. match.Runbooks.Where(runbook => runbook != own)], match.Reason);
    }

    public IReadOnlyList<Runbook> Beside(IReadOnlyList<Runbook> known) => [.. Others.ExceptBy(known.Select(one => one.Id), other => other.Id)];

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
