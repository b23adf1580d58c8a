using DurableTask.Core;

namespace Runbooks.AzureStorage;

/// <summary>What the rest of the program asks of the hub.</summary>
internal sealed partial class AzureOrchestrationService
{
    public Task CreateTaskOrchestrationAsync(TaskMessage creationMessage) => Guard(() => inner.CreateTaskOrchestrationAsync(creationMessage));

    public async Task CreateTaskOrchestrationAsync(TaskMessage creationMessage, OrchestrationStatus[] dedupeStatuses) =>
        await Guard(() => inner.CreateTaskOrchestrationAsync(creationMessage, dedupeStatuses));

    public Task SendTaskOrchestrationMessageAsync(TaskMessage message) => Guard(() => inner.SendTaskOrchestrationMessageAsync(message));

    public Task SendTaskOrchestrationMessageBatchAsync(params TaskMessage[] messages) => Guard(() => inner.SendTaskOrchestrationMessageBatchAsync(messages));

    public Task<OrchestrationState> WaitForOrchestrationAsync(string instanceId, string executionId, TimeSpan timeout, CancellationToken cancellationToken) =>
        AzureStorageErrors.GuardAsync(async () => (await inner.WaitForOrchestrationAsync(instanceId, executionId, timeout, cancellationToken))!, cancellationToken);

    public Task ForceTerminateTaskOrchestrationAsync(string instanceId, string reason) => Guard(() => inner.ForceTerminateTaskOrchestrationAsync(instanceId, reason));

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

    /// <summary>Null when the hub's tables and queues can be read, otherwise what is wrong, in words.</summary>
    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => StorageHealth.FindTroubleAsync(
        [("Tables of the task hub", () => GetOrchestrationStateAsync("health", allExecutions: false)), AzureTaskHub.Queues(() => workItems.GetPropertiesAsync(cancellationToken), cancellationToken)],
        TimeProvider.System, cancellationToken);

    private static Task Guard(Func<Task> call) => AzureStorageErrors.GuardAsync(call, CancellationToken.None);

    private static Task<T> Guard<T>(Func<Task<T>> call) => AzureStorageErrors.GuardAsync(call, CancellationToken.None);
}
