using Runbooks.Model.Incidents;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// The incidents written last, to save parsing them again. A hit counts only together with the version that the
/// database holds at that moment, so an entry whose transaction was rolled back is never believed. Two generations
/// bound it: whatever was not written for a whole generation is dropped, as waiting incidents should be.
/// </summary>
internal sealed class IncidentCache(int generation = 256)
{
    private readonly Lock _lock = new();
    private Dictionary<string, (long Version, Incident Incident)> _young = new(StringComparer.Ordinal);
    private Dictionary<string, (long Version, Incident Incident)> _old = new(StringComparer.Ordinal);

    public Incident? Find(string id, long version)
    {
        lock (_lock)
        {
            return (_young.TryGetValue(id, out var entry) || _old.TryGetValue(id, out entry)) && entry.Version == version ? entry.Incident : null;
        }
    }

    public void Put(Incident incident, long version)
    {
        lock (_lock)
        {
            if (_young.Count >= generation)
            {
                (_old, _young) = (_young, new(StringComparer.Ordinal));
            }

            _young[incident.Id] = (version, incident);
        }
    }

    public void Remove(string id)
    {
        lock (_lock)
        {
            _young.Remove(id);
            _old.Remove(id);
        }
    }
}
