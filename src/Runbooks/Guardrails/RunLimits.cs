namespace Runbooks.Guardrails;

/// <summary>
/// The count is taken in one atomic change before a step acts, so that two incidents never share the last free place. An incident keeps it
/// unless it ends without having acted.
/// </summary>
public sealed class RunLimits(ISharedState state, TimeProvider time)
{
    /// <summary>Which limit a run would exceed now; counts nothing.</summary>
    public async Task<GuardrailViolation?> PeekAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        var (limits, now) = (runbook.Limits, time.GetUtcNow());
        var runs = Counts(limits) ? await state.FindAsync<CountedRuns>(RunsKey(incident), cancellationToken) : null;
        var reach = limits.MaxTargets is null ? null : await state.FindAsync<BlastRadius>(ReachKey(incident), cancellationToken);
        return ViolationOf(limits, runs?.Exceeded(limits, incident.Id, now) ?? reach?.Exceeded(limits, incident.TargetKey, now));
    }

    /// <param name="overruled">A person approved although the limit is exceeded: it is counted all the same.</param>
    public async Task<GuardrailViolation?> ReserveAsync(
        Incident incident, Runbook runbook, bool overruled, CancellationToken cancellationToken)
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

    /// <summary>For an incident that ended before it acted, unless it sends messages only. Safe to repeat.</summary>
    public async Task ReleaseAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (incident.HasActed || !incident.Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved, Plan.TellsOnly: false }))
        {
            return;
        }

        await GiveRunBackAsync(incident, runbook.Limits, cancellationToken);
        if (runbook.Limits.MaxTargets is not null)
        {
            await state.ChangeAsync<BlastRadius>(
                ReachKey(incident), known => (known ?? BlastRadius.None).Without(incident.TargetKey, incident.Id), cancellationToken);
        }
    }

    /// <summary>Forgets a target on which nothing has run since, nor within the time of any limit.</summary>
    public Task ForgetAsync(Incident incident, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var counted = time.GetUtcNow() - Limits.Longest;
        return state.RemoveAsync<CountedRuns>(
            RunsKey(incident), known => known.Runs.All(run => run.At < before && run.At < counted), cancellationToken);
    }

    private async Task<GuardrailViolation?> TakeRunAsync(
        Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await state.UpdateAsync<CountedRuns, GuardrailViolation?>(
            RunsKey(incident),
            known =>
            {
                var runs = known ?? CountedRuns.None;
                var violation = overruled ? null : ViolationOf(limits, runs.Exceeded(limits, incident.Id, now));
                return (violation is null ? runs.With(limits, incident.Id, now) : runs, violation);
            },
            cancellationToken)).Result;

    private async Task<GuardrailViolation?> TakeTargetAsync(
        Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
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

    private static GuardrailViolation? ViolationOf(Limits limits, string? why)
    {
        var severity = limits.WhenExceeded == WhenExceeded.Forbid ? GuardrailSeverity.Forbid : GuardrailSeverity.AskFirst;
        return why is null ? null : new(GuardrailNames.Limits, why, severity);
    }

    private static string RunsKey(Incident incident) => $"runs:{incident.RunbookId}:{incident.TargetKey}";

    private static string ReachKey(Incident incident) => $"reach:{incident.RunbookId}";
}

/// <summary>
/// Oldest first. A run further in the future than the limit reaches back was recorded by a clock that was ahead, and does not count.
/// </summary>
public sealed record CountedRuns(IReadOnlyList<CountedRun> Runs)
{
    public static readonly CountedRuns None = new([]);

    public string? Exceeded(Limits limits, string incidentId, DateTimeOffset now)
    {
        if (Runs.Any(run => run.Incident == incidentId))
        {
            return null;
        }

        // A run that a clock ahead recorded is last, and must not hide those before it.
        if (Runs.LastOrDefault(run => (now - run.At).Duration() < limits.CoolDown) is { } last)
        {
            // Day and time, not how long ago: the same sentence is recorded only once.
            return $"It ran on this target at {GateText.DayAndClock(last.At)}; the cool-down is {DurationText.Format(limits.CoolDown)}.";
        }

        var recent = Runs.Count(run => (now - run.At).Duration() < limits.Per);
        return recent >= limits.MaxRuns
            ? $"It ran {CountText.Format(recent, "time")} on this target within {DurationText.Format(limits.Per)}; "
                + $"the limit is {limits.MaxRuns}."
            : null;
    }

    /// <summary>One run more than the limit is kept, in case the last is given back.</summary>
    public CountedRuns With(Limits limits, string incidentId, DateTimeOffset now) =>
        new([.. Without(incidentId).Runs.Append(new(incidentId, now)).TakeLast((limits.MaxRuns ?? 1) + 1)]);

    public CountedRuns Without(string incidentId) => new([.. Runs.Where(run => run.Incident != incidentId)]);
}

public sealed record CountedRun(string Incident, DateTimeOffset At);

/// <summary>The targets that one runbook acted on lately, and when last.</summary>
public sealed record BlastRadius(IReadOnlyDictionary<string, DateTimeOffset> Targets)
{
    public static readonly BlastRadius None = new(new Dictionary<string, DateTimeOffset>());

    public IReadOnlyDictionary<string, TargetTaken> Takers { get; init; } = new Dictionary<string, TargetTaken>();

    public string? Exceeded(Limits limits, string target, DateTimeOffset now)
    {
        if (limits.MaxTargets is not { } most || Recent(limits, now).Any(known => known.Key == target))
        {
            return null;
        }

        var reached = Recent(limits, now).Count();
        return reached >= most
            ? $"It acted on {CountText.Format(reached, "target")} within {DurationText.Format(limits.Per)}; the limit is {most}. "
                + "What breaks everywhere at once is rarely fixed one by one."
            : null;
    }

    public BlastRadius With(Limits limits, string target, string incidentId, DateTimeOffset now)
    {
        var earlier = Takers.GetValueOrDefault(target);
        var before = earlier is not null && earlier.Incident == incidentId ? earlier.Before : LastOf(target);
        var targets = Recent(limits, now)
            .Where(known => known.Key != target)
            .Append(new(target, now))
            .TakeLast((limits.MaxTargets ?? 0) + 1)
            .ToDictionary();
        var takers = Takers
            .Where(known => known.Key != target && targets.ContainsKey(known.Key))
            .Append(new(target, new(incidentId, before)))
            .ToDictionary();
        return new(targets) { Takers = takers };
    }

    /// <summary>As if the incident had never counted the target, where no other has since.</summary>
    public BlastRadius Without(string target, string incidentId)
    {
        if (Takers.GetValueOrDefault(target) is not { } taken || taken.Incident != incidentId)
        {
            return this;
        }

        var others = Targets.Where(known => known.Key != target);
        return new(others.Concat(taken.Before is { } before ? [new(target, before)] : []).ToDictionary())
        {
            Takers = Takers.Where(known => known.Key != target).ToDictionary(),
        };
    }

    private DateTimeOffset? LastOf(string target) => Targets.TryGetValue(target, out var at) ? at : null;

    private IEnumerable<KeyValuePair<string, DateTimeOffset>> Recent(Limits limits, DateTimeOffset now) =>
        Targets.Where(known => (now - known.Value).Duration() < limits.Per).OrderBy(known => known.Value);
}

/// <param name="Before">When the target had been counted before that; null where it had not.</param>
public sealed record TargetTaken(string Incident, DateTimeOffset? Before);

/// <summary>Shows that a limit is used up; <see cref="RunLimits.ReserveAsync"/> enforces it.</summary>
public sealed class LimitsGuardrail(RunLimits limits) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        question.HasBegun ? null : await limits.PeekAsync(question.Incident, question.Runbook, cancellationToken);
}

/// <summary>Counts over all incidents and all hosts.</summary>
public sealed class ActionConcurrencyLimiter(ISharedState state, IOptionsMonitor<SafetyOptions> options, TimeProvider time)
{
    /// <param name="step">The step's idempotency key: the same step gets its own place again after a crash.</param>
    /// <param name="atMost">A place that a crash left taken is free again after this long.</param>
    public async Task<bool> TakeAsync(string action, string step, TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (options.CurrentValue.LimitOf(action) is not { } places)
        {
            return true;
        }

        var now = time.GetUtcNow();
        return (await state.UpdateAsync<SlotsTaken, bool>(
            Key(action),
            known =>
            {
                var taken = (known ?? SlotsTaken.None).Steps
                    .Where(slot => TurnEnd.IsAhead(slot.Value, StepSpec.LongestTimeout, now) && slot.Key != step)
                    .ToDictionary();
                if (taken.Count >= places)
                {
                    return (known!, false);
                }

                taken[step] = now + atMost;
                return (new(taken), true);
            },
            cancellationToken)).Result;
    }

    /// <summary>Never fails: the outcome of a step must not be lost because of its place, which becomes free by itself.</summary>
    public async Task FreeAsync(string action, string step)
    {
        if (options.CurrentValue.LimitOf(action) is null)
        {
            return;
        }

        try
        {
            await state.ChangeAsync<SlotsTaken>(
                Key(action),
                known => known is not null && known.Steps.ContainsKey(step)
                    ? new(known.Steps.Where(slot => slot.Key != step).ToDictionary())
                    : known ?? SlotsTaken.None,
                CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }

    private static string Key(string action) => $"slots:{action}";

    /// <param name="Steps">Until when each place is taken, by step.</param>
    public sealed record SlotsTaken(IReadOnlyDictionary<string, DateTimeOffset> Steps)
    {
        public static readonly SlotsTaken None = new(new Dictionary<string, DateTimeOffset>());
    }
}
