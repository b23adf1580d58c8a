using System.Threading.Channels;
using Runbooks.Engine;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Which instances have news, and which are in a turn. An instance has at most one turn at a time, and no news is lost meanwhile. The news
/// is in the database, except the answers of activities, which wait here. An instance that only waits has no entry.
/// </summary>
internal sealed class InstanceQueue(BusyCount busy)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly Channel<long> _ready = Channel.CreateUnbounded<long>();
    private bool _closed;

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

        // Set back after a failure until Resume. Counts as idle, since only time helps.
        Paused,
    }

    /// <summary>The database has news for this instance.</summary>
    public void Signal(long key) => TryAdd(key, null);

    /// <summary>There is an answer for this instance that is not in the database.</summary>
    /// <returns>False when the queue is closed; then the caller has to keep the answer.</returns>
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
    /// Takes the answers of a locked instance. The caller reads the database after this: news from now on makes the instance ready again.
    /// </summary>
    public List<TaskMessage> TakeNews(long key) => TakeNews(key, out _);

    /// <param name="stored">The database has news since the last call. A session reads it again only then.</param>
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

    /// <summary>A locked instance has got news since the last <see cref="TakeNews"/>.</summary>
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

            // Not counted as busy: the activity that it waits for counts itself.
            entry.Waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            busy.Exit();
            return entry.Waiting.Task;
        }
    }

    /// <summary>Gives back answers that could not be used. They come first the next time.</summary>
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

    /// <summary>The turn failed. The instance is not taken again before <see cref="Resume"/>, whatever news comes.</summary>
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

    /// <summary>Nothing is taken any more, and waiting for news ends.</summary>
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

    /// <summary>The answers that no turn has seen; after <see cref="Close"/>, when no turn runs any more.</summary>
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

        public bool Stored { get; set; }

        public List<TaskMessage> Answers { get; set; } = [];

        public TaskCompletionSource? Waiting { get; set; }
    }
}
