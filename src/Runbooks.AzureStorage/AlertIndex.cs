using Azure;
using Azure.Data.Tables;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <summary>
/// Which incidents an alert reached: one small row for each, in the alert's partition, the newest first. Put before the
/// incident is written: a row without an incident behind it is skipped, an alert without its row would not be known again.
/// </summary>
internal sealed class AlertIndex(TableRows rows)
{
    /// <summary>More incidents of one alert than anybody asks for.</summary>
    private const int MaxByAlert = 20;

    private const string Prefix = "alert-";

    /// <summary>No partition of an alert comes after it.</summary>
    private const string Behind = "alert.";

    public Task PutAsync(Incident incident, IEnumerable<string> identities, CancellationToken cancellationToken) =>
        Task.WhenAll(identities.Select(identity => rows.PutAsync(new TableEntity(Partition(identity), RowOf(incident)), cancellationToken)));

    public Task RemoveAsync(Incident incident, CancellationToken cancellationToken) =>
        Task.WhenAll(incident.Identities.Select(identity => rows.RemoveAsync(Partition(identity), RowOf(incident), ETag.All, cancellationToken)));

    /// <summary>Unless somebody has put it anew since it was read.</summary>
    public Task RemoveAsync(TableEntity row, CancellationToken cancellationToken) => rows.RemoveAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);

    /// <returns>The rows of all incidents that opened before then, of whatever alert.</returns>
    public IAsyncEnumerable<TableEntity> ReadOpenedBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken) =>
        rows.QueryAsync(TableClient.CreateQueryFilter($"PartitionKey ge {Prefix} and PartitionKey lt {Behind} and RowKey ge {TableKeys.Moment(time, "")}"), 1_000, cancellationToken);

    /// <returns>The rows, which name the incidents.</returns>
    public async Task<IReadOnlyList<TableEntity>> FindAsync(string identity, CancellationToken cancellationToken)
    {
        var found = new List<TableEntity>();
        await foreach (var row in rows.QueryAsync(TableClient.CreateQueryFilter($"PartitionKey eq {Partition(identity)}"), MaxByAlert, cancellationToken))
        {
            found.Add(row);
            if (found.Count == MaxByAlert)
            {
                break;
            }
        }

        return found;
    }

    private static string Partition(string identity) => Prefix + TableKeys.Hash(identity);

    private static string RowOf(Incident incident) => TableKeys.Moment(incident.OpenedAt, TableKeys.Hash(incident.Id));
}
