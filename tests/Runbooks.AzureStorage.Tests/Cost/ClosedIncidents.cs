using Azure.Data.Tables;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage.Tests.Cost;

/// <summary>A history as listings leave it behind, written a hundred rows at a time.</summary>
internal static class ClosedIncidents
{
    private static readonly IncidentState[] s_ends =
    [
        IncidentState.Resolved, IncidentState.Resolved, IncidentState.Resolved, IncidentState.NotNeeded, IncidentState.SelfRecovered,
        IncidentState.Rejected, IncidentState.Expired, IncidentState.TakenOver, IncidentState.Cancelled, IncidentState.Failed,
    ];

    /// <summary>Only what listings read: none of them is changed or opened again.</summary>
    public static async Task AddAsync(AzureAccount account, int count, string name, DateTimeOffset last)
    {
        await account.Incidents().CheckHealthAsync(default);
        var table = account.IncidentTable();
        var rows = Enumerable.Range(0, count).Select(n => Row(n, name, last)).ToList();
        await Parallel.ForEachAsync(
            rows.GroupBy(row => row.PartitionKey).SelectMany(day => day.Chunk(100)),
            async (some, token) => await table.SubmitTransactionAsync(some.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), token));
    }

    private static TableEntity Row(int n, string name, DateTimeOffset last)
    {
        var at = last - TimeSpan.FromMinutes(n * 6);
        var incident = TestKit.Storage.StoredIncidents.New($"{name}-{n}", $"inference/{name}-{n % 200}") with
        {
            State = s_ends[n % s_ends.Length], OpenedAt = at, UpdatedAt = at, ClosedAt = at, Reason = "The checks pass again.",
        };
        var row = IncidentIndex.Blank(IncidentSummary.Of(incident));
        IncidentIndex.TryFill(row, IncidentSummary.Of(incident)).ShouldBeTrue();
        return row;
    }
}
