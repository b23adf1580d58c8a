using Azure.Data.Tables;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <content>What a row of an index comes to, and putting right what a host that died has left.</content>
internal sealed partial class TableIncidentStore
{
    /// <summary>An index row that no claim followed for so long belongs to an opening that died before it was anything.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private async Task<IncidentSummary?> ReadSummaryAsync(TableEntity row, CancellationToken cancellationToken)
    {
        if (IncidentIndex.SummaryIn(row) is { } filled)
        {
            return filled;
        }

        var key = IncidentIndex.IncidentKeyOf(row);
        if (await _incidents.FindSummaryAsync(key, cancellationToken) is var (summary, _))
        {
            if (IncidentIndex.IsOpen(row) ? summary.State.IsFinal() : !IncidentIndex.IsLeft(row) && !summary.State.IsFinal())
            {
                await _index.MoveAsync(summary, cancellationToken);
            }
            else if (IncidentIndex.IsLeft(row) && !summary.IsUnfinished)
            {
                await RemoveStaleAsync(row, summary, cancellationToken);
            }
            else if (!IncidentIndex.IsOpen(row) && row.Timestamp < _time.GetUtcNow() - IncidentIndex.FilledAfter)
            {
                await _index.FillAsync(row, summary, cancellationToken);
            }

            return summary;
        }

        if (IncidentIndex.IsLeft(row))
        {
            await RemoveStaleAsync(row, null, cancellationToken);
            return null;
        }

        if (!IncidentIndex.IsOpen(row))
        {
            return null;
        }

        if (await FindClaimedAsync(row.GetString(IncidentIndex.Claim), key, cancellationToken) is { } claimed)
        {
            return IncidentSummary.Of(claimed.Value);
        }

        if (row.Timestamp < _time.GetUtcNow() - Abandoned)
        {
            await _index.RemoveAsync(row, cancellationToken);
        }

        return null;
    }

    /// <summary>A row that a host left behind when it died. A young one may be of an incident that is being written now.</summary>
    private async Task RemoveStaleAsync(TableEntity left, IncidentSummary? incident, CancellationToken cancellationToken)
    {
        if (incident is not { IsUnfinished: true } && left.Timestamp < _time.GetUtcNow() - Abandoned)
        {
            await _index.RemoveAsync(left, cancellationToken);
        }
    }
}
