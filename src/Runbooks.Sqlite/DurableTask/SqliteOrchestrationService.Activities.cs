using DurableTask.Core;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Activities: handed out, answered, or set back.</summary>
public sealed partial class SqliteOrchestrationService
{
    public async Task<TaskActivityWorkItem> LockNextTaskActivityWorkItem(TimeSpan receiveTimeout, CancellationToken cancellationToken)
    {
        var task = await _tasks.TakeAsync(cancellationToken);
        return new ActivityItem(task)
        {
            Id = $"{task.Message.OrchestrationInstance.InstanceId}/{task.Id}",
            TaskMessage = task.Message,
            LockedUntilUtc = DateTime.MaxValue,
        };
    }

    public Task<TaskActivityWorkItem> RenewTaskActivityWorkItemLockAsync(TaskActivityWorkItem workItem) => Task.FromResult(workItem);

    /// <summary>The answer is handed to the instance's next turn; when none will come before the stop, it is written down.</summary>
    public async Task CompleteTaskActivityWorkItemAsync(TaskActivityWorkItem workItem, TaskMessage responseMessage)
    {
        var task = ((ActivityItem)workItem).Task;
        if (!task.IsDropped && !_instances.TryAnswer(task.Instance, responseMessage))
        {
            await _writer.KeepAnswerAsync(task.Instance, responseMessage, _timers.Now);
        }

        _tasks.Done(task);
    }

    /// <summary>It was not run, because the host stops or something beside it failed: later.</summary>
    public Task AbandonTaskActivityWorkItemAsync(TaskActivityWorkItem workItem)
    {
        var task = ((ActivityItem)workItem).Task;

        // In this order for the same reason as with a turn: idle only once the pause is known.
        _pauses.Add(_options.RetryAfter, () => _tasks.Resume(task));
        _tasks.Pause();
        return Task.CompletedTask;
    }

    private sealed class ActivityItem(PendingTask task) : TaskActivityWorkItem
    {
        public PendingTask Task => task;
    }
}
