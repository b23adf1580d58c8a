namespace Runbooks.Engine;

/// <summary>What the rest of the system asks of the engine: start an incident's workflow, wake it, and say whether it works.</summary>
public interface IIncidentEngine
{
    /// <summary>
    /// Starts the workflow under the incident's own id. Returns once that is durable. Starting an id that exists,
    /// whatever its state, does nothing: uniqueness is the store's, not the engine's.
    /// </summary>
    Task StartAsync(IncidentInput input, CancellationToken cancellationToken);

    /// <summary>
    /// Wakes a waiting workflow, which then reads the store. The event itself carries nothing and decides nothing.
    /// An instance that is unknown or finished is not an error.
    /// </summary>
    Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken);

    /// <summary>What the engine knows of an instance; null when it knows none of that id.</summary>
    Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken);

    /// <summary>Removes what the engine keeps of a finished instance. One that runs, or that is unknown, is left alone.</summary>
    Task ForgetAsync(string incidentId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether several processes take their work from it: one may then begin an activity that another is still at.</summary>
    bool IsShared => true;

    /// <summary>Null when the engine accepts work, otherwise what is wrong, in words.</summary>
    Task<string?> CheckHealthAsync(CancellationToken cancellationToken);
}

/// <summary>An engine's view of one instance.</summary>
/// <param name="Failure">Why it failed; null unless <paramref name="Status"/> is <see cref="EngineStatus.Failed"/>.</param>
public sealed record EngineInstance(string Id, EngineStatus Status, DateTimeOffset UpdatedAt, string? Failure = null);

/// <summary>The life of an instance, in the words of Durable Task.</summary>
public enum EngineStatus { Pending, Running, Completed, Failed, Terminated }

/// <summary>Telling the workflow that the record has changed.</summary>
public static class EngineWaking
{
    /// <summary>
    /// Wakes the incident's workflow, if it waits. What was recorded stands whether or not this succeeds: the workflow reads
    /// the record again on every timer, so a lost wake-up delays and loses nothing.
    /// </summary>
    public static async Task TryWakeAsync(this IIncidentEngine engine, Incident incident, ILogger logger)
    {
        // An incident that has ended waits only in its settle window.
        if (incident.WakeEvent is not { } wakeEvent)
        {
            return;
        }

        try
        {
            // Whoever caused the change may hang up now; it is on record.
            await engine.WakeAsync(incident.Id, wakeEvent, CancellationToken.None);
        }
        // Engines fail in ways of their own, and none of them may turn a recorded decision into an error.
        catch (Exception failure)
        {
            Log.WakeFailed(logger, incident.Id, failure);
        }
    }
}

/// <summary>What an incident's orchestration starts with. Kept in its history, so small and free of secrets.</summary>
/// <param name="Checkpoint">Where a new execution goes on that continues an older one; null for a new incident.</param>
public sealed record IncidentInput(string IncidentId, RunbookOutline Runbook, Checkpoint? Checkpoint = null)
{
    public static IncidentInput Of(string incidentId, Runbook runbook) => new(incidentId, RunbookOutline.Of(runbook));
}

/// <summary>How an incident's orchestration ended.</summary>
public sealed record IncidentOutcome(IncidentState State);

/// <summary>
/// What has passed when an execution is continued by a new one with an empty history. Long waits do that every
/// <c>IncidentStory.RoundsPerExecution</c> rounds: a lease of a week must not replay thousands of events at every wake-up.
/// </summary>
/// <param name="Stage">The part of the story that was under way.</param>
/// <param name="Waits">How many waits have had a name so far.</param>
/// <param name="GateId">The gate that covers the steps, or that is open.</param>
/// <param name="Round">How often the phase has asked, the open gate included.</param>
/// <param name="Began">When the stage began.</param>
/// <param name="HealthySince">Since when the checks of a lease have passed without a break, those of the diagnosis have called for nothing, or the last round of a verification counted.</param>
/// <param name="Pause">The pause after the last round of a lease.</param>
/// <param name="Paged">Whether somebody was told that the lease has outlived its time.</param>
/// <param name="Passes">How many rounds of a verification in a row have passed.</param>
/// <param name="PagedBroken">Whether somebody was told that the held fix no longer helps.</param>
/// <param name="Measured">Until when the values of the last round of a verification that counted were measured, by the check's name.</param>
public sealed record Checkpoint(
    Stage Stage,
    int Waits,
    string GateId,
    bool Acted,
    bool Verified,
    int Round,
    DateTimeOffset Began,
    DateTimeOffset? HealthySince = null,
    TimeSpan Pause = default,
    bool Paged = false,
    int Passes = 0,
    bool PagedBroken = false,
    IReadOnlyDictionary<string, DateTimeOffset>? Measured = null);

/// <summary>The parts of the story in which an incident may wait long, in their order. Histories may hold the numbers.</summary>
public enum Stage { Diagnosis = -1, Mitigation = 0, Verification, Holding, Resolution, Settling }

/// <summary>
/// What the orchestration has to know of a runbook: names, order and times. The runbook itself is pinned in the store, and
/// the activities read it there; only this is carried in history.
/// </summary>
/// <param name="Hash">The version that the incident is pinned to.</param>
/// <param name="MayWaitForOther">Whether the runbook names one that covers it.</param>
/// <param name="HealthyFor">See <see cref="Limits.HealthyFor"/>; nothing in histories that are older than this.</param>
/// <param name="LooksAfterSettling">Whether it is looked once more when the settle window has ended; false in histories that are older than this.</param>
public sealed record RunbookOutline(
    string Hash,
    IReadOnlyList<CheckOutline> Diagnosis,
    Condition When,
    IReadOnlyList<StepOutline> Mitigation,
    Verify? Verify,
    Hold? HoldUntil,
    IReadOnlyList<StepOutline> Resolution,
    bool ResolutionAsks,
    TimeSpan SettleFor,
    bool MayWaitForOther = false,
    TimeSpan HealthyFor = default,
    bool LooksAfterSettling = false)
{
    public static RunbookOutline Of(Runbook runbook) => new(
        runbook.Hash,
        [.. runbook.Diagnosis.Select(check => new CheckOutline(check.Name, check.Ask))],
        runbook.Mitigation.When,
        Steps(runbook.Mitigation.Steps),
        runbook.Mitigation.Verify,
        runbook.Mitigation.HoldUntil,
        Steps(runbook.Resolution.Steps),
        runbook.Resolution.Approval is not null,
        runbook.Limits.SettleFor,
        runbook.SuppressedBy is not null,
        runbook.Limits.HealthyFor,
        LooksAfterSettling: true);

    public IReadOnlyList<StepOutline> StepsOf(Phase phase) => phase == Phase.Mitigation ? Mitigation : Resolution;

    private static StepOutline[] Steps(IEnumerable<StepSpec> steps) => [.. steps.Select(step => new StepOutline(step.Name, step.Retry))];
}

public sealed record CheckOutline(string Name, string Ask);

public sealed record StepOutline(string Name, StepRetry Retry);

/// <summary>The short word that the engine shows about an instance.</summary>
public sealed record IncidentStatus(IncidentState State, string? Detail = null);

/// <summary>Counts what is under way, so that somebody can wait until nothing is.</summary>
public sealed class BusyCount
{
    private readonly Lock _gate = new();
    private int _count;
    private TaskCompletionSource? _zero;

    public void Enter()
    {
        lock (_gate)
        {
            _count++;
        }
    }

    public void Exit()
    {
        TaskCompletionSource? zero = null;
        lock (_gate)
        {
            if (--_count == 0)
            {
                (zero, _zero) = (_zero, null);
            }
        }

        zero?.SetResult();
    }

    public Task WhenZeroAsync()
    {
        lock (_gate)
        {
            return _count == 0
                ? Task.CompletedTask
                : (_zero ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
