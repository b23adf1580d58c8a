using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>The client side of the task hub: starts, wakes, shows and removes instances.</summary>
public sealed partial class SqliteOrchestrationService : IOrchestrationServiceClient, IOrchestrationServicePurgeClient
{
    /// <summary>Starts an instance; returns once that is durable. An ended instance of this id is replaced.</summary>
    public Task CreateTaskOrchestrationAsync(TaskMessage creationMessage) => CreateTaskOrchestrationAsync(creationMessage, []);

    /// <inheritdoc cref="CreateTaskOrchestrationAsync(TaskMessage)"/>
    /// <exception cref="global::DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException">An instance of this id runs, or is in one of these states.</exception>
    public async Task CreateTaskOrchestrationAsync(TaskMessage creationMessage, OrchestrationStatus[]? dedupeStatuses)
    {
        var now = _timers.Now;
        var key = await _writer.CreateAsync(creationMessage, dedupeStatuses ?? [], now);
        if ((creationMessage.Event as ExecutionStartedEvent)?.ScheduledStartTime is { } scheduled)
        {
            _timers.Add(key, Math.Max(now, scheduled.ToUniversalTime().Ticks));
        }
        else
        {
            _instances.Signal(key);
        }
    }

    public Task SendTaskOrchestrationMessageAsync(TaskMessage message) => SendTaskOrchestrationMessageBatchAsync(message);

    /// <summary>Returns once the messages are durable. Those for unknown or ended instances are dropped.</summary>
    public async Task SendTaskOrchestrationMessageBatchAsync(params TaskMessage[] messages)
    {
        var now = _timers.Now;
        foreach (var key in await _writer.SendAsync([.. messages.Select(message => OutgoingMessage.Of(message, now))]))
        {
            _instances.Signal(key);
        }
    }

    public Task ForceTerminateTaskOrchestrationAsync(string instanceId, string reason) => SendTaskOrchestrationMessageAsync(new TaskMessage
    {
        Event = new ExecutionTerminatedEvent(-1, reason),
        OrchestrationInstance = new OrchestrationInstance { InstanceId = instanceId },
    });

    /// <exception cref="TimeoutException">It has not ended in this time.</exception>
    public async Task<OrchestrationState> WaitForOrchestrationAsync(
        string instanceId, string? executionId, TimeSpan timeout, CancellationToken cancellationToken)
    {
        while (true)
        {
            var end = _ends.WaitAsync(instanceId);
            if (await FindAsync(instanceId) is { } state && state.OrchestrationStatus
                is not (OrchestrationStatus.Pending or OrchestrationStatus.Running or OrchestrationStatus.Suspended))
            {
                return state;
            }

            await end.WaitAsync(timeout, cancellationToken);
        }
    }

    public async Task<IList<OrchestrationState>> GetOrchestrationStateAsync(string instanceId, bool allExecutions) =>
        await FindAsync(instanceId) is { } state ? [state] : [];

    public async Task<OrchestrationState?> GetOrchestrationStateAsync(string instanceId, string? executionId) =>
        await FindAsync(instanceId) is { } state && (executionId is null || state.OrchestrationInstance.ExecutionId == executionId) ? state : null;

    /// <returns>A JSON array of its events, oldest first; empty when there is no such instance.</returns>
    public async Task<string> GetOrchestrationHistoryAsync(string instanceId, string? executionId)
    {
        var json = new StringBuilder("[");
        foreach (var (kind, data) in await _database.ReadAsync(connection => DurableListing.History(connection, instanceId)))
        {
            json.Append(json.Length > 1 ? "," : "")
                .Append("{\"kind\":")
                .Append(JsonSerializer.Serialize(kind))
                .Append(",\"event\":")
                .Append(Encoding.UTF8.GetString(data))
                .Append('}');
        }

        return json.Append(']').ToString();
    }

    /// <summary>Removes instances that ended, or were created, before a time. Running ones are left alone.</summary>
    public Task PurgeOrchestrationHistoryAsync(DateTime thresholdDateTimeUtc, OrchestrationStateTimeRangeFilterType timeRangeFilterType) =>
        _writer.PurgeAsync(
            timeRangeFilterType == OrchestrationStateTimeRangeFilterType.OrchestrationCreatedTimeFilter ? "created_at" : "ended_at",
            0,
            thresholdDateTimeUtc.Ticks,
            []);

    /// <summary>Removes an ended instance. A running one is left alone.</summary>
    public async Task<PurgeResult> PurgeInstanceStateAsync(string instanceId) => new(await _writer.PurgeAsync(instanceId) ? 1 : 0);

    /// <inheritdoc cref="PurgeInstanceStateAsync(string)"/>
    public async Task<PurgeResult> PurgeInstanceStateAsync(PurgeInstanceFilter purgeInstanceFilter) => new(
        await _writer.PurgeAsync(
            "created_at",
            purgeInstanceFilter.CreatedTimeFrom.Ticks,
            purgeInstanceFilter.CreatedTimeTo?.Ticks ?? long.MaxValue,
            [.. purgeInstanceFilter.RuntimeStatus ?? []]),
        isComplete: true);

    private Task<OrchestrationState?> FindAsync(string id) => _database.ReadAsync(connection => DurableListing.Find(connection, id));
}

internal sealed class EndWaiters
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

    /// <summary>Completes when the instance ends. Look at the instance after this call, since it may have ended before.</summary>
    public Task WaitAsync(string id) =>
        _waiting.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ended(string id)
    {
        if (_waiting.TryRemove(id, out var waiting))
        {
            waiting.SetResult();
        }
    }
}
