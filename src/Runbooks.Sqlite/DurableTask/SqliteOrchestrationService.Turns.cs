using Runbooks.Orchestration;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Turns: locked, committed, or set back. Activities: handed out, answered, or set back.</summary>
public sealed partial class SqliteOrchestrationService
{
    public async Task<TaskOrchestrationWorkItem> LockNextTaskOrchestrationWorkItemAsync(TimeSpan receiveTimeout, CancellationToken cancellationToken)
    {
        while (true)
        {
            var key = await _instances.TakeAsync(cancellationToken);
            _turns.Enter();
            try
            {
                if (Load(key) is { } item)
                {
                    return item;
                }

                _instances.Release(key);
            }
            // An exception from here would leave it neither tried again nor ended, since the dispatcher does not know whose it was.
            catch (Exception e)
            {
                await SetBackAsync(key, e);
            }

            _turns.Exit();
        }
    }

    // Only this process can lock it, since it holds the file.
    public Task RenewTaskOrchestrationWorkItemLockAsync(TaskOrchestrationWorkItem workItem) => Task.CompletedTask;

    public async Task CompleteTaskOrchestrationWorkItemAsync(
        TaskOrchestrationWorkItem workItem,
        OrchestrationRuntimeState newOrchestrationRuntimeState,
        IList<TaskMessage> outboundMessages,
        IList<TaskMessage> orchestratorMessages,
        IList<TaskMessage> timerMessages,
        TaskMessage continuedAsNewMessage,
        OrchestrationState orchestrationState)
    {
        var item = (TurnItem)workItem;
        TurnCommit commit;
        try
        {
            commit = new TurnCommit(
                item, newOrchestrationRuntimeState, outboundMessages, orchestratorMessages, timerMessages, orchestrationState, _timers.Now);
            await _database.Writer.EnqueueAsync(commit.Write);
        }
        catch (Exception e)
        {
            item.Failure = e;
            throw;
        }

        _failures.TryRemove(item.Key, out _);
        _tasks.Drop(item.Key, commit.DroppedTasks);
        item.Committed(commit);
        foreach (var task in commit.Tasks)
        {
            _tasks.Add(task);
        }

        foreach (var due in commit.Timers)
        {
            _timers.Add(item.Key, due);
        }

        foreach (var receiver in commit.Receivers)
        {
            _instances.Signal(receiver);
        }

        if (commit.HasEnded)
        {
            if (commit.Status == OrchestrationStatus.Failed)
            {
                var failure = IncidentOrchestrator.FailureText(commit.FailureDetails?.ErrorType, commit.FailureDetails?.ErrorMessage);
                _logger.InstanceFailed(item.InstanceId, failure ?? "it did not say why");
            }

            _ends.Ended(item.InstanceId);
        }
    }

    public Task AbandonTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem)
    {
        var item = (TurnItem)workItem;
        item.IsAbandoned = true;
        item.Failure ??= _lastFailure.Value;
        return Task.CompletedTask;
    }

    public async Task ReleaseTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem)
    {
        var item = (TurnItem)workItem;
        _instances.Return(item.Key, item.Answers);
        if (item.IsAbandoned && item.Failure is null && _failures.TryAdd(item.Key, 1))
        {
            // Without a reason only the session is over, not the turn. If it happens again, it counts as a failure.
            _instances.Signal(item.Key);
            _instances.Release(item.Key);
        }
        else if (item.IsAbandoned)
        {
            await SetBackAsync(item.Key, item.Failure ?? new InvalidOperationException("The turn was given up without a reason."));
        }
        else
        {
            _instances.Release(item.Key);
        }

        _turns.Exit();
    }

    private TurnItem? Load(long key)
    {
        var stored = _ofNewerProgram.Contains(key) ? null : _reader.Load(key);
        var answers = _instances.TakeNews(key);
        if (stored is null)
        {
            // The instance has ended, or its messages stay in the database.
            return null;
        }

        try
        {
            var item = new TurnItem(stored, FetchAsync, _options.ExtendedSessions);
            item.NewMessages = item.Give(_reader.Messages(key, stored.Id, _timers.Now), answers);
            var hasBegun = stored.History.Count > 0 || item.NewMessages.Any(message => message.Event.EventType == EventType.ExecutionStarted);
            return item.NewMessages.Count > 0 && hasBegun ? item : null;
        }
        catch
        {
            _instances.Return(key, answers);
            throw;
        }
    }

    // The session goes on while activities run, or while there is news. An instance that only waits leaves memory.
    private async Task<IList<TaskMessage>?> FetchAsync(TurnItem item)
    {
        while (!_stopping && !item.HasEnded && (item.Outstanding.Count > 0 || _instances.HasNews(item.Key)))
        {
            await _instances.WhenNewsAsync(item.Key);
            if (_stopping)
            {
                return null;
            }

            var answers = _instances.TakeNews(item.Key, out var stored);
            IList<TaskMessage> given;
            try
            {
                given = item.Give(stored ? _reader.Messages(item.Key, item.InstanceId, _timers.Now) : new([], []), answers);
            }
            catch
            {
                _instances.Return(item.Key, answers);
                throw;
            }

            if (given.Count > 0)
            {
                return given;
            }
        }

        return null;
    }

    // A database that cannot be read or written is waited for, however long. Any other failure is the instance's own: it is tried a few
    // times and then ended, since nothing else would end it.
    private async Task SetBackAsync(long key, Exception cause)
    {
        var pause = _options.RetryAfter;
        if (!IsOfTheDatabase(cause))
        {
            var failures = _failures.AddOrUpdate(key, 1, (_, before) => before + 1);
            if (failures >= _options.MaxTurnFailures || cause is NotSupportedException)
            {
                if (await TryFailAsync(key, cause))
                {
                    _failures.TryRemove(key, out _);
                    _instances.Release(key);
                    return;
                }
            }
            else
            {
                pause *= 1 << (failures - 1);
            }
        }

        if (cause is not StoreUnavailableException)
        {
            // The writer has logged that nothing can be written.
            _logger.TurnFailed(cause, key);
        }

        // Idle only once the pause is known, or virtual time would pass over the end of the pause.
        _busy.Enter();
        _instances.Pause(key);
        _pauses.Add(pause, () => _instances.Resume(key));
        _busy.Exit();
    }

    private async Task<bool> TryFailAsync(long key, Exception cause)
    {
        try
        {
            await FailAsync(key, new FailureDetails(
                cause.GetType().FullName!, $"Its turns could not be run: {cause.Message}", cause.StackTrace, null, isNonRetriable: true));
            return true;
        }
        catch (Exception e) when (IsOfTheDatabase(e))
        {
            return false;
        }
    }


    public async Task<TaskActivityWorkItem> LockNextTaskActivityWorkItem(TimeSpan receiveTimeout, CancellationToken cancellationToken)
    {
        while (true)
        {
            var item = new ActivityItem(await _tasks.TakeAsync(cancellationToken));
            try
            {
                if (item.Task.IsLeftOver)
                {
                    await _writer.CountAttemptAsync(item.Task);
                }

                return item;
            }
            // An exception from here would keep it from being tried again, since the dispatcher does not know which one it was.
            catch (Exception e) when (IsOfTheDatabase(e))
            {
                await AbandonTaskActivityWorkItemAsync(item);
            }
        }
    }

    public Task<TaskActivityWorkItem> RenewTaskActivityWorkItemLockAsync(TaskActivityWorkItem workItem) => Task.FromResult(workItem);

    /// <summary>The instance's next turn gets the answer. Where none will come before the stop, it is stored.</summary>
    public async Task CompleteTaskActivityWorkItemAsync(TaskActivityWorkItem workItem, TaskMessage responseMessage)
    {
        var task = ((ActivityItem)workItem).Task;
        if (!task.IsDropped && !_instances.TryAnswer(task.Instance, responseMessage))
        {
            await _writer.KeepAnswerAsync(task.Instance, responseMessage, _timers.Now);
        }

        _tasks.Done(task);
    }

    /// <summary>It was not run, since the host stops or something beside it failed. It will be run later.</summary>
    public Task AbandonTaskActivityWorkItemAsync(TaskActivityWorkItem workItem)
    {
        var task = ((ActivityItem)workItem).Task;

        // As with a turn: idle only once the pause is known.
        _pauses.Add(_options.RetryAfter, () => _tasks.Resume(task));
        _tasks.Pause();
        return Task.CompletedTask;
    }

    private sealed class ActivityItem : TaskActivityWorkItem
    {
        public ActivityItem(PendingTask task)
        {
            Task = task;
            Id = $"{task.Message.OrchestrationInstance.InstanceId}/{task.Id}";
            TaskMessage = task.Message;
            LockedUntilUtc = DateTime.MaxValue;
        }

        public PendingTask Task { get; }
    }
}
