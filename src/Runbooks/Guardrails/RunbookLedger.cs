namespace Runbooks.Guardrails;

/// <summary>
/// What became of one runbook's fixes: its latest runs, oldest first, and its breaker. One small document a runbook,
/// changed when an incident that acted has ended.
/// </summary>
public sealed record RunbookLedger
{
    /// <summary>Runs that are remembered. What people are told, and what the breaker counts, is about the latest ones.</summary>
    public const int MaxRuns = 100;

    private const int MaxResets = 20;

    public IReadOnlyList<LedgerRun> Runs { get; init; } = [];

    /// <summary>Not null while the breaker is open.</summary>
    public BreakerOpening? Breaker { get; init; }

    /// <summary>Who closed the breaker, oldest first.</summary>
    public IReadOnlyList<BreakerReset> Resets { get; init; } = [];

    /// <summary>Records how an incident's fix went, once.</summary>
    /// <param name="recurredWithin">A verified fix on the same target that ended this short before is one that did not hold.</param>
    public RunbookLedger Record(LedgerRun run, TimeSpan recurredWithin, int breakerAfter)
    {
        if (Runs.Any(known => known.Incident == run.Incident))
        {
            return this;
        }

        var runs = MarkRecurred(run.Target, run.OpenedAt, recurredWithin).Runs.Append(run).TakeLast(MaxRuns).ToList();
        var inARow = runs.AsEnumerable().Reverse().TakeWhile(known => known.Outcome == RunOutcome.Ineffective && known.EndedAt > (Resets.Count == 0 ? DateTimeOffset.MinValue : Resets[^1].At)).Count();
        return this with
        {
            Runs = runs,
            Breaker = Breaker ?? (inARow >= breakerAfter ? new(run.EndedAt, $"The last {inARow} fixes of this runbook did not help.") : null),
        };
    }

    /// <summary>The target is broken again: a verified fix that ended shortly before did not hold.</summary>
    public RunbookLedger MarkRecurred(string target, DateTimeOffset again, TimeSpan within) =>
        Recurring(target, again, within) is { } held
            ? this with { Runs = [.. Runs.Select(run => run == held ? run with { Outcome = RunOutcome.Recurred } : run)] }
            : this;

    /// <returns>The verified fix that this new incident on its target disproves; null when there is none.</returns>
    public LedgerRun? Recurring(string target, DateTimeOffset again, TimeSpan within) =>
        Runs.LastOrDefault(run => run.Target == target && run.EndedAt <= again) is { Outcome: RunOutcome.Verified } last && again - last.EndedAt < within ? last : null;

    public RunbookLedger Reset(string by, string reason, DateTimeOffset at) =>
        this with { Breaker = null, Resets = [.. Resets.TakeLast(MaxResets - 1), new(by, reason, at)] };
}

/// <param name="Took">From the first step to the end that was verified.</param>
public sealed record LedgerRun(string Incident, string Target, RunOutcome Outcome, DateTimeOffset OpenedAt, DateTimeOffset EndedAt, TimeSpan Took);

public enum RunOutcome
{
    /// <summary>The checks passed afterwards.</summary>
    Verified,

    /// <summary>They did not, or a step failed.</summary>
    Ineffective,

    /// <summary>They passed, and the target was broken again soon after.</summary>
    Recurred,
}

public sealed record BreakerOpening(DateTimeOffset At, string Why);

public sealed record BreakerReset(string By, string Reason, DateTimeOffset At);
