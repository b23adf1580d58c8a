using Azure.Data.Tables;
using DurableTask.Core;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>
/// Counts how often a suspicious turn was begun, over all processes and their deaths. The queue's own count would also
/// rise while the tables are down and nothing is begun at all.
/// </summary>
internal sealed class TurnAttempts(TableRows rows)
{
    private const string Partition = "turns";
    private const string Place = "Place";
    private const string Count = "Count";

    /// <returns>Which attempt this is, from 1.</returns>
    /// <exception cref="StoreUnavailableException">It could not be counted.</exception>
    public async Task<int> CountAsync(TaskOrchestrationWorkItem turn, CancellationToken cancellationToken)
    {
        var (row, place) = (TableKeys.Hash(turn.InstanceId), $"{turn.OrchestrationRuntimeState.OrchestrationInstance?.ExecutionId}:{turn.OrchestrationRuntimeState.Events.Count}");
        var before = await rows.FindAsync(Partition, row, null, cancellationToken);
        var attempt = before?.GetString(Place) == place ? (before.GetInt32(Count) ?? 0) + 1 : 1;
        await rows.PutAsync(new TableEntity(Partition, row) { [Place] = place, [Count] = attempt }, cancellationToken);
        return attempt;
    }

    /// <summary>A row that stays is of a place that never comes again.</summary>
    public async Task TryForgetAsync(string instanceId)
    {
        try
        {
            await rows.RemoveAsync(Partition, TableKeys.Hash(instanceId), Azure.ETag.All, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }
}
