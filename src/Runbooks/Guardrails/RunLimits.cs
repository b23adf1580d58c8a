namespace Runbooks.Guardrails;

/// <summary>
/// Counts an incident's run against its runbook's limits. The count is taken in one atomic change just before each step up to the
/// first that acts, so that two incidents never share the last free place; what an incident has taken, it keeps unless it ends without having acted.
/// </summary>
public sealed class RunLimits(ISharedState state, TimeProvider time)
{
    /// <summary>What would be said if it ran now; uses nothing up.</summary>
    public async Task<GuardrailViolation?> PeekAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        var (limits, now) = (runbook.Limits, time.GetUtcNow());
        var runs = Counts(limits) ? await state.FindAsync<CountedRuns>(RunsKey(incident), cancellationToken) : null;
        var reach = limits.MaxTargets is null ? null : await state.FindAsync<BlastRadius>(ReachKey(incident), cancellationToken);
        return ViolationOf(limits, runs?.Exceeded(limits, incident.Id, now) ?? reach?.Exceeded(limits, incident.TargetKey, now));
    }

    /// <param name="overruled">A person saw that the limit is exceeded and approved: it is counted all the same.</param>
    /// <returns>Null when the run is counted.</returns>
    public async Task<GuardrailViolation?> ReserveAsync(Incident incident, Runbook runbook, bool overruled, CancellationToken cancellationToken)
    {
        if (incident.Mode == RunMode.DryRun)
        {
            return null;
        }

        var (limits, now) = (runbook.Limits, time.GetUtcNow());
        if (Counts(limits) && await TakeRunAsync(incident, limits, overruled, now, cancellationToken) is { } tooOften)
        {
            return tooOften;
        }

        if (limits.MaxTargets is null || await TakeTargetAsync(incident, limits, overruled, now, cancellationToken) is not { } tooMany)
        {
            return null;
        }

        await GiveRunBackAsync(incident, limits, cancellationToken);
        return tooMany;
    }

    /// <summary>Gives back what an incident has taken that ended before anything of it acted; to tell is all that a runbook does that only tells. Safe to repeat.</summary>
    public async Task ReleaseAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (incident.HasActed || !incident.Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved, Plan.TellsOnly: false }))
        {
            return;
        }

        await GiveRunBackAsync(incident, runbook.Limits, cancellationToken);
        if (runbook.Limits.MaxTargets is not null)
        {
            await state.ChangeAsync<BlastRadius>(ReachKey(incident), known => (known ?? BlastRadius.None).Without(incident.TargetKey, incident.Id), cancellationToken);
        }
    }

    /// <summary>What is remembered of a target on which nothing has run since then, nor within any limit's time.</summary>
    public Task ForgetAsync(Incident incident, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var counted = time.GetUtcNow() - Limits.Longest;
        return state.RemoveAsync<CountedRuns>(RunsKey(incident), known => known.Runs.All(run => run.At < before && run.At < counted), cancellationToken);
    }

    private async Task<GuardrailViolation?> TakeRunAsync(Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await state.UpdateAsync<CountedRuns, GuardrailViolation?>(
            RunsKey(incident),
            known =>
            {
                var runs = known ?? CountedRuns.None;
                var violation = overruled ? null : ViolationOf(limits, runs.Exceeded(limits, incident.Id, now));
                return (violation is null ? runs.With(limits, incident.Id, now) : runs, violation);
            },
            cancellationToken)).Result;

    private async Task<GuardrailViolation?> TakeTargetAsync(Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await state.UpdateAsync<BlastRadius, GuardrailViolation?>(
            ReachKey(incident),
            known =>
            {
                var reach = known ?? BlastRadius.None;
                var violation = overruled ? null : ViolationOf(limits, reach.Exceeded(limits, incident.TargetKey, now));
                return (violation is null ? reach.With(limits, incident.TargetKey, incident.Id, now) : reach, violation);
            },
            cancellationToken)).Result;

    private Task GiveRunBackAsync(Incident incident, Limits limits, CancellationToken cancellationToken) => Counts(limits)
        ? state.ChangeAsync<CountedRuns>(RunsKey(incident), known => (known ?? CountedRuns.None).Without(incident.Id), cancellationToken)
        : Task.CompletedTask;

    private static bool Counts(Limits limits) => limits.MaxRuns is not null || limits.CoolDown > TimeSpan.Zero;

    private static GuardrailViolation? ViolationOf(Limits limits, string? why) => why is null
        ? null
        : new(GuardrailNames.Limits, why, limits.WhenExceeded == WhenExceeded.Forbid ? GuardrailSeverity.Forbid : GuardrailSeverity.AskFirst);

    private static string RunsKey(Incident incident) => $"runs:{incident.RunbookId}:{incident.TargetKey}";

    private static string ReachKey(Incident incident) => $"reach:{incident.RunbookId}";
}

/// <summary>The runs of one runbook on one target that a limit may still have to count, oldest first. One further ahead than the limit reaches back was noted by a clock that was ahead, and does not count.</summary>
public sealed record CountedRuns(IReadOnlyList<CountedRun> Runs)
{
    public static readonly CountedRuns None = new([]);

    /// <returns>Why another incident's run would be too much, in words; null when it would not.</returns>
    public string? Exceeded(Limits limits, string incidentId, DateTimeOffset now)
    {
        if (Runs.Any(run => run.Incident == incidentId))
        {
            return null;
        }

        // One that a clock ahead has noted stands last, and is no reason to overlook those before it.
        if (Runs.LastOrDefault(run => (now - run.At).Duration() < limits.CoolDown) is { } last)
        {
            // The day and time and not how long ago: it is kept with the question, and the same sentence is on record once.
            return $"It ran on this target at {GateText.DayAndClock(last.At)}; the cool-down is {DurationText.Format(limits.CoolDown)}.";
        }

        var recent = Runs.Count(run => (now - run.At).Duration() < limits.Per);
        return recent >= limits.MaxRuns
            ? $"It ran {CountText.Format(recent, "time")} on this target within {DurationText.Format(limits.Per)}; the limit is {limits.MaxRuns}."
            : null;
    }

    /// <summary>An incident counts once, at the time when it was counted last. One more than the limit is remembered, since the last one may be given back.</summary>
    public CountedRuns With(Limits limits, string incidentId, DateTimeOffset now) =>
        new([.. Without(incidentId).Runs.Append(new(incidentId, now)).TakeLast((limits.MaxRuns ?? 1) + 1)]);

    public CountedRuns Without(string incidentId) => new([.. Runs.Where(run => run.Incident != incidentId)]);
}

public sealed record CountedRun(string Incident, DateTimeOffset At);

/// <summary>The targets that one runbook acted on lately, and when last. Bounded by the limit it serves.</summary>
public sealed record BlastRadius(IReadOnlyDictionary<string, DateTimeOffset> Targets)
{
    public static readonly BlastRadius None = new(new Dictionary<string, DateTimeOffset>());

    /// <summary>By target, who noted it last.</summary>
    public IReadOnlyDictionary<string, TargetTaken> Takers { get; init; } = new Dictionary<string, TargetTaken>();

    /// <returns>Why one target more would be too much, in words; null when it would not.</returns>
    public string? Exceeded(Limits limits, string target, DateTimeOffset now)
    {
        if (limits.MaxTargets is not { } most || Recent(limits, now).Any(known => known.Key == target))
        {
            return null;
        }

        var reached = Recent(limits, now).Count();
        return reached >= most
            ? $"It acted on {CountText.Format(reached, "target")} within {DurationText.Format(limits.Per)}; the limit is {most}. What breaks everywhere at once is rarely fixed one by one."
            : null;
    }

    public BlastRadius With(Limits limits, string target, string incidentId, DateTimeOffset now)
    {
        var before = Takers.GetValueOrDefault(target) is { } taken && taken.Incident == incidentId ? taken.Before : Targets.TryGetValue(target, out var at) ? at : (DateTimeOffset?)null;
        var targets = Recent(limits, now).Where(known => known.Key != target).Append(new(target, now)).TakeLast((limits.MaxTargets ?? 0) + 1).ToDictionary();
        return new(targets) { Takers = Takers.Where(known => known.Key != target && targets.ContainsKey(known.Key)).Append(new(target, new(incidentId, before))).ToDictionary() };
    }

    /// <summary>As if the incident had never noted the target, where none has since.</summary>
    public BlastRadius Without(string target, string incidentId) => Takers.GetValueOrDefault(target) is not { } taken || taken.Incident != incidentId ? this
        : new(Targets.Where(known => known.Key != target).Concat(taken.Before is { } before ? [new(target, before)] : []).ToDictionary())
        {
            Takers = Takers.Where(known => known.Key != target).ToDictionary(),
        };

    private IEnumerable<KeyValuePair<string, DateTimeOffset>> Recent(Limits limits, DateTimeOffset now) =>
        Targets.Where(known => (now - known.Value).Duration() < limits.Per).OrderBy(known => known.Value);
}

/// <param name="Before">When the target had been noted before that; null where it had not.</param>
public sealed record TargetTaken(string Incident, DateTimeOffset? Before);

/// <summary>Shows that a limit is used up; <see cref="RunLimits.ReserveAsync"/> is what holds it.</summary>
public sealed class LimitsGuardrail(RunLimits limits) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        question.HasBegun ? null : await limits.PeekAsync(question.Incident, question.Runbook, cancellationToken);
}

/// <summary>How well a runbook's fixes worked on targets of one kind.</summary>
/// <param name="Class">Everything of the target up to its last slash: <c>inference/llm-b-0</c> is of the class <c>inference/*</c>.</param>
/// <param name="Median">Of the fixes that worked; null when none did.</param>
/// <param name="Unverified">Runs with no evidence of whether they helped; not among <paramref name="Runs"/>.</param>
/// <param name="FailedLast">How many of the latest in a row did not help; one after which the alert came back is told as that.</param>
public sealed record SuccessRate(string Class, int Runs, int Verified, int Ineffective, int Recurred, int Unverified, TimeSpan? Median, int FailedLast)
{
    /// <summary>After how many temporary fixes the cause came back soon after their incident had ended; whether they helped is counted besides.</summary>
    public int CauseBack { get; init; }

    public static string ClassOf(string target) => target.LastIndexOf('/') is > 0 and var slash ? $"{target[..slash]}/*" : "*";

    public static SuccessRate Of(IReadOnlyList<RecordedRun> all, string targetClass)
    {
        List<RecordedRun> ofClass = [.. all.Where(run => ClassOf(run.Key) == targetClass)];

        // What ran without anything to show whether it helped says nothing about the fix.
        var runs = ofClass.Where(run => run.Outcome != RunOutcome.Unverified).ToList();
        var took = runs.Where(run => run.Outcome == RunOutcome.Verified).Select(run => run.Took).Order().ToList();
        return new(
            targetClass,
            runs.Count,
            runs.Count(run => run.Outcome == RunOutcome.Verified),
            runs.Count(run => run.Outcome == RunOutcome.Ineffective),
            runs.Count(run => run.Outcome == RunOutcome.Recurred),
            ofClass.Count - runs.Count,
            took.Count == 0 ? null : took[took.Count / 2],
            runs.AsEnumerable().Reverse().TakeWhile(run => run.Outcome == RunOutcome.Ineffective).Count())
        {
            CauseBack = ofClass.Count(run => run.CauseBack),
        };
    }

    public static IReadOnlyList<SuccessRate> OfEach(IReadOnlyList<RecordedRun> all) =>
        [.. all.Select(run => ClassOf(run.Key)).Distinct().Order(StringComparer.Ordinal).Select(targetClass => Of(all, targetClass))];

    /// <summary>"Worked in 7 of 9 runs, median 3m; the last 2 failed."; null when it never ran.</summary>
    public string? Describe() => Runs + Unverified == 0 ? null
        : CauseBack == 0 ? HowItWent
        : $"{HowItWent} The cause came back soon after {CauseBack} of them had ended.";

    private string HowItWent =>
        Runs == 0 ? $"For {CountText.Format(Unverified, "run")} nothing shows whether {(Unverified == 1 ? "it" : "they")} helped."
        : $"Worked in {Verified} of {CountText.Format(Runs, "run")}"
            + (Median is { } median ? $", median {DurationText.Format(TimeSpan.FromSeconds(Math.Max(1, Math.Round(median.TotalSeconds))))}" : "")
            + (Recurred > 0 ? $"; the alert came back after {Recurred} of them" : "")
            + (FailedLast switch { 0 => ".", 1 => "; the last one failed.", _ => $"; the last {FailedLast} failed." })
            + (Unverified > 0 ? $" For {CountText.Format(Unverified, "more run")} nothing shows whether {(Unverified == 1 ? "it" : "they")} helped." : "");
}

/// <summary>Tells how well this runbook's fixes worked before; one that keeps coming back is no longer done without asking.</summary>
public sealed class SuccessRateGuardrail(RunHistoryStore histories, IOptionsMonitor<SafetyOptions> options) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var (incident, limits) = (question.Incident, question.Runbook.Limits);
        if (question.HasBegun)
        {
            return null;
        }

        var (atLeast, subject) = (options.CurrentValue.AskAfterRecurrences, histories.SubjectOf(incident, question.Runbook));
        var history = (await question.HistoryAsync(histories, cancellationToken)).MarkRecurred(incident.TargetKey, subject, incident.OpenedAt, RunHistoryStore.RecurredWithin(question.Runbook));
        var successRate = SuccessRate.Of(history.Runs, SuccessRate.ClassOf(incident.TargetKey));
        if (successRate.Describe() is not { } words)
        {
            return null;
        }

        var lately = history.Runs.Where(run => run.IsOf(incident.TargetKey, subject) && incident.OpenedAt - run.EndedAt < RunHistoryStore.Lately(limits) * atLeast).ToList();
        var (cameUndone, causeBack) = (lately.Count(run => run.Outcome == RunOutcome.Recurred), lately.Count(run => run.CauseBack));
        return cameUndone >= atLeast
                ? new(GuardrailNames.SuccessRate, $"{words} On this target the fix came undone {cameUndone} times lately: it may treat the symptom only.", GuardrailSeverity.AskFirst)
            : causeBack >= atLeast
                ? new(GuardrailNames.SuccessRate, $"{words} On this target that was so {causeBack} times lately: it may have to be held longer ('stableFor').", GuardrailSeverity.Tell)
            : new(GuardrailNames.SuccessRate, words, GuardrailSeverity.Tell);
    }
}

/// <summary>How a runbook does, for its author: by kind of target, and what that suggests. Nothing follows from it by itself.</summary>
public sealed record RunbookReport(
    string Runbook, IReadOnlyList<SuccessRate> Targets, BreakerOpening? Breaker, IReadOnlyList<BreakerReset> Resets, IReadOnlyList<string> Suggestions)
{
    /// <summary>Fixes in a row, on one kind of target, that make a runbook worth thinking about.</summary>
    public const int SteadyAfter = 10;

    /// <param name="runbook">As it is loaded; null when it no longer is.</param>
    public static RunbookReport Of(string id, Runbook? runbook, RunHistory history)
    {
        var targets = SuccessRate.OfEach(history.Runs);
        return new(id, targets, history.Breaker, history.Resets, [.. targets.Select(target => Suggest(runbook, target, history)).OfType<string>()]);
    }

    private static string? Suggest(Runbook? runbook, SuccessRate target, RunHistory history) => target switch
    {
        { CauseBack: > 1 } => $"On {target.Class} the cause came back {target.CauseBack} times soon after the fix had ended: it may have to be held longer ('stableFor').",
        { Recurred: > 1 } => $"On {target.Class} the fix came undone {target.Recurred} times: it treats the symptom.",
        _ when runbook?.Mitigation.Approval is not null && target.Runs >= SteadyAfter && target.Verified == target.Runs && !history.Runs.Any(run => run.IsUnknown && SuccessRate.ClassOf(run.Key) == target.Class) =>
            $"On {target.Class} it worked {target.Verified} times of {target.Runs}. A person may decide to let it heal by itself: remove 'mitigation.approval' and set 'limits'.",
        _ => null,
    };
}
