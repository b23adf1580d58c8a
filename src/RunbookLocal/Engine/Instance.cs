using Runbooks.Engine.Replay;
using Runbooks.Storage;

namespace RunbookLocal.Engine;

/// <summary>
/// One instance in memory: takes messages one batch at a time, journals them, then lets the workflow see them.
/// The only writer of its journal.
/// </summary>
internal sealed class Instance(string id, EngineParts parts)
{
    private readonly Lock _gate = new();
    private List<Message> _inbox = [];
    private InstanceRun? _run;
    private (long Key, HistoryEvent Started)? _fresh;
    private bool _looping;
    private bool _gone;
    private int _pause;

    /// <summary>An instance that was just created: its journal is known without reading it.</summary>
    public Instance(string id, long key, HistoryEvent started, EngineParts parts)
        : this(id, parts) => _fresh = (key, started);

    public string Id => id;

    /// <returns>False when this object has left memory: make a new one.</returns>
    public bool TryPost(Message message)
    {
        lock (_gate)
        {
            if (_gone)
            {
                return false;
            }

            _inbox.Add(message);
            if (!_looping)
            {
                _looping = true;
                parts.Busy.Enter();
                ThreadPool.UnsafeQueueUserWorkItem(self => _ = self.LoopAsync(), this, preferLocal: false);
            }

            return true;
        }
    }

    /// <summary>Leaves memory when nothing happened since the given pause began.</summary>
    public bool TryLeave(int pause)
    {
        lock (_gate)
        {
            return _gone = _gone || (!_looping && pause == _pause);
        }
    }

    private async Task LoopAsync()
    {
        while (TryTake(out var batch))
        {
            try
            {
                await HandleAsync(batch);
            }
#pragma warning disable CA1031 // The edge: an instance that cannot go on must say so and try again, not vanish.
            catch (Exception e)
#pragma warning restore CA1031
            {
                TryAgainLater(batch, e);
                break;
            }
        }

        parts.Busy.Exit();
    }

    private bool TryTake(out List<Message> batch)
    {
        int? pause;
        lock (_gate)
        {
            (batch, _inbox) = (_inbox, []);
            if (batch.Count > 0)
            {
                _pause++;
                return true;
            }

            _looping = false;
            pause = _gone || _run is not { IsWaiting: true } ? null : _pause;
        }

        if (pause is { } began)
        {
            parts.Instances.Waits(this, began);
        }

        return false;
    }

    private async Task HandleAsync(List<Message> batch)
    {
        _run ??= Load();
        if (_run is not null)
        {
            await _run.TakeAsync(batch);
        }

        if (_run is null || _run.IsOver)
        {
            Leave();
        }

        foreach (var message in batch)
        {
            message.Taken?.TrySetResult();
        }
    }

    private InstanceRun? Load()
    {
        if (_fresh is not { } fresh)
        {
            return InstanceRun.Load(id, parts, this);
        }

        _fresh = null;
        return InstanceRun.Begin(id, fresh.Key, fresh.Started, parts, this);
    }

    private void Leave()
    {
        List<Message> late;
        lock (_gate)
        {
            _gone = true;
            (late, _inbox) = (_inbox, []);
        }

        parts.Instances.Remove(this);
        parts.Instances.Ended(id);

        // Nobody is there to receive these, and that is no error.
        late.ForEach(message => message.Taken?.TrySetResult());
    }

    // Callers learn that their event was not taken. What the engine itself brought is kept and brought again.
    private void TryAgainLater(List<Message> batch, Exception cause)
    {
        parts.Logger.AppendFailed(cause, id);
        foreach (var message in batch)
        {
            message.Taken?.TrySetException(new StoreUnavailableException($"Instance {id} could not be woken: {cause.Message}", cause));
        }

        lock (_gate)
        {
            _looping = false;
            if (cause is not StoreUnavailableException)
            {
                // Memory and journal may differ now; the journal is right.
                _run = null;
            }

            _inbox.InsertRange(0, batch.Where(message => message.Taken is null));
        }

        if (parts.Activities.IsStopping)
        {
            return;
        }

        var timer = default(ITimer);
        timer = parts.Time.CreateTimer(_ =>
        {
            timer?.Dispose();
            TryPost(Message.Look);
        }, null, parts.RetryAppendAfter, Timeout.InfiniteTimeSpan);
    }
}
