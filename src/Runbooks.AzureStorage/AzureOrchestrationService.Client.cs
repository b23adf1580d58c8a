using DurableTask.Core;

namespace Runbooks.AzureStorage;

/// <content>The client side of the task hub. Failures of the account become our own.</content>
internal sealed partial class AzureOrchestrationService
{
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
