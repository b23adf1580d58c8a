using System.Collections.Concurrent;
using Runbooks.Model.Storage;

namespace Runbooks.Watchdog;

/// <summary>Incidents that were well when last looked at. Only saves reads: a new process looks at everything once.</summary>
internal sealed class Calm
{
    private readonly ConcurrentDictionary<string, (DateTimeOffset UpdatedAt, DateTimeOffset LookedAt)> _known = new(StringComparer.Ordinal);

    public bool Holds(IncidentSummary incident, TimeSpan length, DateTimeOffset now) =>
        _known.TryGetValue(incident.Id, out var known) && known.UpdatedAt == incident.UpdatedAt && now - known.LookedAt < length;

    public void Note(IncidentSummary incident, DateTimeOffset now) => _known[incident.Id] = (incident.UpdatedAt, now);

    public void Forget(DateTimeOffset before)
    {
        foreach (var old in _known.Where(known => known.Value.LookedAt < before))
        {
            _known.TryRemove(old);
        }
    }
}
