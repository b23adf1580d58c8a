using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Runbooks.Storage;

/// <summary>
/// Tells waiting readers in this process that an incident was written. A hint that saves polling, never the truth: a
/// change made by another process is not heard, so whoever waits also looks now and then.
/// </summary>
public sealed class IncidentChanges
{
    private readonly ConcurrentDictionary<string, ImmutableList<IncidentWatch>> _watches = new(StringComparer.Ordinal);

    /// <summary>Open the watch before reading, so that no change between reading and waiting is missed.</summary>
    public IncidentWatch Watch(string incidentId)
    {
        var watch = new IncidentWatch(this, incidentId);
        _watches.AddOrUpdate(incidentId, [watch], (_, others) => others.Add(watch));
        return watch;
    }

    public void Publish(string incidentId)
    {
        if (_watches.TryGetValue(incidentId, out var watches))
        {
            watches.ForEach(watch => watch.Signal());
        }
    }

    internal void Remove(IncidentWatch watch)
    {
        var left = _watches.AddOrUpdate(watch.IncidentId, [], (_, all) => all.Remove(watch));
        if (left.IsEmpty)
        {
            // Only the empty list is taken away; one that has grown since is not equal to it and stays.
            _watches.TryRemove(KeyValuePair.Create(watch.IncidentId, left));
        }
    }
}

/// <summary>One reader's wait for changes of one incident.</summary>
public sealed class IncidentWatch : IDisposable
{
    private readonly IncidentChanges _changes;
    private TaskCompletionSource _changed = New();

    internal IncidentWatch(IncidentChanges changes, string incidentId) => (_changes, IncidentId) = (changes, incidentId);

    internal string IncidentId { get; }

    /// <summary>Returns at the next change, or when the time is up; at once when there was a change since the last call.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Volatile.Read(ref _changed).Task.WaitAsync(atMost, time, cancellationToken);
            Volatile.Write(ref _changed, New());
        }
        catch (TimeoutException)
        {
            // Time to look without having been told.
        }
    }

    public void Dispose() => _changes.Remove(this);

    internal void Signal() => Volatile.Read(ref _changed).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
