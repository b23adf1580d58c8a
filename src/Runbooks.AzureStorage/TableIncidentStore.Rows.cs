using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <content>Resolving the rows of an index, and repairing what a host that died has left.</content>
internal sealed partial class TableIncidentStore
{
    /// <summary>An index row without a claim after this time belongs to an opening that failed.</summary>
    private static readonly TimeSpan s_abandoned = TimeSpan.FromHours(1);

    /// <summary>Counting more would take longer than a page may.</summary>
    private const int MostCounted = 20_000;

    private static readonly TimeSpan s_countedFor = TimeSpan.FromMinutes(1);
    private volatile Tuple<long, IReadOnlyDictionary<IncidentState, int>?>? _ended;

    private async Task<IReadOnlyDictionary<IncidentState, int>?> CountEndedAsync(CancellationToken cancellationToken)
    {
        if (_ended is { } known && _time.GetElapsedTime(known.Item1) < s_countedFor)
        {
            return known.Item2;
        }

        var began = _time.GetTimestamp();
        var counts = await _index.CountEndedAsync(MostCounted, cancellationToken);
        _ended = Tuple.Create(began, counts);
        return counts;
    }

    /// <summary>An incident that a newer version wrote, or that is damaged, must not hide the others.</summary>
    private async Task<IncidentSummary?> TryReadAsync(string incident, Func<Task<IncidentSummary?>> readAsync)
    {
        try
        {
            return await readAsync();
        }
        catch (Exception failure) when (IncidentStoreExtensions.IsUnreadable(failure))
        {
            Log.RecordUnreadable(_logger, incident, failure);
            return null;
        }
    }

    private async Task<IncidentSummary?> ReadSummaryAsync(TableEntity row, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (IncidentIndex.SummaryIn(row, now) is { } filled)
        {
            return filled;
        }

        var key = IncidentIndex.IncidentKeyOf(row);
        if (await _incidents.FindSummaryAsync(key, cancellationToken) is var (summary, tag))
        {
            if (IncidentIndex.IsOpen(row) ? summary.State.IsFinal() : !IncidentIndex.IsLeft(row) && !summary.State.IsFinal())
            {
                await _index.MoveAsync(summary, cancellationToken);
            }
            else if (IncidentIndex.IsLeft(row) && !summary.IsUnfinished)
            {
                await RemoveStaleAsync(row, summary, cancellationToken);
            }
            else if (row.Timestamp < now - IncidentIndex.FilledAfter && summary.UpdatedAt < now - IncidentIndex.FilledAfter
                && await _incidents.TryMarkListedAsync(key, tag, cancellationToken))
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

        if (row.Timestamp < _time.GetUtcNow() - s_abandoned)
        {
            await _index.RemoveUnchangedAsync(row, cancellationToken);
        }

        return null;
    }

    private async Task<IncidentSummary?> ReadOfAlertAsync(TableEntity row, CancellationToken cancellationToken)
    {
        var found = await _incidents.FindSummaryAsync(IncidentIndex.IncidentKeyOf(row), cancellationToken);
        if (found is null && row.Timestamp < _time.GetUtcNow() - s_abandoned)
        {
            // Only the newest rows of an alert are looked at, and those of failed openings would hide a real incident.
            await _alerts.RemoveAsync(row, cancellationToken);
        }

        return found?.Summary;
    }

    /// <summary>
    /// Rows of incidents that are gone. An incident whose alerts flap no longer lists all of them. A purge removes the rows of the listed ones, so
    /// only rows of incidents are left that ended later, or have not ended.
    /// </summary>
    private async Task SweepAlertsAsync(DateTimeOffset openedBefore, CancellationToken cancellationToken)
    {
        await foreach (var some in _alerts.ReadOpenedBeforeAsync(openedBefore, cancellationToken).Chunk(8).WithCancellation(cancellationToken))
        {
            await Task.WhenAll(some.Select(row => TryReadAsync(IncidentIndex.IncidentKeyOf(row), () => ReadOfAlertAsync(row, cancellationToken))));
        }
    }

    /// <summary>The incident that has the claim; written from the claim if its opener did not get that far.</summary>
    private async Task<TableDocument<Incident>?> FindClaimedAsync(string claimKey, string incidentKey, CancellationToken cancellationToken)
    {
        if (await _incidents.FindAsync(incidentKey, cancellationToken) is { } found)
        {
            return IsOfClaim(found.Value, claimKey) ? found : null;
        }

        if (await _claims.FindFirstDocumentAsync(claimKey, cancellationToken) is not { } first || TableKeys.Hash(first.Id) != incidentKey)
        {
            return null;
        }

        // The rows of its alerts may have been removed as those of a failed opening.
        await _alerts.PutAsync(first, first.Identities, cancellationToken);
        await _incidents.AddAsync(first, cancellationToken);
        return await _incidents.FindAsync(incidentKey, cancellationToken) is { } added && IsSame(added.Value, first) ? added : null;
    }

    private static bool IsOfClaim(Incident incident, string claimKey) => claimKey == TableKeys.Claim(incident.RunbookId, incident.TargetKey);

    /// <summary>Two incidents with the same id differ in one of these, and none of these changes.</summary>
    private static bool IsSame(Incident a, Incident b) => (a.RunbookId, a.Target, a.OpenedAt) == (b.RunbookId, b.Target, b.OpenedAt);

    private async Task LeaveIndexesAsync(Incident candidate, CancellationToken cancellationToken)
    {
        await _index.RemoveAsync(IncidentSummary.Of(candidate), open: !candidate.State.IsFinal(), cancellationToken);
        await _alerts.RemoveAsync(candidate, cancellationToken);
    }

    /// <summary>A row that a host left when it died. A young row may belong to an incident that is being written now.</summary>
    private async Task RemoveStaleAsync(TableEntity left, IncidentSummary? incident, CancellationToken cancellationToken)
    {
        if (incident is not { IsUnfinished: true } && left.Timestamp < _time.GetUtcNow() - s_abandoned)
        {
            await _index.RemoveUnchangedAsync(left, cancellationToken);
        }
    }

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
