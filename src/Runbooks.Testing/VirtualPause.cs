using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Sqlite.DurableTask;

namespace Runbooks.Testing;

/// <summary>
/// Lets something scripted take virtual time. While it pauses it does not count as under way: the world is at rest, and
/// whoever lets time pass moves on to the end of the pause.
/// </summary>
internal sealed class VirtualPause(FakeTimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly List<DateTimeOffset> _due = [];

    /// <summary>When the next pause is over; null when nothing pauses.</summary>
    public DateTimeOffset? Next
    {
        get
        {
            lock (_gate)
            {
                return _due.Count == 0 ? null : _due.Min();
            }
        }
    }

    public async Task TakeAsync(TimeSpan time, BusyCount busy, CancellationToken cancellationToken)
    {
        var due = clock.GetUtcNow() + time;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var woken = 0;
        lock (_gate)
        {
            _due.Add(due);
        }

        await using var timer = clock.CreateTimer(_ => Wake(), null, time, Timeout.InfiniteTimeSpan);
        await using var cancelled = cancellationToken.Register(Wake);
        busy.Exit();
        await over.Task;
        cancellationToken.ThrowIfCancellationRequested();

        // At work again before the clock goes on: nobody takes the world for idle in between.
        void Wake()
        {
            if (Interlocked.Exchange(ref woken, 1) == 0)
            {
                lock (_gate)
                {
                    _due.Remove(due);
                }

                busy.Enter();
                over.SetResult();
            }
        }
    }
}
