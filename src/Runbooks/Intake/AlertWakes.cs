using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Model.Incidents;

namespace Runbooks.Intake;

/// <summary>
/// Wakes the workflow of an incident about an alert. However many come, each wait is woken once in a while only: whoever is
/// woken reads the record, and what has not been read yet needs no second call.
/// </summary>
public sealed class AlertWakes(IIncidentEngine engine, TimeProvider time, ILogger<AlertWakes> logger)
{
    /// <summary>A call may get lost; so much later another one is made.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(10);

    private const int MaxKnown = 10_000;

    private readonly ConcurrentDictionary<string, (string? WakeEvent, DateTimeOffset At)> _woken = new(StringComparer.Ordinal);

    public async Task WakeAsync(Incident incident)
    {
        var now = time.GetUtcNow();
        if (_woken.TryGetValue(incident.Id, out var last) && last.WakeEvent == incident.WakeEvent && now - last.At < Again)
        {
            return;
        }

        if (_woken.Count >= MaxKnown)
        {
            _woken.Clear();
        }

        _woken[incident.Id] = (incident.WakeEvent, now);
        await engine.TryWakeAsync(incident, logger);
    }
}
