using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Orchestration.TaskHub;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Durable Task on the host's one database. One commit a turn, shared by all turns that are ready at the same time. The turn that sees an
/// activity's answer commits it: a crash before that runs the activity again, which at-least-once allows. Instances that only wait for a
/// timer or an event are on disk only.
/// </summary>
public sealed partial class SqliteOrchestrationService : IOrchestrationService, IDisposable
{
    private static readonly TimeSpan s_purgeEvery = TimeSpan.FromHours(1);

    private readonly SqliteDatabase _database;
    private readonly SqliteTaskHubOptions _options;
    private readonly TaskHubOptions _hub;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DurableReader _reader;
    private readonly DurableWriter _writer;
    private readonly BusyCount _busy = new();
    private readonly BusyCount _turns = new();
    private readonly InstanceQueue _instances;
    private readonly TaskQueue _tasks;
    private readonly TimerClock _timers;
    private readonly EndWaiters _ends = new();
    private readonly ConcurrentDictionary<long, int> _failures = [];
    private readonly AsyncLocal<Exception?> _lastFailure = new();
    private readonly Pauses _pauses;
    private HashSet<long> _ofNewerProgram = [];
    private ITimer? _purge;
    private volatile bool _stopping;

    public SqliteOrchestrationService(
        SqliteDatabase database, SqliteTaskHubOptions options, TaskHubOptions hub, TimeProvider time, ILogger<SqliteOrchestrationService> logger)
    {
        (_database, _options, _hub, _time, _logger) = (database, options, hub, time, logger);
        (_reader, _writer) = (new DurableReader(database), new DurableWriter(database));
        (_instances, _tasks, _pauses) = (new InstanceQueue(_busy), new TaskQueue(_busy), new Pauses(time));
        _timers = new TimerClock(database, _instances.Signal, time, options.CheckClockEvery, logger);
    }

    public int TaskOrchestrationDispatcherCount => 1;

    public int TaskActivityDispatcherCount => 1;

    public int MaxConcurrentTaskOrchestrationWorkItems => _options.MaxConcurrentInstances;

    public int MaxConcurrentTaskActivityWorkItems => _options.MaxConcurrentActivities;

    /// <summary>Events that an instance has not looked at are kept when it continues as new.</summary>
    public BehaviorOnContinueAsNew EventBehaviourForContinueAsNew => BehaviorOnContinueAsNew.Carryover;

    /// <summary>When the next timer is due, or something that failed is tried again; null when nothing waits for time.</summary>
    public DateTimeOffset? NextTimer =>
        Math.Min(_timers.Next ?? long.MaxValue, _pauses.Next ?? long.MaxValue) is < long.MaxValue and var ticks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : null;

    internal int InstancesInMemory => _instances.Count;

    /// <summary>Completes when nothing runs or is being committed: everything left waits for time or for somebody.</summary>
    public Task WhenIdleAsync() => _busy.WhenZeroAsync();

    /// <summary>An activity that waits for virtual time is not counted as running.</summary>
    internal BusyCount Busy => _busy;

    public Task CreateAsync() => CreateIfNotExistsAsync();

    public Task CreateAsync(bool recreateInstanceStore) => CreateIfNotExistsAsync();

    public Task CreateIfNotExistsAsync() => Task.Run(() => SqliteSchema.Bring(_database, DurableSchema.Part, DurableSchema.Versions));

    public Task DeleteAsync() => throw new NotSupportedException("The task hub lives in the host's database; delete its file.");

    public Task DeleteAsync(bool deleteInstanceStore) => DeleteAsync();

    /// <summary>Continues what was running. Instances that only wait are not loaded.</summary>
    public async Task StartAsync()
    {
        var now = _timers.Now;
        if (await LegacyJournal.TakeOverAsync(_database, now) is > 0 and var left)
        {
            _logger.JournalTakenOver(left);
        }

        // No more of them come, since no other process writes the file.
        _ofNewerProgram = LeaveToNewerProgram();
        await _writer.CountStartAsync(now, _ofNewerProgram);
        foreach (var key in _reader.Suspects(_options.MaxStarts))
        {
            await FailAsync(key, new FailureDetails(
                "HostKilled", $"It had something to do when the host died, {_options.MaxStarts} times in a row. "
                    + "It is not tried again.", null, null, true));
        }

        var tasks = _reader.Tasks();
        tasks.RemoveAll(open => _ofNewerProgram.Contains(open.Task.Instance));
        foreach (var (task, attempts) in tasks)
        {
            if (attempts < _options.MaxStarts)
            {
                _tasks.Add(task with { IsLeftOver = true, IsSuspect = attempts >= _options.MaxStarts / 2 });
            }
            else
            {
                _instances.TryAnswer(task.Instance, Refused(task, attempts));
            }
        }

        var ready = _reader.Ready(now);
        ready.RemoveAll(_ofNewerProgram.Contains);
        ready.ForEach(_instances.Signal);
        if (tasks.Count + ready.Count > 0)
        {
            _logger.WorkResumed(tasks.Count, ready.Count);
        }

        _timers.Start(now);
        _purge = _time.CreateTimer(_ => _ = PurgeOldAsync(), null, s_purgeEvery, s_purgeEvery);
    }

    public Task StopAsync() => StopAsync(isForced: false);

    /// <summary>
    /// Takes no more work, waits for the running turns, and stores the answers that no turn has seen. It does not wait for activities, which
    /// their starter has told to stop.
    /// </summary>
    public async Task StopAsync(bool isForced)
    {
        _stopping = true;
        _timers.Dispose();
        _pauses.Dispose();
        _instances.Close();
        await _turns.WhenZeroAsync();
        foreach (var (key, answer) in _instances.TakeLeftOver())
        {
            await _writer.KeepAnswerAsync(key, answer, _timers.Now);
        }

        await _writer.ForgetStartsAsync();
    }

    public void Dispose()
    {
        _stopping = true;
        _instances.Close();
        _timers.Dispose();
        _pauses.Dispose();
        _purge?.Dispose();
    }

    public bool IsMaxMessageCountExceeded(int currentMessageCount, OrchestrationRuntimeState runtimeState) => false;

    public int GetDelayInSecondsAfterOnFetchException(Exception exception) => 0;

    // The dispatcher calls this in the same flow in which it then abandons the item. No other place says why.
    public int GetDelayInSecondsAfterOnProcessException(Exception exception)
    {
        _lastFailure.Value = exception;
        return 0;
    }

    private HashSet<long> LeaveToNewerProgram()
    {
        var others = _reader.Open().Where(instance => _hub.Version is { } mine && instance.Version != mine)
            .ToLookup(instance => _hub.IsNewer(instance.Version));
        foreach (var group in others[true].GroupBy(instance => instance.Version!))
        {
            _logger.LeftToNewerProgram(group.Count(), group.Key, _hub.Version!);
        }

        foreach (var group in others[false].GroupBy(instance => instance.Version))
        {
            _logger.CannotGoOn(group.Count(), group.Key ?? "0", _hub.Version!);
        }

        return [.. others[true].Select(instance => instance.Key)];
    }

    private static TaskMessage Refused(PendingTask task, long? attempts)
    {
        var why = attempts is null
            ? "What was scheduled cannot be read from the database any more."
            : $"It was under way when the host died, {attempts} times in a row. It is not tried again.";
        return new TaskMessage
        {
            Event = new TaskFailedEvent(-1, task.Id, why, null, new FailureDetails("HostKilled", why, null, null, true)),
            OrchestrationInstance = task.Message.OrchestrationInstance,
        };
    }

    private async Task FailAsync(long key, FailureDetails failure)
    {
        if (await _writer.FailAsync(key, failure, _timers.Now) is { } id)
        {
            _tasks.Drop(key);
            _logger.InstanceStopped(id, failure.ErrorMessage);
            _ends.Ended(id);
        }
    }

    private async Task PurgeOldAsync()
    {
        try
        {
            if (_options.KeepFinished is { } keep && await _writer.PurgeAsync("ended_at", 0, _timers.Now - keep.Ticks, []) is > 0 and var count)
            {
                _logger.InstancesPurged(count);
            }
        }
        catch (StoreUnavailableException e)
        {
            _logger.PurgeFailed(e);
        }
    }

    private static bool IsOfTheDatabase(Exception? e) => e is StoreUnavailableException or ObjectDisposedException
        || (e is SqliteException sqlite && sqlite.SqliteErrorCode != SQLitePCL.raw.SQLITE_CONSTRAINT);
}

/// <summary>The SQLite task hub's use of memory and disk, and its patience. The defaults suit one machine.</summary>
public sealed class SqliteTaskHubOptions
{
    /// <summary>
    /// An instance stays in memory while its activities run. Without this every turn replays the whole history, which is slower and shows
    /// orchestrators that are not deterministic.
    /// </summary>
    public bool ExtendedSessions { get; set; } = true;

    /// <summary>Instances in memory at the same time; half of them may have activities running. The rest queue.</summary>
    public int MaxConcurrentInstances { get; set; } = 1_000;

    /// <summary>Activities that run at the same time, over all instances; the rest queue.</summary>
    public int MaxConcurrentActivities { get; set; } = 256;

    /// <summary>The pause before something is tried again. A turn that fails for its own reasons pauses longer each time.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A turn that fails this often in a row, for another reason than the database, fails its instance.</summary>
    public int MaxTurnFailures { get; set; } = 5;

    /// <summary>
    /// An activity that was begun again this many times, or an instance that had news at this many starts, each time by a process that then
    /// died, counts as the cause and is failed. From half of them on, such activities run one at a time, so that only the one at fault is
    /// counted on.
    /// </summary>
    public int MaxStarts { get; set; } = 10;

    /// <summary>How soon a clock that was set forward is noticed; null: not before the next timer. For virtual time.</summary>
    public TimeSpan? CheckClockEvery { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long finished instances are kept; null keeps them until they are purged.</summary>
    public TimeSpan? KeepFinished { get; set; } = TimeSpan.FromDays(30);
}
