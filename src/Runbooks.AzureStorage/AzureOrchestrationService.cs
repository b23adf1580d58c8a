using System.Collections.Concurrent;
using Azure.Storage.Queues;
using DurableTask.AzureStorage;
using DurableTask.Core;
using DurableTask.Core.History;
using Microsoft.Extensions.Logging;
using Runbooks.Orchestration.TaskHub;

namespace Runbooks.AzureStorage;

/// <summary>
/// Durable Task's provider for Azure Storage with three additions: work that kills its process again and again comes to an end, an account
/// that is away for a while loses no activity, and failures of the account have our messages.
/// </summary>
internal sealed class AzureOrchestrationService(
    AzureStorageOrchestrationService inner, QueueClient workItems, RedeliveryCounts redeliveries, TurnAttempts attempts, TaskHubOptions hub, HubLog log)
    : IOrchestrationService, IOrchestrationServiceClient, IOrchestrationServicePurgeClient, IDisposable
{
    /// <summary>Deliveries of one message. Each but the first follows a kill, or a pause that has doubled.</summary>
    private const int MostDeliveries = 10;

    private static readonly TimeSpan s_whileAway = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task? _stopped;
    private readonly ILogger _logger = log.CreateLogger(typeof(AzureOrchestrationService).FullName!);
    private readonly ConcurrentDictionary<string, bool> _suspects = new(StringComparer.OrdinalIgnoreCase);

    public int TaskOrchestrationDispatcherCount => inner.TaskOrchestrationDispatcherCount;
    public int MaxConcurrentTaskOrchestrationWorkItems => inner.MaxConcurrentTaskOrchestrationWorkItems;
    public BehaviorOnContinueAsNew EventBehaviourForContinueAsNew => inner.EventBehaviourForContinueAsNew;
    public int TaskActivityDispatcherCount => inner.TaskActivityDispatcherCount;
    public int MaxConcurrentTaskActivityWorkItems => inner.MaxConcurrentTaskActivityWorkItems;

    public Task StartAsync() => inner.StartAsync();

    public Task StopAsync() => StopAsync(isForced: false);

    /// <summary>Takes no more messages, finishes the running turns, and gives its partitions to the other workers; once for all callers.</summary>
    public Task StopAsync(bool isForced)
    {
        lock (_gate)
        {
            return _stopped ??= FinishAsync(isForced);
        }
    }

    public Task CreateAsync() => Guard(inner.CreateAsync);

    public Task CreateAsync(bool recreateInstanceStore) => Guard(() => inner.CreateAsync(recreateInstanceStore));

    public Task CreateIfNotExistsAsync() => Guard(() => log.MuteAsync(inner.CreateIfNotExistsAsync));

    public Task DeleteAsync() => Guard(inner.DeleteAsync);

    public Task DeleteAsync(bool deleteInstanceStore) => Guard(() => inner.DeleteAsync(deleteInstanceStore));

    public bool IsMaxMessageCountExceeded(int currentMessageCount, OrchestrationRuntimeState runtimeState) =>
        inner.IsMaxMessageCountExceeded(currentMessageCount, runtimeState);

    // No pause here: a failed message is hidden for a while, and a pause would hold up all other work.
    public int GetDelayInSecondsAfterOnProcessException(Exception exception) => 0;

    public int GetDelayInSecondsAfterOnFetchException(Exception exception) => 2;

    public async Task<TaskOrchestrationWorkItem> LockNextTaskOrchestrationWorkItemAsync(TimeSpan receiveTimeout, CancellationToken cancellationToken)
    {
        var item = await inner.LockNextTaskOrchestrationWorkItemAsync(receiveTimeout, cancellationToken);
        if (item is null || redeliveries.TakeInstance(item.InstanceId) == 0 || IsForNewerProgram(item))
        {
            return item!;
        }

        try
        {
            _suspects[item.InstanceId] = true;
            var attempt = await attempts.CountAsync(item, cancellationToken);
            if (attempt <= MostDeliveries - RedeliveryCounts.Suspicious)
            {
                return item;
            }

            var why = $"A step of the workflow was begun {attempt + RedeliveryCounts.Suspicious - 1} times and never finished: it fails, "
                + "or it ends the process that runs it.";
            await CompleteAsync(item, Ended(item, why));
            Log.InstanceStopped(_logger, item.InstanceId, why);
        }
        catch (Exception failure)
        {
            // Not counted, or not ended. It has to be given back and released, or it would collect its messages for good.
            await GiveBackAsync(item);
            if (failure is StoreUnavailableException)
            {
                return null!;
            }

            throw;
        }

        await inner.ReleaseTaskOrchestrationWorkItemAsync(item);
        return null!;
    }

    public Task RenewTaskOrchestrationWorkItemLockAsync(TaskOrchestrationWorkItem workItem) =>
        inner.RenewTaskOrchestrationWorkItemLockAsync(workItem);

    public async Task CompleteTaskOrchestrationWorkItemAsync(
        TaskOrchestrationWorkItem workItem,
        OrchestrationRuntimeState newOrchestrationRuntimeState,
        IList<TaskMessage> outboundMessages,
        IList<TaskMessage> orchestratorMessages,
        IList<TaskMessage> timerMessages,
        TaskMessage continuedAsNewMessage,
        OrchestrationState orchestrationState)
    {
        foreach (var message in timerMessages)
        {
            NeverEarly(message);
        }

        await inner.CompleteTaskOrchestrationWorkItemAsync(
            workItem, newOrchestrationRuntimeState, outboundMessages, orchestratorMessages, timerMessages, continuedAsNewMessage, orchestrationState);
        if (_suspects.TryRemove(workItem.InstanceId, out _))
        {
            await attempts.TryForgetAsync(workItem.InstanceId);
        }
    }

    public Task AbandonTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem) => inner.AbandonTaskOrchestrationWorkItemAsync(workItem);

    public Task ReleaseTaskOrchestrationWorkItemAsync(TaskOrchestrationWorkItem workItem) => inner.ReleaseTaskOrchestrationWorkItemAsync(workItem);

    public async Task<TaskActivityWorkItem> LockNextTaskActivityWorkItem(TimeSpan receiveTimeout, CancellationToken cancellationToken)
    {
        var item = await inner.LockNextTaskActivityWorkItem(receiveTimeout, cancellationToken);
        var deliveries = item is null ? 0 : redeliveries.TakeMessage(item.Id);
        if (deliveries <= MostDeliveries || item?.TaskMessage.Event is not TaskScheduledEvent task)
        {
            return item!;
        }

        // An activity answers even when it fails, so each of these attempts ended with its process.
        var why = $"'{task.Name}' was begun {deliveries - 1} times and never finished: the process that runs it ends. It is not tried again.";
        Log.ActivityStopped(_logger, item.TaskMessage.OrchestrationInstance.InstanceId, why);
        await CompleteTaskActivityWorkItemAsync(item, new TaskMessage
        {
            Event = new TaskFailedEvent(-1, task.EventId, why, null, Failure(why)),
            OrchestrationInstance = item.TaskMessage.OrchestrationInstance,
        });
        return null!;
    }

    public async Task<TaskActivityWorkItem> RenewTaskActivityWorkItemLockAsync(TaskActivityWorkItem workItem)
    {
        try
        {
            return await inner.RenewTaskActivityWorkItemLockAsync(workItem);
        }
        catch (Exception e) when (AzureStorageErrors.IsPassing(e))
        {
            // The old lock stays: an exception would end the renewing for good, and another process would begin the activity beside this run.
            return workItem;
        }
    }

    // The result is tried again, since an activity that is done must not be done twice.
    public Task CompleteTaskActivityWorkItemAsync(TaskActivityWorkItem workItem, TaskMessage responseMessage) =>
        UntilDoneAsync(() => inner.CompleteTaskActivityWorkItemAsync(workItem, responseMessage));

    // An activity that is not given back counts as running in this process for ever, and is never begun again by it.
    public Task AbandonTaskActivityWorkItemAsync(TaskActivityWorkItem workItem) =>
        UntilDoneAsync(() => inner.AbandonTaskActivityWorkItemAsync(workItem));

    public void Dispose()
    {
        inner.Dispose();
        _stopping.Dispose();
    }

    private async Task GiveBackAsync(TaskOrchestrationWorkItem item)
    {
        try
        {
            await inner.AbandonTaskOrchestrationWorkItemAsync(item);
        }
        finally
        {
            await inner.ReleaseTaskOrchestrationWorkItemAsync(item);
        }
    }

    /// <summary>Null when the hub's tables and queues can be read, otherwise what is wrong, in words.</summary>
    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => StorageHealth.FindTroubleAsync(
        [
            ("Tables of the task hub", () => GetOrchestrationStateAsync("health", allExecutions: false)),
            AzureTaskHub.Queues(() => workItems.GetPropertiesAsync(cancellationToken), cancellationToken),
        ],
        TimeProvider.System, cancellationToken);

    private async Task FinishAsync(bool isForced)
    {
        await _stopping.CancelAsync();
        await inner.StopAsync(isForced);
    }

    /// <summary>Tries for as long as the account is away, or until the host stops.</summary>
    private async Task UntilDoneAsync(Func<Task> call)
    {
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception e) when (AzureStorageErrors.IsPassing(e) && !_stopping.IsCancellationRequested)
            {
                await Task.Delay(s_whileAway, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Queues hide messages for whole seconds and round down, so a timer would fire up to a second too early.</summary>
    private static void NeverEarly(TaskMessage message)
    {
        if (message.Event is TimerFiredEvent timer)
        {
            message.Event = new TimerFiredEvent(timer.EventId, timer.FireAt + TimeSpan.FromMilliseconds(999)) { TimerId = timer.TimerId };
        }
    }

    private static FailureDetails Failure(string why) => new("ProcessKilled", why, stackTrace: null, innerFailure: null, isNonRetriable: true);

    /// <summary>While programs are replaced one by one, the old ones give back what the new ones began.</summary>
    private bool IsForNewerProgram(TaskOrchestrationWorkItem item) =>
        hub.IsNewer((item.OrchestrationRuntimeState.ExecutionStartedEvent
            ?? item.NewMessages.Select(message => message.Event).OfType<ExecutionStartedEvent>().FirstOrDefault())?.Version);

    private static OrchestrationRuntimeState Ended(TaskOrchestrationWorkItem item, string why)
    {
        var state = item.OrchestrationRuntimeState;
        state.AddEvent(new OrchestratorStartedEvent(-1));
        if (state.ExecutionStartedEvent is null)
        {
            state.AddEvent(item.NewMessages.Select(message => message.Event).OfType<ExecutionStartedEvent>().First());
        }

        state.AddEvent(new ExecutionCompletedEvent(-1, null, OrchestrationStatus.Failed, Failure(why)));
        state.AddEvent(new OrchestratorCompletedEvent(-1));
        return state;
    }

    private Task CompleteAsync(TaskOrchestrationWorkItem item, OrchestrationRuntimeState ended) => CompleteTaskOrchestrationWorkItemAsync(
        item, ended, [], [], [], null!, new OrchestrationState
        {
            OrchestrationInstance = ended.OrchestrationInstance,
            OrchestrationStatus = OrchestrationStatus.Failed,
        });

    private static Task Guard(Func<Task> call) => AzureStorageErrors.GuardAsync(call, CancellationToken.None);

    private static Task<T> Guard<T>(Func<Task<T>> call) => AzureStorageErrors.GuardAsync(call, CancellationToken.None);

    public Task CreateTaskOrchestrationAsync(TaskMessage creationMessage) => Guard(() => inner.CreateTaskOrchestrationAsync(creationMessage));

    public async Task CreateTaskOrchestrationAsync(TaskMessage creationMessage, OrchestrationStatus[] dedupeStatuses) =>
        await Guard(() => inner.CreateTaskOrchestrationAsync(creationMessage, dedupeStatuses));

    public Task SendTaskOrchestrationMessageAsync(TaskMessage message) => Guard(() => inner.SendTaskOrchestrationMessageAsync(message));

    public Task SendTaskOrchestrationMessageBatchAsync(params TaskMessage[] messages) =>
        Guard(() => inner.SendTaskOrchestrationMessageBatchAsync(messages));

    public Task<OrchestrationState> WaitForOrchestrationAsync(
        string instanceId, string executionId, TimeSpan timeout, CancellationToken cancellationToken) =>
        AzureStorageErrors.GuardAsync(
            async () => (await inner.WaitForOrchestrationAsync(instanceId, executionId, timeout, cancellationToken))!, cancellationToken);

    public Task ForceTerminateTaskOrchestrationAsync(string instanceId, string reason) =>
        Guard(() => inner.ForceTerminateTaskOrchestrationAsync(instanceId, reason));

    public Task<IList<OrchestrationState>> GetOrchestrationStateAsync(string instanceId, bool allExecutions) =>
        Guard(() => inner.GetOrchestrationStateAsync(instanceId, allExecutions));

    public Task<OrchestrationState> GetOrchestrationStateAsync(string instanceId, string executionId) =>
        Guard(() => inner.GetOrchestrationStateAsync(instanceId, executionId));

    public Task<string> GetOrchestrationHistoryAsync(string instanceId, string executionId) =>
        Guard(() => inner.GetOrchestrationHistoryAsync(instanceId, executionId));

    public Task PurgeOrchestrationHistoryAsync(DateTime thresholdDateTimeUtc, OrchestrationStateTimeRangeFilterType timeRangeFilterType) =>
        Guard(() => inner.PurgeOrchestrationHistoryAsync(thresholdDateTimeUtc, timeRangeFilterType));

    public Task<PurgeResult> PurgeInstanceStateAsync(string instanceId) =>
        Guard(() => ((IOrchestrationServicePurgeClient)inner).PurgeInstanceStateAsync(instanceId));

    public Task<PurgeResult> PurgeInstanceStateAsync(PurgeInstanceFilter purgeInstanceFilter) =>
        Guard(() => ((IOrchestrationServicePurgeClient)inner).PurgeInstanceStateAsync(purgeInstanceFilter));
}
