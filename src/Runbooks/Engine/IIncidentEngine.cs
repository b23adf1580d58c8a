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
