using System.Text.Json.Serialization;

namespace Runbooks.Engine;

public interface IIncidentEngine
{
    /// <summary>
    /// Returns once the start is durable. Does nothing for an id that exists, whatever its state: the store keeps ids unique, not the
    /// engine.
    /// </summary>
    Task StartAsync(IncidentInput input, CancellationToken cancellationToken);

    /// <summary>
    /// The event carries no data and decides nothing: the workflow reads the store. An unknown or finished instance is not an error.
    /// </summary>
    Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken);

    /// <returns>Null for an unknown id.</returns>
    Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken);

    /// <summary>Forgets a finished instance. A running or unknown one is left alone.</summary>
    Task ForgetAsync(string incidentId, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether several processes take work from it: one may then begin an activity that another is still running.</summary>
    bool IsShared => true;

    /// <summary>Null when the engine accepts work, otherwise what is wrong.</summary>
    Task<string?> CheckHealthAsync(CancellationToken cancellationToken);
}

/// <param name="Failure">Null unless <paramref name="Status"/> is <see cref="EngineStatus.Failed"/>.</param>
public sealed record EngineInstance(string Id, EngineStatus Status, DateTimeOffset UpdatedAt, string? Failure = null);

public enum EngineStatus { Pending, Running, Completed, Failed, Terminated }

public static class EngineWaking
{
    /// <summary>
    /// The record counts whether or not this succeeds: the workflow reads it again on every timer, so a lost wake-up only causes a delay.
    /// </summary>
    public static async Task TryWakeAsync(this IIncidentEngine engine, Incident incident, ILogger logger)
    {
        // An incident that has ended has a wake event only in its settle window.
        if (incident.WakeEvent is not { } wakeEvent)
        {
            return;
        }

        try
        {
            // Not the caller's token: the change is on record.
            await engine.WakeAsync(incident.Id, wakeEvent, CancellationToken.None);
        }
        // An engine may fail in any way, and that may not turn a recorded decision into an error.
        catch (Exception failure)
        {
            Log.WakeFailed(logger, incident.Id, failure);
        }
    }
}

/// <summary>Kept in history, so small and free of secrets.</summary>
/// <param name="Checkpoint">Where a new execution goes on from an older one; null for a new incident.</param>
public sealed record IncidentInput(string IncidentId, RunbookOutline Runbook, Checkpoint? Checkpoint = null)
{
    public static IncidentInput Of(string incidentId, Runbook runbook) => new(incidentId, RunbookOutline.Of(runbook));
}

public sealed record IncidentOutcome(IncidentState State);

/// <summary>
/// What has happened so far when a new execution, with an empty history, continues an older one. Long waits do that every
/// <c>IncidentStory.RoundsPerExecution</c> rounds: a lease of a week must not replay thousands of events at every wake-up.
/// </summary>
/// <param name="Waits">How many waits have had a name so far.</param>
/// <param name="HealthySince">
/// Since when the checks of a lease have passed, or those of the diagnosis called for nothing; or when the last round of a verification
/// counted.
/// </param>
/// <param name="Paged">Somebody was told that the lease has lasted too long.</param>
/// <param name="Passes">Passed rounds of a verification in a row.</param>
/// <param name="PagedBroken">Somebody was told that the held fix no longer helps.</param>
/// <param name="Measured">Until when each value of the last counted round was measured, by the check's name.</param>
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

/// <summary>The parts of the story in which an incident may wait long, in their order. Histories may contain the numbers.</summary>
public enum Stage { Diagnosis = -1, Mitigation = 0, Verification, Holding, Resolution, Settling }

/// <summary>
/// What the orchestration needs of a runbook, and all of it that is in the history. The activities read the runbook itself from the store.
/// </summary>
/// <param name="HealthyFor">See <see cref="Limits.HealthyFor"/>; 0 in older histories.</param>
/// <param name="LooksAfterSettling">Whether the checks are asked again at the end of the settle window; false in older histories.</param>
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

    private static StepOutline[] Steps(IEnumerable<StepSpec> steps) =>
        [.. steps.Select(step => new StepOutline(step.Name, step.Retry))];
}

public sealed record CheckOutline(string Name, string Ask);

public sealed record StepOutline(string Name, StepRetry Retry);

public sealed record IncidentStatus(IncidentState State, string? Detail = null);

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

/// <summary>
/// Histories, stored records and plan hashes are written like this: camelCase, enums as words, everything escaped that HTML could
/// misread. A change here changes what old histories mean.
/// </summary>
public static class DurableJson
{
    public static JsonSerializerOptions Options { get; } = Create();

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static string Write(object? value, Type type) => JsonSerializer.Serialize(value, type, Options);

    public static T? Read<T>(string json) => JsonSerializer.Deserialize<T>(json, Options);

    public static object? Read(string json, Type type) => JsonSerializer.Deserialize(json, type, Options);

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            // A measurement may be NaN, and a record that cannot be written would stop the incident.
            NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
