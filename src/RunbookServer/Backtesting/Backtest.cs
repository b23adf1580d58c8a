using System.Collections.Concurrent;
using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;
using RunbookServer.Export;

namespace RunbookServer.Backtesting;

/// <summary>Plays past incidents again with the runbooks as they are now, or as they are about to be.</summary>
/// <param name="before">The runbooks that a change is compared with; null to compare with what the record says.</param>
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

        // A mode that the file said is part of the change; any other was the host's.
        var hosts = old.Mode == incident.Mode ? RunMode.Normal : incident.Mode;
        return new(incident) { Was = await GoesAsync(incident, then, then.Others, hosts), Is = await GoesAsync(incident, now, then.Others, hosts), IsHeld = now.WouldGoBeyond(hosts) };
    }

    /// <summary>How it goes with those who take it.</summary>
    /// <param name="known">Who took it beside its own runbook anyway, and has incidents of their own.</param>
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

    /// <summary>How it goes with this runbook, as <see cref="Recorded"/> says how it went.</summary>
    private async Task<string> PlayedAsync(IncidentView incident, Runbook runbook, RunMode mode)
    {
        try
        {
            var test = new TestCase(incident.Id, incident.Runbook, null, Known(IncidentTestWriter.Of(incident with { Mode = mode }), runbook));
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

    /// <summary>A step of the same name that does something else is another step.</summary>
    private static string Told(string name, string action, StepStatus status) => $"{name} ({action}): {CamelCase.Of(status)}";

    private static string Told(string state, IEnumerable<string> steps, IEnumerable<string> remarks) =>
        string.Join("; ", [state, string.Join(", ", steps) is { Length: > 0 } words ? words : "no step ran", .. remarks]);

    /// <summary>What the night answered to a check that is no longer there has no meaning any more.</summary>
    private static TestScript Known(TestScript script, Runbook runbook)
    {
        var checks = runbook.Diagnosis.Select(check => check.Name).ToHashSet(StringComparer.Ordinal);
        var names = runbook.AllSteps().Select(one => one.Step.Name).ToHashSet(StringComparer.Ordinal);
        return script.With(
            script.Checks.Where(one => checks.Contains(one.Key)).ToDictionary(StringComparer.Ordinal),
            script.Steps.Where(one => names.Contains(one.Key)).ToDictionary(StringComparer.Ordinal));
    }
}

/// <summary>Who takes an incident's alert: its own runbook, and others.</summary>
/// <param name="Own">Null where it does not take the alert.</param>
/// <param name="Others">The most specific first; each opens an incident of its own.</param>
/// <param name="Reason">Why nobody takes it; null where somebody does.</param>
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

    /// <summary>Whether who takes it would by itself go further than this.</summary>
    public bool WouldGoBeyond(RunMode mode) => (Own ?? (Others.Count > 0 ? Others[0] : null))?.Mode < mode;
}

/// <summary>How one past incident goes now.</summary>
internal sealed record BacktestResult(IncidentView Incident)
{
    /// <summary>Why nothing can be said; null where something can.</summary>
    public string? LeftOut { get; init; }

    /// <summary>How it went, in words; the same as <see cref="Is"/> where the runbook did not change.</summary>
    public string Was { get; init; } = "";

    public string Is { get; init; } = "";

    /// <summary>It was played in the mode of its record, which is stricter than the runbook's own: what its steps do without that is not known.</summary>
    public bool IsHeld { get; init; }

    public bool IsOtherwise => LeftOut is null && Was != Is;
}
