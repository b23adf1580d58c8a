using Runbooks.Model.Storage;

namespace Runbooks.Web.Incidents;

/// <summary>
/// What the pages about everything read, each listing once: what runs, and what has ended and people are not done with. What
/// the automation has changed right now is in these two.
/// </summary>
public sealed class LiveIncidents(IIncidentStore store)
{
    public const int Most = 500;

    public async Task<LiveIncidentsNow> ReadAsync(CancellationToken cancellationToken)
    {
        var open = await store.ListAsync(new(Open: true, Limit: Most), cancellationToken);
        var unfinished = await store.ListAsync(new(Unfinished: true, Limit: Most), cancellationToken);
        return new(open.Items, unfinished.Items);
    }
}

/// <param name="Open">What is not final, the newest first.</param>
/// <param name="Unfinished">What has ended and needs a person, is owned by one, or has a change in place.</param>
public sealed record LiveIncidentsNow(IReadOnlyList<IncidentSummary> Open, IReadOnlyList<IncidentSummary> Unfinished)
{
    /// <summary>An incident that ended between the two listings is in both.</summary>
    public IReadOnlyList<IncidentSummary> Changed { get; } = [.. Open.Concat(Unfinished).Where(item => item.Changes is { Count: > 0 }).DistinctBy(item => item.Id)];

    public IReadOnlyList<IncidentSummary> NeedPerson { get; } = [.. Unfinished.Where(item => item.NeedsPerson)];

    public IReadOnlyList<IncidentSummary> Owned { get; } = [.. Unfinished.Where(item => item.OwnedByResponder)];
}
