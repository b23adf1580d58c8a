using Azure.Data.Tables;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <content>The removal of old incidents.</content>
internal sealed partial class TableIncidentStore
{
    public async Task<IReadOnlyList<string>> PurgeAsync(
        DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken)
    {
        var purged = new List<string>();
        await foreach (var some in _index.ReadEndedAsync(endedBefore, cancellationToken).Chunk(8).WithCancellation(cancellationToken))
        {
            var gone = await Task.WhenAll(some.Select(row => TryPurgeAsync(row, endedBefore, removeRest, cancellationToken)));
            purged.AddRange(some.Where((_, i) => gone[i]).Select(IncidentIndex.IdOf));
        }

        await SweepAlertsAsync(endedBefore, cancellationToken);
        return purged;
    }

    /// <summary>An incident that cannot be removed must not keep the others.</summary>
    private async Task<bool> TryPurgeAsync(
        TableEntity row,
        DateTimeOffset endedBefore,
        Func<string, CancellationToken, Task<bool>> removeRest,
        CancellationToken cancellationToken)
    {
        try
        {
            return await PurgeAsync(row, endedBefore, removeRest, cancellationToken);
        }
        catch (Exception failure) when (failure is StoreUnavailableException || IncidentStoreExtensions.IsUnreadable(failure))
        {
            Log.RecordNotRemoved(_logger, IncidentIndex.IdOf(row), failure);
            return false;
        }
    }

    /// <summary>The claim first, since a half-removed incident must not be written again from it.</summary>
    private async Task<bool> PurgeAsync(
        TableEntity row,
        DateTimeOffset endedBefore,
        Func<string, CancellationToken, Task<bool>> removeRest,
        CancellationToken cancellationToken)
    {
        var key = IncidentIndex.IncidentKeyOf(row);
        var found = await _incidents.FindAsync(key, cancellationToken);

        // Its row has the time of its first end; somebody may have closed it by hand since.
        if (found is not null && !(found.Value.State.IsFinal() && found.Value.ClosedAt < endedBefore))
        {
            return false;
        }

        if (!await removeRest(IncidentIndex.IdOf(row), cancellationToken))
        {
            return false;
        }

        await _claims.ReleaseAsync(row.GetString(IncidentIndex.Claim), key, cancellationToken);
        if (found is not null)
        {
            await _alerts.RemoveAsync(found.Value, cancellationToken);
            if (found.Value.IsUnfinished)
            {
                await _index.RemoveLeftAsync(IncidentSummary.Of(found.Value), cancellationToken);
            }

            if (!await _incidents.RemoveAsync(key, found.Tag, cancellationToken))
            {
                return false;
            }
        }
        else
        {
            // A host that died while removing it may have removed only the row.
            await _documents.RemoveBlobsAsync(key, cancellationToken);
        }

        await _index.RemoveAsync(row, cancellationToken);
        return true;
    }
}
