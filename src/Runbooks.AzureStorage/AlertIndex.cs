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

    public Task PutAsync(Incident incident, IEnumerable<string> identities, CancellationToken cancellationToken) =>
        Task.WhenAll(identities.Select(identity => rows.PutAsync(new TableEntity(Partition(identity), RowOf(incident)), cancellationToken)));

    public Task RemoveAsync(Incident incident, CancellationToken cancellationToken) =>
        Task.WhenAll(incident.Identities.Select(identity => rows.RemoveAsync(Partition(identity), RowOf(incident), ETag.All, cancellationToken)));

    public Task RemoveAsync(TableEntity row, CancellationToken cancellationToken) => rows.RemoveAsync(row.PartitionKey, row.RowKey, ETag.All, cancellationToken);

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

    private static string Partition(string identity) => $"alert-{TableKeys.Hash(identity)}";

    private static string RowOf(Incident incident) => TableKeys.Moment(incident.OpenedAt, TableKeys.Hash(incident.Id));
}
