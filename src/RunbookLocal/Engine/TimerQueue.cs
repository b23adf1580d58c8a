using Microsoft.Data.Sqlite;

namespace RunbookLocal.Engine;

/// <summary>
/// Fires the journal's timers. Only those due soonest are in memory, up to a horizon; the rest stay on disk until the
/// horizon moves. One clock timer is set for the next one due: nothing polls.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    private const int Window = 1_000;

    // A clock timer cannot be set further ahead than about 49 days.
    private static readonly TimeSpan Farthest = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<PendingTimer, long> _near = new();
    private readonly Func<long, int, List<PendingTimer>> _load;
    private readonly Action<PendingTimer> _fire;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _clock;
    private long _horizon = -1;
    private bool _started;

    public TimerQueue(Func<long, int, List<PendingTimer>> load, Action<PendingTimer> fire, TimeProvider time, ILogger logger)
    {
        (_load, _fire, _time, _logger) = (load, fire, time, logger);
        _clock = time.CreateTimer(_ => FireDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Start()
    {
        _started = true;
        FireDue();
    }

    /// <summary>When the next one is due, in ticks; null when none is pending.</summary>
    public long? NextDue
    {
        get
        {
            lock (_gate)
            {
                return _near.TryPeek(out _, out var due) ? due : null;
            }
        }
    }

    /// <summary>A timer that is on disk now.</summary>
    public void Add(PendingTimer timer)
    {
        lock (_gate)
        {
            if (timer.Due <= _horizon)
            {
                _near.Enqueue(timer, timer.Due);
                if (_near.Peek() == timer)
                {
                    SetClock();
                }
            }
        }
    }

    public void Dispose() => _clock.Dispose();

    private void FireDue()
    {
        if (!_started)
        {
            return;
        }

        List<PendingTimer> due = [];
        try
        {
            lock (_gate)
            {
                var now = _time.GetUtcNow().UtcTicks;
                while (TryPeek(out var next) && next.Due <= now)
                {
                    due.Add(_near.Dequeue());
                }

                SetClock();
            }
        }
        catch (SqliteException e)
        {
            _logger.TimersUnreadable(e);
            _clock.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        }

        due.ForEach(_fire);
    }

    private bool TryPeek(out PendingTimer next)
    {
        if (_near.Count == 0 && _horizon < long.MaxValue)
        {
            var loaded = _load(_horizon, Window);
            _horizon = loaded.Count < Window ? long.MaxValue : loaded[^1].Due;
            _near.EnqueueRange(loaded.Select(timer => (timer, timer.Due)));
        }

        return _near.TryPeek(out next, out _);
    }

    private void SetClock()
    {
        if (TryPeek(out var next))
        {
            // Rounded up: a clock timer counts whole milliseconds, and one that fires early fires for nothing.
            var wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, TimeSpan.FromTicks(next.Due - _time.GetUtcNow().UtcTicks).TotalMilliseconds)));
            _clock.Change(wait < Farthest ? wait : Farthest, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _clock.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
