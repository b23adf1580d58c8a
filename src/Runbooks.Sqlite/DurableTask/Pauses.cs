namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// What is to be tried again later. In virtual time it happens before time goes on, which a delay that is awaited would not
/// promise.
/// </summary>
internal sealed class Pauses(TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<object, (ITimer Timer, long Due)> _waiting = [];
    private bool _disposed;

    /// <summary>When the first one ends, in ticks; null when there is none.</summary>
    public long? Next
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count > 0 ? _waiting.Values.Min(pause => pause.Due) : null;
            }
        }
    }

    public void Add(TimeSpan pause, Action then)
    {
        var token = new object();
        lock (_gate)
        {
            if (!_disposed)
            {
                var timer = time.CreateTimer(_ => End(token, then), null, pause, Timeout.InfiniteTimeSpan);
                _waiting.Add(token, (timer, time.GetUtcNow().UtcTicks + pause.Ticks));
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var (timer, _) in _waiting.Values)
            {
                timer.Dispose();
            }

            _waiting.Clear();
        }
    }

    private void End(object token, Action then)
    {
        lock (_gate)
        {
            if (!_waiting.Remove(token, out var pause))
            {
                return;
            }

            pause.Timer.Dispose();
        }

        then();
    }
}
