using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>The incidents of a storm.</summary>
public sealed class StormMembers(IIncidentStore store)
{
    /// <summary>More than this on one page or in one message help nobody; the rest comes with the next.</summary>
    public const int MaxMembers = 500;

    private const int MaxConcurrency = 16;

    /// <param name="line">Which of them, as far as the listing says; what is left is read whole.</param>
    /// <param name="whole">Which of those.</param>
    /// <returns>Oldest first, at most <see cref="MaxMembers"/>.</returns>
    public async Task<IReadOnlyList<Incident>> FindAsync(
        string runbookId, DateTimeOffset since, Func<IncidentSummary, bool> line, Func<Incident, bool> whole, CancellationToken cancellationToken)
    {
        var ids = new List<string>();
        await foreach (var summary in store.ListAllAsync(new IncidentQuery(RunbookId: runbookId, Since: since, Limit: MaxMembers), cancellationToken))
        {
            if (summary.InStorm && line(summary))
            {
                ids.Add(summary.Id);
            }
        }

        ids.Reverse();
        var found = new List<Incident>();
        foreach (var some in ids.Chunk(MaxConcurrency).TakeWhile(_ => found.Count < MaxMembers))
        {
            var read = await Task.WhenAll(some.Select(id => store.FindAsync(id, cancellationToken)));
            found.AddRange(read.OfType<Incident>().Where(whole));
        }

        return found;
    }

    public async Task<bool> AnyOpenAsync(Storm storm, CancellationToken cancellationToken)
    {
        await foreach (var line in store.ListAllAsync(new IncidentQuery(RunbookId: storm.RunbookId, Since: storm.Since, Open: true, Limit: MaxMembers), cancellationToken))
        {
            if (line.InStorm)
            {
                return true;
            }
        }

        return false;
    }

    public Task UpdateAsync(IEnumerable<Incident> members, Func<Incident, Incident> change, CancellationToken cancellationToken) =>
        BoundedConcurrency.ForEachAsync(members, MaxConcurrency, member => store.UpdateAsync(member.Id, change, cancellationToken));
}
