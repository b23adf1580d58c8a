using System.Threading.Channels;
using Runbooks.Engine;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Which instances have something to look at, and which are being looked at: at most one turn of an instance at a time, and
/// nothing that arrives meanwhile is overlooked. What an instance is to look at is in the database, except the answers of
/// activities, which wait here. An instance that merely waits has no entry.
/// </summary>
internal sealed class InstanceQueue(BusyCount busy)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly Channel<long> _ready = Channel.CreateUnbounded<long>();
    private bool _closed;

    /// <summary>Instances that are ready, locked or set back.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    private enum Phase
    {
        Ready,
        Locked,

        // Set back after a failure until Resume; counts as idle, because only time helps.
        Paused,
    }

    /// <summary>There is something in the database for this instance.</summary>
    public void Signal(long key) => TryAdd(key, null);

    /// <summary>There is an answer for this instance that is not in the database.</summary>
    /// <returns>False when the queue is closed: then the answer has to be kept elsewhere.</returns>
    public bool TryAnswer(long key, TaskMessage answer) => TryAdd(key, answer);

    /// <summary>Waits for an instance that is ready and locks it; first come, first served.</summary>
    public async ValueTask<long> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var key = await _ready.Reader.ReadAsync(cancellationToken);
            lock (_gate)
            {
                if (!_closed && _entries.TryGetValue(key, out var entry) && entry.Phase == Phase.Ready)
                {
                    entry.Phase = Phase.Locked;
                    return key;
                }
            }
        }
    }

    /// <summary>
    /// Takes the answers of a locked instance. Whoever calls this reads the database afterwards: what arrives from now on
    /// makes the instance ready again.
    /// </summary>
    public List<TaskMessage> TakeNews(long key) => TakeNews(key, out _);

    /// <param name="stored">Something has come to the database since it was last taken. Only then need it be read again in one session.</param>
    /// <inheritdoc cref="TakeNews(long)"/>
    public List<TaskMessage> TakeNews(long key, out bool stored)
    {
        lock (_gate)
        {
            var entry = _entries[key];
            stored = entry.Stored;
            (entry.Signalled, entry.Stored) = (false, false);
            var answers = entry.Answers;
            entry.Answers = [];
            return answers;
        }
    }

    /// <summary>Something has arrived for a locked instance since the last <see cref="TakeNews"/>.</summary>
    public bool HasNews(long key)
    {
        lock (_gate)
        {
            return _entries[key].Signalled;
        }
    }

    /// <summary>Waits until a locked instance has news, or until the queue is closed.</summary>
    public Task WhenNewsAsync(long key)
    {
        lock (_gate)
        {
            var entry = _entries[key];
            if (entry.Signalled || _closed)
            {
                return Task.CompletedTask;
            }

            // What it waits for, an activity, counts by itself.
            entry.Waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            busy.Exit();
            return entry.Waiting.Task;
        }
    }

    /// <summary>Gives back answers that were taken and could not be used; they come first the next time.</summary>
    public void Return(long key, IReadOnlyCollection<TaskMessage> answers)
    {
        if (answers.Count > 0)
        {
            lock (_gate)
            {
                var entry = _entries[key];
                entry.Answers.InsertRange(0, answers);
                entry.Signalled = true;
            }
        }
    }

    /// <summary>The turn is over. With news the instance is ready again, behind the others.</summary>
    public void Release(long key)
    {
        lock (_gate)
        {
            var entry = _entries[key];
            if (entry.Signalled)
            {
                Ready(key, entry);
                return;
            }

            _entries.Remove(key);
        }

        busy.Exit();
    }

    /// <summary>The turn failed. The instance is not taken again, whatever arrives, before <see cref="Resume"/>.</summary>
    public void Pause(long key)
    {
        lock (_gate)
        {
            _entries[key].Phase = Phase.Paused;
        }

        busy.Exit();
    }

    public void Resume(long key)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var entry) && entry.Phase == Phase.Paused)
            {
                busy.Enter();
                Ready(key, entry);
            }
        }
    }

    /// <summary>Nothing is taken any more and nobody waits for news.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var entry in _entries.Values)
            {
                WakeUp(entry);
            }
        }
    }

    /// <summary>After <see cref="Close"/>, when no turn runs any more: the answers that no turn has seen.</summary>
    public List<(long Key, TaskMessage Answer)> TakeLeftOver()
    {
        lock (_gate)
        {
            var left = new List<(long, TaskMessage)>();
            foreach (var (key, entry) in _entries)
            {
                left.AddRange(entry.Answers.Select(answer => (key, answer)));
                entry.Answers = [];
            }

            return left;
        }
    }

    private bool TryAdd(long key, TaskMessage? answer)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            if (!_entries.TryGetValue(key, out var entry))
            {
                entry = new Entry();
                _entries.Add(key, entry);
                busy.Enter();
                Ready(key, entry);
            }

            if (answer is not null)
            {
                entry.Answers.Add(answer);
            }

            entry.Stored |= answer is null;
            entry.Signalled = true;
            WakeUp(entry);
            return true;
        }
    }

    private void WakeUp(Entry entry)
    {
        if (entry.Waiting is { } waiting)
        {
            busy.Enter();
            entry.Waiting = null;
            waiting.SetResult();
        }
    }

    private void Ready(long key, Entry entry)
    {
        entry.Phase = Phase.Ready;
        _ready.Writer.TryWrite(key);
    }

    private sealed class Entry
    {
        public Phase Phase { get; set; }

        public bool Signalled { get; set; }

        /// <summary>Signalled because of something in the database.</summary>
        public bool Stored { get; set; }

        public List<TaskMessage> Answers { get; set; } = [];

        public TaskCompletionSource? Waiting { get; set; }
    }
}
