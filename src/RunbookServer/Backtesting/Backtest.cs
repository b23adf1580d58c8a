using System.Collections.Concurrent;
using Runbooks.Web.Incidents;
using RunbookServer.Export;

namespace RunbookServer.Backtesting;

/// <summary>Plays past incidents again with the runbooks as they are now, or as they are about to be.</summary>
/// <param name="runbooks">By id.</param>
/// <param name="before">The runbooks that a change is compared with; null to compare with what the record says.</param>
internal sealed class Backtest(IReadOnlyDictionary<string, Runbook> runbooks, IReadOnlyDictionary<string, Runbook>? before, StepCatalog steps)
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

        if (!runbooks.TryGetValue(incident.Runbook, out var runbook))
        {
            return before?.ContainsKey(incident.Runbook) == true
                ? new(incident) { Was = Recorded(incident), Is = "no runbook takes it: it was removed" }
                : new(incident) { LeftOut = $"there is no runbook '{incident.Runbook}' here" };
        }

        if (before is null)
        {
            return new(incident) { Was = Recorded(incident), Is = await PlayedAsync(incident, runbook, incident.Mode), IsHeld = runbook.Mode < incident.Mode };
        }

        if (!before.TryGetValue(incident.Runbook, out var old))
        {
            return new(incident) { LeftOut = $"there was no runbook '{incident.Runbook}' before" };
        }

        if (old.Hash == runbook.Hash)
        {
            return new(incident);
        }

        // A mode that the file said is part of the change; any other was the host's.
        var hosts = old.Mode == incident.Mode ? RunMode.Normal : incident.Mode;
        return new(incident) { Was = await PlayedAsync(incident, old, hosts), Is = await PlayedAsync(incident, runbook, hosts), IsHeld = runbook.Mode < hosts };
    }

    /// <summary>How it goes with this runbook, as <see cref="Recorded"/> says how it went.</summary>
    /// <param name="mode">How far the host lets it go.</param>
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
        var names = runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.Name).ToHashSet(StringComparer.Ordinal);
        return script.With(
            script.Checks.Where(one => checks.Contains(one.Key)).ToDictionary(StringComparer.Ordinal),
            script.Steps.Where(one => names.Contains(one.Key)).ToDictionary(StringComparer.Ordinal));
    }
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
