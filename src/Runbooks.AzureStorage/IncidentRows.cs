using System.Runtime.CompilerServices;
using Azure;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <summary>The rows of the incidents themselves, one partition each: the document, and beside it the summary.</summary>
internal sealed class IncidentRows(TableRows rows, TableDocuments documents, DocumentCache lastSeen)
{
    private const string Row = "incident";

    public async Task<TableDocument<Incident>?> FindAsync(string key, CancellationToken cancellationToken) =>
        lastSeen.Note(key, await documents.FindAsync<Incident>(key, Row, cancellationToken));

    public async Task<(IncidentSummary Summary, ETag Tag)?> FindSummaryAsync(string key, CancellationToken cancellationToken) =>
        await rows.FindAsync(key, Row, PackedJson.Summary, cancellationToken) is { } found
        && PackedJson.Find<IncidentSummary>(found, PackedJson.Summary) is { } summary
            ? (summary, found.ETag)
            : null;

    /// <returns>False when the incident exists already.</returns>
    public async Task<bool> AddAsync(Incident incident, CancellationToken cancellationToken) =>
        lastSeen.Note(TableKeys.Hash(incident.Id), await documents.AddAsync(Entity(incident), incident, cancellationToken)) is not null;

    /// <returns>False when it was changed or removed since it was read.</returns>
    public async Task<bool> ReplaceAsync(TableDocument<Incident> before, Incident incident, CancellationToken cancellationToken) =>
        lastSeen.Note(
            TableKeys.Hash(incident.Id),
            await documents.ReplaceAsync(Entity(incident), incident, before.Tag, before.Blob, cancellationToken)) is not null;

    /// <summary>From now on a change of the incident blanks its rows in the indexes first. A change that has begun reads it again.</summary>
    /// <returns>False when it was changed or removed since it had this tag.</returns>
    public async Task<bool> TryMarkListedAsync(string key, ETag tag, CancellationToken cancellationToken)
    {
        lastSeen.Forget(key);
        return await rows.MergeAsync(new TableEntity(key, Row) { [TableDocuments.Listed] = true }, tag, cancellationToken) is not null;
    }

    /// <returns>False when it was changed since it had this tag.</returns>
    public async Task<bool> RemoveAsync(string key, ETag tag, CancellationToken cancellationToken)
    {
        lastSeen.Forget(key);
        if (!await rows.RemoveAsync(key, Row, tag, cancellationToken))
        {
            return false;
        }

        await documents.RemoveBlobsAsync(key, cancellationToken);
        return true;
    }

    private static TableEntity Entity(Incident incident)
    {
        var entity = new TableEntity(TableKeys.Hash(incident.Id), Row);
        return PackedJson.TryPut(entity, PackedJson.Summary, PackedJson.Pack(IncidentSummary.Of(incident)))
            ? entity
            : throw new InvalidDataException("The title, target or reason of the incident is too long to be kept.");
    }
}

/// <summary>The claim on a runbook and target: its latest incident, and the tag for the next one to follow.</summary>
internal sealed record IncidentClaim(string Key, string IncidentKey, ETag Tag);

/// <summary>
/// The row of a claim has the new incident's first document in it, so that taking a claim and recording its incident is one write. After a
/// crash right after it, the next reader writes the incident's own row from it.
/// </summary>
internal sealed class IncidentClaims(TableRows rows, TableDocuments documents)
{
    private const string Row = "claim";
    private const string IncidentKey = "Incident";

    public async Task<IncidentClaim?> FindAsync(string key, CancellationToken cancellationToken) =>
        await rows.FindAsync(key, Row, [IncidentKey], cancellationToken) is { } found
            ? new(key, found.GetString(IncidentKey), found.ETag)
            : null;

    public async Task<Incident?> FindFirstDocumentAsync(string key, CancellationToken cancellationToken) =>
        (await documents.FindAsync<Incident>(key, Row, cancellationToken))?.Value;

    /// <param name="before">The claim that it follows; null for the first.</param>
    /// <returns>False when another incident was faster.</returns>
    public async Task<bool> TakeAsync(string key, Incident incident, IncidentClaim? before, CancellationToken cancellationToken)
    {
        var claim = new TableEntity(key, Row) { [IncidentKey] = TableKeys.Hash(incident.Id) };
        return (before is null
            ? await documents.AddAsync(claim, incident, cancellationToken)
            : await documents.ReplaceAsync(claim, incident, before.Tag, null, cancellationToken)) is not null;
    }

    /// <summary>The incident that took the claim was not opened after all, so the one before it is the latest again.</summary>
    public async Task GiveBackAsync(string key, Incident incident, IncidentClaim? before, CancellationToken cancellationToken)
    {
        if (before is null)
        {
            await ReleaseAsync(key, TableKeys.Hash(incident.Id), cancellationToken);
        }
        else if (await FindAsync(key, cancellationToken) is { } claim && claim.IncidentKey == TableKeys.Hash(incident.Id))
        {
            await rows.ReplaceAsync(new TableEntity(key, Row) { [IncidentKey] = before.IncidentKey }, claim.Tag, cancellationToken);
        }
    }

    public async Task ReleaseAsync(string key, string incidentKey, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, cancellationToken) is { } claim && claim.IncidentKey == incidentKey
            && await rows.RemoveAsync(key, Row, claim.Tag, cancellationToken))
        {
            await documents.RemoveBlobsAsync(key, cancellationToken);
        }
    }
}

/// <summary>
/// Which incidents an alert reached: one small row for each, in the alert's partition, the newest first. The row is put before the incident
/// is written: a row without an incident is skipped, but an alert without its row would not be recognised.
/// </summary>
internal sealed class AlertIndex(TableRows rows)
{
    /// <summary>More incidents of one alert than any caller needs.</summary>
    private const int MaxByAlert = 20;

    private const string Prefix = "alert-";

    /// <summary>After the partitions of all alerts.</summary>
    private const string Behind = "alert.";

    public Task PutAsync(Incident incident, IEnumerable<string> identities, CancellationToken cancellationToken) =>
        Task.WhenAll(identities.Select(identity => rows.PutAsync(new TableEntity(Partition(identity), RowOf(incident)), cancellationToken)));

    public Task RemoveAsync(Incident incident, CancellationToken cancellationToken) =>
        Task.WhenAll(incident.Identities.Select(identity => rows.RemoveAsync(Partition(identity), RowOf(incident), ETag.All, cancellationToken)));

    /// <summary>Unless somebody has put it again since it was read.</summary>
    public Task RemoveAsync(TableEntity row, CancellationToken cancellationToken) =>
        rows.RemoveAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);

    /// <returns>The rows of all incidents that opened before then, for every alert.</returns>
    public IAsyncEnumerable<TableEntity> ReadOpenedBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken) =>
        rows.QueryAsync(
            TableClient.CreateQueryFilter($"PartitionKey ge {Prefix} and PartitionKey lt {Behind} and RowKey ge {TableKeys.Moment(time, "")}"),
            1_000,
            cancellationToken);

    public async Task<IReadOnlyList<TableEntity>> FindAsync(string identity, CancellationToken cancellationToken)
    {
        var found = new List<TableEntity>();
        await foreach (var row in rows.QueryAsync(
            TableClient.CreateQueryFilter($"PartitionKey eq {Partition(identity)}"), MaxByAlert, cancellationToken))
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

/// <summary>
/// Pages from the indexes. A blank row only says that there may be an incident. Its summary is read from the incident itself, without its
/// document.
/// </summary>
internal sealed class IncidentListing(IncidentIndex index, Func<TableEntity, CancellationToken, Task<IncidentSummary?>> read)
{
    private const int MaxConcurrency = 16;

    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    public async Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken)
    {
        var limit = Math.Clamp(query.Limit, 1, IncidentQuery.Most);
        var after = query.After is { } cursor ? IncidentCursor.Parse(cursor) : null;
        var items = new List<IncidentSummary>();
        await foreach (var some in Rows(query, after, limit, cancellationToken).Chunk(MaxConcurrency).WithCancellation(cancellationToken))
        {
            var found = await Task.WhenAll(some.Select(row => read(row, cancellationToken)));
            items.AddRange(found.OfType<IncidentSummary>().Where(incident => Matches(query, incident)));
            if (items.Count > limit)
            {
                var last = items[limit - 1];
                return new(items[..limit], new IncidentCursor(last.OpenedAt, TableKeys.Hash(last.Id)).ToString());
            }
        }

        return new(items, null);
    }

    private IAsyncEnumerable<TableEntity> Rows(IncidentQuery query, IncidentCursor? after, int limit, CancellationToken cancellationToken)
    {
        // One more than is shown, and as many as are read in parallel: no request for rows that are not looked at.
        var pageSize = (limit + MaxConcurrency) / MaxConcurrency * MaxConcurrency;
        if (query.LeftToPeople || query.Unfinished)
        {
            return index.ReadLeftAsync(query, after, pageSize, cancellationToken);
        }

        // A closing incident is in both for a moment, so the open ones are read first.
        var final = query.State?.IsFinal();
        var indexes = ((bool[])[true, false])
            .Where(open => query.Open is not { } wanted || wanted == open)
            .Where(open => final is null || final != open);
        return Merge([.. indexes.Select(open => index.ReadAsync(open, query, after, pageSize, cancellationToken))], cancellationToken);
    }

    private static bool Matches(IncidentQuery query, IncidentSummary incident) =>
        (query.State is not { } state || incident.State == state) && (query.Open is not { } open || incident.State.IsFinal() != open)
        && query.Fits(incident);

    private static async IAsyncEnumerable<TableEntity> Merge(
        IReadOnlyList<IAsyncEnumerable<TableEntity>> sources, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var streams = new List<IAsyncEnumerator<TableEntity>>();
        try
        {
            foreach (var source in sources)
            {
                var stream = source.GetAsyncEnumerator(cancellationToken);
                streams.Add(stream);
                if (!await stream.MoveNextAsync())
                {
                    streams.Remove(stream);
                    await stream.DisposeAsync();
                }
            }

            string? shown = null;
            while (streams.MinBy(stream => stream.Current.RowKey, StringComparer.Ordinal) is { } next)
            {
                if (next.Current.RowKey != shown)
                {
                    yield return next.Current;
                    shown = next.Current.RowKey;
                }

                if (!await next.MoveNextAsync())
                {
                    streams.Remove(next);
                    await next.DisposeAsync();
                }
            }
        }
        finally
        {
            foreach (var stream in streams)
            {
                await stream.DisposeAsync();
            }
        }
    }
}
