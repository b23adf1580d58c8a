using System.Runtime.CompilerServices;

namespace Runbooks.Notifications.Storms;

/// <summary>The incidents of a storm.</summary>
public sealed class StormMembers(IIncidentStore store, TimeProvider time)
{
    /// <summary>More than this on one page, or in one message about ends, help nobody; the rest comes with the next.</summary>
    public const int MaxMembers = 500;

    private const int MaxConcurrency = 16;

    /// <summary>A question that has waited longer than this when a storm begins goes on by itself.</summary>
    private static readonly TimeSpan TakenIn = TimeSpan.FromHours(1);

    /// <param name="whole">Which of them, once they are read whole.</param>
    /// <inheritdoc cref="ReadAsync"/>
    public async Task<IReadOnlyList<Incident>> FindAsync(
        string stormId, DateTimeOffset since, Func<IncidentSummary, bool> line, Func<Incident, bool> whole, CancellationToken cancellationToken, int atMost = MaxMembers, bool newestFirst = false) =>
        await ReadAsync(stormId, since, line, cancellationToken, newestFirst).Where(whole).Take(atMost).ToListAsync(cancellationToken);

    /// <param name="line">Which of them, as far as the listing says.</param>
    /// <returns>Oldest first, unless told otherwise. They are read as they are asked for.</returns>
    public async IAsyncEnumerable<Incident> ReadAsync(string stormId, DateTimeOffset since, Func<IncidentSummary, bool> line, [EnumeratorCancellation] CancellationToken cancellationToken, bool newestFirst = false)
    {
        var ids = await store.ListAllAsync(new IncidentQuery(Since: since, Limit: MaxMembers), cancellationToken)
            .Where(summary => summary.Storm == stormId && line(summary)).Select(summary => summary.Id).ToListAsync(cancellationToken);
        if (!newestFirst)
        {
            ids.Reverse();
        }

        foreach (var some in ids.Chunk(MaxConcurrency))
        {
            foreach (var incident in (await Task.WhenAll(some.Select(id => store.TryFindAsync(id, cancellationToken)))).OfType<Incident>())
            {
                yield return incident;
            }
        }
    }

    /// <summary>Questions that were asked one by one before the storm was known share its messages from now on; each can still be answered by its own.</summary>
    /// <returns>When the oldest of them opened; null when there are none.</returns>
    public async Task<DateTimeOffset?> TakeInAsync(string stormId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var waiting = await store.ListAsync(new IncidentQuery(IncidentState.AwaitingApproval, Since: now - TakenIn, Limit: MaxMembers), cancellationToken);
        var alone = waiting.Items.Where(line => line.Storm is null).ToList();
        await BoundedConcurrency.ForEachAsync(alone, MaxConcurrency, line => store.UpdateAsync(
            line.Id,
            incident => incident is { Storm: null, OpenGate: not null }
                ? (incident with { Storm = stormId }).Note(now, TimelineKind.Gate, "runbook", "Many incidents ask at once: from now on one message tells of all of them.")
                : incident,
            cancellationToken));
        return alone.Count == 0 ? null : alone.Min(line => line.OpenedAt);
    }

    public async Task<bool> AnyOpenAsync(Storm storm, CancellationToken cancellationToken)
    {
        await foreach (var line in store.ListAllAsync(new IncidentQuery(Since: storm.Since, Open: true, Limit: MaxMembers), cancellationToken))
        {
            if (line.Storm == storm.Id)
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>As they are now, in the same order.</returns>
    public async Task<IReadOnlyList<Incident>> UpdateAsync(IEnumerable<Incident> members, Func<Incident, Incident> change, CancellationToken cancellationToken)
    {
        var updated = members.ToArray();
        await BoundedConcurrency.ForEachAsync(Enumerable.Range(0, updated.Length), MaxConcurrency, async at => updated[at] = await store.UpdateAsync(updated[at].Id, change, cancellationToken));
        return updated;
    }
}
