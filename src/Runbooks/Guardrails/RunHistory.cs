using System.Text.Json.Serialization;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Model;

namespace Runbooks.Guardrails;

/// <summary>A runbook's latest runs, oldest first, and its breaker. One small document a runbook.</summary>
public sealed record RunHistory : Evolving
{
    /// <summary>Runs that are kept. Messages and the breaker look at the latest ones.</summary>
    public const int MaxRuns = 100;

    private const int MaxResets = 20;

    public IReadOnlyList<RecordedRun> Runs { get; init; } = [];

    public BreakerOpening? Breaker { get; init; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<BreakerReset> Resets { get; init; } = [];

    /// <param name="recurredWithin">A verified fix on the same target that ended less than this before did not hold.</param>
    public RunHistory Record(RecordedRun run, TimeSpan recurredWithin, int breakerAfter)
    {
        if (Runs.Any(known => known.Incident == run.Incident))
        {
            return this;
        }

        var runs = MarkRecurred(run.Key, run.Subject, run.OpenedAt, recurredWithin).Runs.Append(run).TakeLast(MaxRuns).ToList();
        var since = Resets.Count == 0 ? DateTimeOffset.MinValue : Resets[^1].At;
        var inARow = runs.AsEnumerable().Reverse()
            .Where(known => known.IsUnknown || known.Outcome != RunOutcome.Unverified)
            .TakeWhile(known => (known.IsUnknown || known.Outcome == RunOutcome.Ineffective) && known.EndedAt > since)
            .ToLookup(known => known.IsUnknown);
        return this with
        {
            Runs = runs,
            Breaker = BreakerAfter(failed: inARow[false].Count(), unknown: inARow[true].Count(), breakerAfter, run.EndedAt),
        };
    }

    private BreakerOpening? BreakerAfter(int failed, int unknown, int most, DateTimeOffset now)
    {
        if (failed >= most && Breaker is not { AsksFirst: false })
        {
            return new(now, $"The last {failed} fixes of this runbook that could be judged did not help.");
        }

        if (Breaker is not null || failed + unknown < most)
        {
            return Breaker;
        }

        var why = $"None of its last {failed + unknown} runs is known to have helped: of {unknown} nobody knows whether the fix happened.";
        return new(now, why) { AsksFirst = true };
    }

    /// <summary>The same thing is broken again: a fix shortly before did not hold, or was taken back too soon.</summary>
    public RunHistory MarkRecurred(string targetKey, string? subject, DateTimeOffset again, TimeSpan within) =>
        Recurring(targetKey, subject, again, within) is { } held
            ? this with { Runs = [.. Runs.Select(run => run == held ? Marked(run) : run)] }
            : this;

    private static RecordedRun Marked(RecordedRun run) =>
        run.IsTemporary ? run with { CauseBack = true } : run with { Outcome = RunOutcome.Recurred };

    /// <returns>The fix that this new incident on its target disproves.</returns>
    private RecordedRun? Recurring(string targetKey, string? subject, DateTimeOffset again, TimeSpan within) =>
        Runs.LastOrDefault(run => run.IsOf(targetKey, subject) && run.EndedAt <= again)
            is { Outcome: RunOutcome.Verified or RunOutcome.Unverified, CauseBack: false, IsUnknown: false } last
            && again - last.EndedAt < within
            ? last
            : null;

    public RunHistory Reset(string by, string reason, DateTimeOffset at) =>
        this with { Breaker = null, Resets = [.. Resets.TakeLast(MaxResets - 1), new(by, reason, at)] };
}

/// <param name="Took">From the first step to the end that was verified.</param>
/// <param name="TargetKey">The target as it is compared; null when that is the same.</param>
/// <param name="Subject">Hash of the part of the target that it was about: two disks of one machine are two subjects. Null: any.</param>
public sealed record RecordedRun(
    string Incident,
    string Target,
    RunOutcome Outcome,
    DateTimeOffset OpenedAt,
    DateTimeOffset EndedAt,
    TimeSpan Took,
    string? TargetKey = null,
    string? Subject = null) : Evolving
{
    /// <summary>The fix was held until its cause was gone, and then taken back.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsTemporary { get; init; }

    /// <summary>The cause of a temporary fix came back soon after. The outcome still says whether the fix helped.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool CauseBack { get; init; }

    /// <summary>A step may have happened or not, and it did not end well: the run says nothing about the fix.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsUnknown { get; init; }

    [JsonIgnore]
    public string Key => TargetKey ?? Target;

    public bool IsOf(string targetKey, string? subject) =>
        Key == targetKey && (Subject is null || subject is null || Subject == subject);
}

public enum RunOutcome
{
    /// <summary>A check that had not passed before passed afterwards.</summary>
    Verified,

    /// <summary>No check began to pass, or a step failed.</summary>
    Ineffective,

    /// <summary>It ended well, and the target was broken again soon after.</summary>
    Recurred,

    /// <summary>
    /// Nothing shows whether it helped: no check was asked afterwards, the checks had passed before, or a step may not have happened.
    /// </summary>
    Unverified,
}

public sealed record BreakerOpening(DateTimeOffset At, string Why) : Evolving
{
    /// <summary>Nobody knows what happened, so a person is asked first and may approve before it is reset.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool AsksFirst { get; init; }

    [JsonIgnore]
    public string Effect => $"{(AsksFirst ? "so a person is asked before it acts" : "so it does not act")}: {Why}";
}

public sealed record BreakerReset(string By, string Reason, DateTimeOffset At) : Evolving;

public static class RunAssessment
{
    /// <returns>Null when it never acted, or when a person ended it too early.</returns>
    public static RecordedRun? Of(Incident incident)
    {
        var acted = incident.Steps.Where(step => step.Phase == Phase.Mitigation && step.IsChange).ToList();
        if (acted.Count == 0 || incident.ClosedAt is not { } ended || OutcomeOf(incident) is not { } outcome)
        {
            return null;
        }

        // A lease is held long after it worked.
        var worked = incident.Timeline.LastOrDefault(line => line.Kind == TimelineKind.Verification)?.At ?? ended;
        var began = acted.Min(step => step.StartedAt);
        return new(
            incident.Id,
            incident.Target,
            outcome,
            incident.OpenedAt,
            ended,
            worked > began ? worked - began : TimeSpan.Zero,
            incident.TargetKey == incident.Target ? null : incident.TargetKey)
        {
            IsUnknown = outcome == RunOutcome.Unverified && EndingText.WasInVain(incident),
        };
    }

    private static RunOutcome? OutcomeOf(Incident incident) => incident.State switch
    {
        IncidentState.Resolved => Worked(incident),
        // The mitigation had worked; the resolution failed, or the lease could not be taken back.
        _ when EndingText.Held(incident) => Worked(incident),
        IncidentState.Failed when EndingText.IsVerifiedFix(incident) => RunOutcome.Verified,
        _ when !EndingText.WasInVain(incident) => null,

        // A call that timed out may have helped.
        _ => HasUnknown(incident) ? RunOutcome.Unverified : RunOutcome.Ineffective,
    };

    private static bool HasUnknown(Incident incident) => incident.Steps.Any(step =>
        step is { IsChange: true, Phase: Phase.Mitigation }
        && (step.Status == StepStatus.Unknown || step.UndoneFrom == StepStatus.Unknown));

    private static RunOutcome Worked(Incident incident) =>
        EndingText.IsVerifiedFix(incident) ? RunOutcome.Verified : RunOutcome.Unverified;
}

public sealed class RunHistoryStore(
    ISharedState state, StepCatalog catalog, IOptionsMonitor<SafetyOptions> options, TimeProvider time, ILogger<RunHistoryStore> logger)
{
    public async Task<RunHistory> ReadAsync(string runbookId, CancellationToken cancellationToken) =>
        await state.FindAsync<RunHistory>(Key(runbookId), cancellationToken) ?? new RunHistory();

    public async Task<IReadOnlyList<(string Runbook, BreakerOpening Breaker)>> OpenBreakersAsync(
        IEnumerable<Runbook> runbooks, CancellationToken cancellationToken)
    {
        var open = new List<(string, BreakerOpening)>();
        foreach (var id in runbooks.Select(runbook => runbook.Id).Order(StringComparer.Ordinal))
        {
            if ((await ReadAsync(id, cancellationToken)).Breaker is { } breaker)
            {
                open.Add((id, breaker));
            }
        }

        return open;
    }

    /// <summary>Safe to repeat. An incident that never acted is not recorded.</summary>
    public async Task RecordAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (RunAssessment.Of(incident) is not { } assessed)
        {
            return;
        }

        var run = assessed with { Subject = SubjectOf(incident, runbook), IsTemporary = runbook.Mitigation.HoldUntil is not null };
        var (history, opened) = await state.UpdateAsync<RunHistory, bool>(
            Key(incident.RunbookId),
            known =>
            {
                var before = known ?? new RunHistory();
                var after = before.Record(run, RecurredWithin(runbook), options.CurrentValue.BreakerAfter);
                return (after, after.Breaker != before.Breaker);
            },
            cancellationToken);
        if (opened)
        {
            Log.BreakerOpened(logger, incident.RunbookId, history.Breaker!.Why);
        }
    }

    /// <summary>For checks that fail in the settle window, however long that is.</summary>
    public Task MarkRecurredAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken) =>
        state.ChangeAsync<RunHistory>(
            Key(incident.RunbookId),
            known => (known ?? new()).MarkRecurred(incident.TargetKey, SubjectOf(incident, runbook), time.GetUtcNow(), TimeSpan.MaxValue),
            cancellationToken);

    /// <inheritdoc cref="RecordedRun" path="/param[@name='Subject']"/>
    public string? SubjectOf(Incident incident, Runbook runbook) =>
        ParameterComparison.SubjectOf(runbook, incident.Alert, step => catalog.ChangeSomething([step]));

    public async Task<BreakerOpening?> ResetAsync(string runbookId, string by, string reason, CancellationToken cancellationToken)
    {
        var (_, before) = await state.UpdateAsync<RunHistory, BreakerOpening?>(
            Key(runbookId),
            known => known is { Breaker: { } open } ? (known.Reset(by, reason, time.GetUtcNow()), open) : (known ?? new(), null),
            cancellationToken);
        if (before is not null)
        {
            Log.BreakerReset(logger, runbookId, by, reason);
        }

        return before;
    }

    /// <summary>
    /// A fix that lasted less than this did not hold. A temporary one was taken back because its cause was gone: a cause that comes back
    /// hours later says nothing against it.
    /// </summary>
    public static TimeSpan RecurredWithin(Runbook runbook) =>
        runbook.Mitigation.HoldUntil is null ? Lately(runbook.Limits) : runbook.Limits.SettleFor;

    /// <summary>The time within which recurrences are counted.</summary>
    public static TimeSpan Lately(Limits limits) => limits.SettleFor > limits.Per ? limits.SettleFor : limits.Per;

    /// <summary>Stored; never rename.</summary>
    private static string Key(string runbookId) => $"ledger:{runbookId}";
}

/// <summary>A fix that did not help several times in a row is not repeated without a person.</summary>
public sealed class BreakerGuardrail(RunHistoryStore histories) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        if (question.HasBegun)
        {
            return null;
        }

        if ((await question.HistoryAsync(histories, cancellationToken)).Breaker is not { } open)
        {
            return null;
        }

        var effect = open.AsksFirst
            ? $", {open.Effect} It asks until somebody resets it, with a reason."
            : $": {open.Why} Somebody has to reset it, with a reason.";
        return new(
            GuardrailNames.Breaker,
            $"The breaker of runbook '{question.Runbook.Id}' has been open since {GateText.DayAndClock(open.At)}{effect}",
            open.AsksFirst ? GuardrailSeverity.AskFirst : GuardrailSeverity.Forbid)
        {
            IsLiftedByPeople = !open.AsksFirst,
        };
    }
}
