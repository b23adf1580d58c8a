using System.Collections.Concurrent;
using System.Net;
using Runbooks.Catalog.Matching;
using Runbooks.Engine;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

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
                $"'{next.Id}' takes it in place of '{incident.Runbook}': {await PlayedAsync(incident, next, mode)}", added.Skip(1)),
            _ when takers.Others.Count > 0 => $"'{incident.Runbook}' takes it no longer; "
                + $"beside it as before: {string.Join(", ", takers.Others.Select(other => other.Id))}",
            _ => $"no runbook takes it: {takers.Reason}",
        };
    }

    private static string Joined(string first, IEnumerable<Runbook> others) =>
        string.Join("; ", others.Select(other => $"'{other.Id}' takes it too").Prepend(first));

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

            var ran = played.Steps.Select(step => Told(step.Name, step.Action, step.Status));
            return Told(CamelCase.Of(played.State), ran, [.. problems.Select(problem => problem.Text), .. Unknown(incident, played)]);
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
            match.Runbooks.FirstOrDefault(runbook => runbook == own), [.. match.Runbooks.Where(runbook => runbook != own)], match.Reason);
    }

    public IReadOnlyList<Runbook> Beside(IReadOnlyList<Runbook> known) =>
        [.. Others.ExceptBy(known.Select(runbook => runbook.Id), other => other.Id)];

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

internal static class PastIncidents
{
    private const int PageSize = 100;

    /// <summary>The list is sorted by the opening. Hardly any incident takes longer than this from there to its end.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(60);

    public static IReadOnlyList<IncidentView> Read(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(file => Parse(File.ReadAllText(file), file))]
        : throw new CommandException($"There is no folder {folder}. Fill one with: runbook backtest --since 30d --save {folder}");

    public static async Task<IReadOnlyList<(IncidentView Incident, string Json)>> FetchAsync(
        ApiClient api, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var found = new List<(IncidentView, string)>();
        var after = "";
        while (true)
        {
            var (_, page) = (await api.GetAsync($"api/incidents?state=final&limit={PageSize}{after}", cancellationToken)).OrFail();
            foreach (var line in page?["incidents"]?.AsArray() ?? [])
            {
                if (line!["openedAt"]!.GetValue<DateTimeOffset>() < since - s_longest)
                {
                    return found;
                }

                if (line["closedAt"]?.GetValue<DateTimeOffset>() < since)
                {
                    continue;
                }

                var answer = await api.GetAsync(ApiClient.PathOf(line["id"]!.ToString()), cancellationToken);
                if (answer.Status == HttpStatusCode.NotFound)
                {
                    // The host has deleted it since it was listed.
                    continue;
                }

                var json = answer.OrFail().Body?.ToJsonString() ?? "";
                var incident = Parse(json, line["id"]!.ToString());

                // Closing an ended incident by hand moves its last time and writes a second line, so the first line is the end.
                if (!(incident.Timeline.FirstOrDefault(entry => entry.Kind == TimelineKind.Closed)?.At < since))
                {
                    found.Add((incident, json));
                }
            }

            if (page?["next"] is not JsonValue next)
            {
                return found;
            }

            after = $"&after={Uri.EscapeDataString(next.ToString())}";
        }
    }

    /// <exception cref="CommandException">This program does not know its form.</exception>
    public static IncidentView Parse(string json, string from)
    {
        try
        {
            return JsonSerializer.Deserialize<IncidentView>(json, DurableJson.Options)!;
        }
        catch (JsonException other)
        {
            throw new CommandException(
                $"{from} is no incident as this version's API gives it (runbook show ID --json): {other.Message}", ExitCode.Failed);
        }
    }
}
