using System.Collections.Concurrent;

namespace RunbookLocal.Engine;

/// <summary>The instances in memory. Those that only wait leave after a while, or when too many wait.</summary>
internal sealed class InstanceTable : IDisposable
{
    private readonly ConcurrentDictionary<string, Instance> _instances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _watched = new(StringComparer.Ordinal);
    private readonly Queue<(Instance Instance, int Pause, long Since)> _waiting = [];
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _clock;
    private readonly TimeSpan _after;
    private readonly int _limit;

    public InstanceTable(TimeSpan passivateAfter, int maxWaiting, TimeProvider time)
    {
        (_after, _limit, _time) = (passivateAfter, maxWaiting, time);
        _clock = time.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count => _instances.Count;

    /// <summary>Hands a message to the instance, which is loaded from the journal when it is not in memory.</summary>
    public void Post(string id, Message message, Func<string, Instance> create)
    {
        while (!_instances.GetOrAdd(id, create).TryPost(message))
        {
            // It was just leaving; the next look makes a new one.
        }
    }

    public bool Holds(string id) => _instances.ContainsKey(id);

    public void Remove(Instance instance) => _instances.TryRemove(new KeyValuePair<string, Instance>(instance.Id, instance));

    /// <summary>Answered when the instance ends.</summary>
    public Task WatchAsync(string id) =>
        _watched.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ended(string id)
    {
        if (_watched.TryRemove(id, out var watch))
        {
            watch.SetResult();
        }
    }

    /// <summary>The instance waits for nothing but timers and events, for the <paramref name="pause"/>-th time.</summary>
    public void Waits(Instance instance, int pause)
    {
        lock (_gate)
        {
            _waiting.Enqueue((instance, pause, _time.GetTimestamp()));
            if (_waiting.Count == 1)
            {
                _clock.Change(_after, Timeout.InfiniteTimeSpan);
            }
        }

        if (_waiting.Count > _limit)
        {
            Sweep();
        }
    }

    public void Dispose() => _clock.Dispose();

    private void Sweep()
    {
        List<(Instance Instance, int Pause, long Since)> leaving = [];
        lock (_gate)
        {
            while (_waiting.TryPeek(out var first))
            {
                var left = _after - _time.GetElapsedTime(first.Since);
                if (left > TimeSpan.Zero && _waiting.Count <= _limit)
                {
                    _clock.Change(left, Timeout.InfiniteTimeSpan);
                    break;
                }

                leaving.Add(_waiting.Dequeue());
            }
        }

        foreach (var (instance, pause, _) in leaving)
        {
            if (instance.TryLeave(pause))
            {
                Remove(instance);
            }
        }
    }
}
