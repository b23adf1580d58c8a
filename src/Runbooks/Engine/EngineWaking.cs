using Microsoft.Extensions.Logging;
using Runbooks.Model.Incidents;

namespace Runbooks.Engine;

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
