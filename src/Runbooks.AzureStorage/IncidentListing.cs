using System.Runtime.CompilerServices;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <summary>
/// Pages out of the indexes. A blank row only says that there may be an incident: what is shown is read from the incident
/// itself, without its document.
/// </summary>
internal sealed class IncidentListing(IncidentIndex index, Func<TableEntity, CancellationToken, Task<IncidentSummary?>> read)
{
    private const int MaxConcurrency = 16;

    /// <exception cref="FormatException">The cursor is none of ours.</exception>
    public async Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken)
    {
        var limit = Math.Clamp(query.Limit, 1, 500);
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
        // One more than is shown, and as many as are looked at side by side: no request for rows that are not looked at.
        var pageSize = (limit + MaxConcurrency) / MaxConcurrency * MaxConcurrency;
        if (query.LeftToPeople || query.Unfinished)
        {
            return index.ReadLeftAsync(query, after, pageSize, cancellationToken);
        }

        // The row of an incident that closes is in both for a moment, so the open ones are read first.
        var final = query.State?.IsFinal();
        var indexes = ((bool[])[true, false]).Where(open => query.Open is not { } wanted || wanted == open).Where(open => final is null || final != open);
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
