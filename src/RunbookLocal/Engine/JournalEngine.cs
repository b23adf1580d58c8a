using Microsoft.Data.Sqlite;
using Runbooks.Sqlite;
using Runbooks.Engine;
using Runbooks.Engine.Replay;
using Runbooks.Storage;

namespace RunbookLocal.Engine;

/// <summary>
/// Runs workflows durably on one machine. What happens is journalled before the workflow sees it; after a crash, or
/// after a long wait, the code runs again and takes its answers from the journal.
/// </summary>
public sealed class JournalEngine : IHostedService, IDisposable
{
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromHours(1);

    private readonly SqliteDatabase _database;
    private readonly EngineParts _parts;
    private readonly TimeSpan? _keepFinished;
    private ITimer? _purge;
    private volatile string? _closed = "The engine has not started yet.";

    public JournalEngine(
        SqliteDatabase database, WorkflowTable workflows, ActivityTable activities, JournalOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (_database, _keepFinished) = (database, options.KeepFinished);
        var reader = new JournalReader(database);
        var logger = loggers.CreateLogger("RunbookLocal.Engine");
        _parts = new EngineParts(
            new JournalStore(database),
            reader,
            workflows,
            new ActivityRunner(activities, options.MaxConcurrentActivities, logger),
            new TimerQueue(reader.TimersAfter, Fire, time, logger),
            new InstanceTable(options.PassivateAfter, options.MaxWaitingInMemory, time),
            new BusyCount(),
            time,
            options.RetryAppendAfter,
            loggers);
    }

    /// <summary>How many instances are in memory: those at work, and those that have not waited long.</summary>
    public int InstancesInMemory => _parts.Instances.Count;

    /// <summary>When the next timer is due; null when none is near.</summary>
    internal DateTimeOffset? NextTimer => _parts.Timers.NextDue is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>Opens the journal and goes on with what was at work. What only waits stays on disk until it wakes.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _parts.Store.BringTablesAsync();
        _closed = null;
        var unparked = _parts.Reader.Unparked();
        if (unparked.Count > 0)
        {
            _parts.Logger.InstancesResumed(unparked.Count);
        }

        foreach (var id in unparked)
        {
            Post(id, Message.Look);
        }

        _parts.Timers.Start();
        _purge = _parts.Time.CreateTimer(_ => _ = PurgeOldAsync(), null, PurgeEvery, PurgeEvery);
    }

    /// <summary>Takes no more work, tells running activities to stop, and waits for what is being journalled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _closed = "The engine is stopping.";
        _parts.Activities.Stop();
        await _parts.Busy.WhenZeroAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Starts an instance; returns once that is durable. An id that exists is left alone.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written, or the engine is not running.</exception>
    public async Task StartAsync<TIn>(string workflow, string id, TIn input)
    {
        EnsureOpen();
        if (!_parts.Workflows.TryFind(workflow, out _))
        {
            throw new ArgumentException($"No workflow is called '{workflow}'.", nameof(workflow));
        }

        var started = new HistoryEvent(HistoryKind.ExecutionStarted, _parts.Time.GetUtcNow(), Name: workflow, Data: DurableJson.Write(input));
        if (await _parts.Store.CreateAsync(id, started) is { } key)
        {
            _parts.Instances.Post(id, Message.Look, _ => new Instance(id, key, started, _parts));
        }
    }

    /// <summary>Raises an event; returns once that is durable. Unknown and finished instances are no error.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written, or the engine is not running.</exception>
    public Task RaiseEventAsync(string id, string name)
    {
        EnsureOpen();
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(id, new Message(new HistoryEvent(HistoryKind.EventRaised, default, Name: name), taken));
        return taken.Task;
    }

    public JournalInstance? Find(string id) => _parts.Reader.Find(id);

    /// <summary>Newest first; pass the key of the last one to get the next page.</summary>
    public IReadOnlyList<JournalInstance> List(EngineStatus? status = null, int limit = 100, long? beforeKey = null) =>
        _parts.Reader.List(status, limit, beforeKey);

    /// <summary>The journal of an instance; null when there is none.</summary>
    public IReadOnlyList<HistoryEvent>? ReadHistory(string id) => Find(id) is { } found ? _parts.Reader.History(found.Key) : null;

    /// <summary>Removes the journals of instances that finished before a time.</summary>
    /// <returns>How many.</returns>
    public async Task<int> PurgeAsync(DateTimeOffset finishedBefore)
    {
        var total = 0;
        int some;
        do
        {
            some = await _parts.Store.PurgeSomeAsync(finishedBefore);
            total += some;
        }
        while (some > 0);
        return total;
    }

    /// <summary>Null when the engine accepts work, otherwise what is wrong, in words.</summary>
    public async Task<string?> CheckHealthAsync() => _closed ?? await _database.Writer.CheckHealthAsync();

    public void Dispose()
    {
        _closed ??= "The engine is closed.";
        _purge?.Dispose();
        _parts.Timers.Dispose();
        _parts.Instances.Dispose();
        _parts.Activities.Dispose();
    }

    /// <summary>Answered when nothing is being run or journalled: everything left waits for time or for somebody.</summary>
    internal Task WhenIdleAsync() => Busy.WhenZeroAsync();

    internal BusyCount Busy => _parts.Busy;

    internal async Task<JournalInstance> WaitForEndAsync(string id)
    {
        var ended = _parts.Instances.WatchAsync(id);
        while (Find(id) is not { Status: not EngineStatus.Running })
        {
            await ended;
            ended = _parts.Instances.WatchAsync(id);
        }

        return Find(id)!;
    }

    private void Fire(PendingTimer timer)
    {
        if (_closed is null && (_parts.Instances.Holds(timer.Instance) || IsPending(timer)))
        {
            Post(timer.Instance, new Message(new HistoryEvent(HistoryKind.TimerFired, default, timer.Task)));
        }
    }

    // A timer that was closed in the meantime must not wake an instance that sleeps on disk; one that may be open must.
    private bool IsPending(PendingTimer timer)
    {
        try
        {
            return _parts.Reader.IsPending(timer);
        }
        catch (SqliteException e)
        {
            _parts.Logger.TimersUnreadable(e);
            return true;
        }
    }

    private void Post(string id, Message message) => _parts.Instances.Post(id, message, _ => new Instance(id, _parts));

    private async Task PurgeOldAsync()
    {
        try
        {
            if (_keepFinished is { } keep && await PurgeAsync(_parts.Time.GetUtcNow() - keep) is > 0 and var count)
            {
                _parts.Logger.InstancesPurged(count);
            }
        }
        catch (StoreUnavailableException e)
        {
            _parts.Logger.PurgeFailed(e);
        }
    }

    private void EnsureOpen()
    {
        if (_closed is { } why)
        {
            throw new StoreUnavailableException(why);
        }
    }
}
