namespace Runbooks.Web.Incidents;

/// <summary>
/// What the pages about everything read, each listing once: what runs, and what has ended and people are not done with. What
/// the automation has changed right now is in these two.
/// </summary>
public sealed class LiveIncidents(IIncidentStore store)
{
    public const int Most = IncidentQuery.Most;

    /// <summary>Of what is open more are read: what has been changed longest stands last, behind a storm that came since.</summary>
    public const int MostOpen = 5_000;

    public async Task<LiveIncidentsNow> ReadAsync(CancellationToken cancellationToken)
    {
        // One more tells that there are more.
        var open = await store.ListAllAsync(new(Open: true, Limit: IncidentQuery.Most), cancellationToken).Take(MostOpen + 1).ToListAsync(cancellationToken);
        var unfinished = await store.ListAsync(new(Unfinished: true, Limit: Most), cancellationToken);
        return new([.. open.Take(MostOpen)], unfinished.Items) { IsCut = unfinished.Next is not null, IsOpenCut = open.Count > MostOpen };
    }
}

/// <param name="Open">What is not final, the newest first.</param>
/// <param name="Unfinished">What has ended and needs a person, is owned by one, or has a change in place.</param>
public sealed record LiveIncidentsNow(IReadOnlyList<IncidentSummary> Open, IReadOnlyList<IncidentSummary> Unfinished)
{
    /// <summary>An incident that ended between the two listings is in both.</summary>
    public IReadOnlyList<IncidentSummary> Changed { get; } = [.. Open.Concat(Unfinished).Where(item => item.Changes is { Count: > 0 }).DistinctBy(item => item.Id)];

    /// <summary>There are more that have ended and people are not done with.</summary>
    public bool IsCut { get; init; }

    /// <summary>More are open.</summary>
    public bool IsOpenCut { get; init; }

    public IReadOnlyList<IncidentSummary> NeedPerson { get; } = [.. Unfinished.Where(item => item.NeedsPerson)];

    public IReadOnlyList<IncidentSummary> Owned { get; } = [.. Unfinished.Where(item => item.OwnedByResponder)];
}
