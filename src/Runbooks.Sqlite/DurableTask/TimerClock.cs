using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Makes instances ready when their timers are due. The timers are in the database only; this class has the next due time, and one clock
/// timer for it.
/// </summary>
internal sealed class TimerClock : IDisposable
{
    // A clock timer cannot be set further ahead than about 49 days.
    private static readonly TimeSpan s_farthest = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private readonly SqliteDatabase _database;
    private readonly Action<long> _signal;
    private readonly TimeProvider _time;
    private readonly TimeSpan _checkEvery;
    private readonly ILogger _logger;
    private readonly ITimer _clock;
    private long _signalled;
    private long _next = long.MaxValue;
    private bool _running;

    /// <param name="checkEvery">How often to look at the clock without a due timer, since it may have been set; null where it never is.</param>
    public TimerClock(SqliteDatabase database, Action<long> signal, TimeProvider time, TimeSpan? checkEvery, ILogger logger)
    {
        (_database, _signal, _time, _checkEvery, _logger) = (database, signal, time, checkEvery ?? s_farthest, logger);
        _clock = time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The time in ticks. When the clock was set back, the timers are looked at again.</summary>
    public long Now
    {
        get
        {
            lock (_gate)
            {
                var now = _time.GetUtcNow().UtcTicks;
                if (now < _signalled)
                {
                    // An instance that was signalled and is loaded only now finds its timer not due any more. It will be signalled again.
                    (_signalled, _next) = (now, long.MaxValue);
                    if (_running)
                    {
                        _clock.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                    }
                }

                return now;
            }
        }
    }

    /// <summary>When the next timer is due, in ticks; null without a timer.</summary>
    public long? Next
    {
        get
        {
            lock (_gate)
            {
                return _next < long.MaxValue ? _next : null;
            }
        }
    }

    /// <summary>The caller has signalled everything that was due until now; from here on this class does.</summary>
    public void Start(long signalledUntil)
    {
        lock (_gate)
        {
            (_running, _signalled) = (true, signalledUntil);
        }

        Fire();
    }

    /// <summary>A timer of this instance was committed.</summary>
    public void Add(long instance, long due)
    {
        lock (_gate)
        {
            if (due > _signalled)
            {
                if (due < _next)
                {
                    _next = due;
                    SetClock();
                }

                return;
            }
        }

        _signal(instance);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _running = false;
        }

        _clock.Dispose();
    }

    private void Fire()
    {
        lock (_gate)
        {
            if (!_running)
            {
                return;
            }

            try
            {
                var now = Now;
                if (_next <= now || _next == long.MaxValue)
                {
                    // Timers that are committed during the read come through Add, which waits for the gate.
                    var (due, next) = _database.Read(connection => Read(connection, _signalled, now));
                    (_signalled, _next) = (now, next);
                    due.ForEach(_signal);
                }

                SetClock();
            }
            catch (Exception e) when (e is SqliteException or ObjectDisposedException)
            {
                _logger.TimersUnreadable(e);
                _clock.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private static (List<long> Due, long Next) Read(SqliteConnection connection, long after, long now)
    {
        var due = connection.Statement(
            "SELECT DISTINCT instance FROM durable_messages WHERE "
                + "due > $after AND due <= $now AND timer = 1 ORDER BY due", ("$after", after), ("$now", now)).List(static row => row.GetInt64(0));
        var next = connection
            .Statement("SELECT due FROM durable_messages WHERE due > $now AND timer = 1 ORDER BY due LIMIT 1", ("$now", now))
            .ExecuteScalar();
        return (due, next as long? ?? long.MaxValue);
    }

    private void SetClock()
    {
        if (!_running)
        {
            return;
        }

        // Rounded up: a clock timer counts whole milliseconds, and must not fire early.
        var wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, (_next - _time.GetUtcNow().UtcTicks) / (double)TimeSpan.TicksPerMillisecond)));
        _clock.Change(wait < _checkEvery ? wait : _checkEvery, Timeout.InfiniteTimeSpan);
    }
}

/// <summary>
/// Work to be tried again later. In virtual time it happens before time goes on, which an awaited delay would not guarantee.
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
