using Microsoft.Extensions.Logging;
using Runbooks.Incidents;

namespace Runbooks.Engine;

/// <summary>
/// All that the workflow may ask of whatever runs it durably. Every answer is recorded before the workflow sees it,
/// so that after a crash the same code runs again and receives the same answers.
/// </summary>
public interface IWorkflowContext
{
    /// <summary>The id of this instance: the incident's own id.</summary>
    string InstanceId { get; }

    /// <summary>The time of the last recorded event; the same on every replay.</summary>
    DateTimeOffset UtcNow { get; }

    /// <summary>Writes nothing while replaying.</summary>
    ILogger Logger { get; }

    /// <summary>Runs an activity; retries thrown exceptions as <paramref name="retry"/> says.</summary>
    /// <exception cref="ActivityFailedException">The last permitted attempt threw.</exception>
    Task<TOut> CallActivityAsync<TIn, TOut>(Activity<TIn, TOut> activity, TIn input, RetryPolicy? retry = null);

    /// <summary>
    /// Waits for an event raised to this instance. Names are case-insensitive, an event that came early is kept, and
    /// each wait uses a fresh name: a cancelled waiter may swallow a later event of the same name on Durable Task.
    /// </summary>
    /// <returns>True when the event came, false when <paramref name="timeout"/> passed first.</returns>
    Task<bool> WaitForExternalEventAsync(string name, TimeSpan timeout);

    /// <summary>A timer that survives restarts.</summary>
    Task CreateTimerAsync(TimeSpan delay);

    /// <summary>Shows where the workflow stands to whoever looks at the engine itself. At most 8,000 characters.</summary>
    void SetCustomStatus(IncidentStatus status);
}
