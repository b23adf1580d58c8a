using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;

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
#pragma warning disable CA1031 // Engines fail in ways of their own, and none of them may turn a recorded decision into an error.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.WakeFailed(logger, incident.Id, failure);
        }
    }
}
