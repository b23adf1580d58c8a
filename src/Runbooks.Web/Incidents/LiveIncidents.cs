namespace Runbooks.Web.Incidents;

/// <summary>
/// What the pages about everything read, each list once: open incidents, and ended ones that people are not done with. All changes that
/// are in place belong to one of these.
/// </summary>
public sealed class LiveIncidents(IIncidentStore store)
{
    public const int Most = IncidentQuery.Most;

    /// <summary>More are read of the open ones: the oldest change comes last, behind a storm that came since.</summary>
    public const int MostOpen = 5_000;

    public async Task<LiveIncidentsNow> ReadAsync(CancellationToken cancellationToken)
    {
        // One more shows whether there are more.
        var open = await store.ListAllAsync(new(Open: true, Limit: IncidentQuery.Most), cancellationToken)
            .Take(MostOpen + 1)
            .ToListAsync(cancellationToken);
        var unfinished = await store.ListAsync(new(Unfinished: true, Limit: Most), cancellationToken);
        return new([.. open.Take(MostOpen)], unfinished.Items)
        {
            IsCut = unfinished.Next is not null,
            IsOpenCut = open.Count > MostOpen,
        };
    }
}

/// <param name="Open">The newest first.</param>
/// <param name="Unfinished">Those that have ended and need a person, are owned by one, or have a change in place.</param>
public sealed record LiveIncidentsNow(IReadOnlyList<IncidentSummary> Open, IReadOnlyList<IncidentSummary> Unfinished)
{
    /// <summary>Each once: an incident that ended between the two listings is in both.</summary>
    public IReadOnlyList<IncidentSummary> Changed { get; } =
        [.. Open.Concat(Unfinished).Where(item => item.Changes is { Count: > 0 }).DistinctBy(item => item.Id)];

    /// <summary>There are more unfinished ones.</summary>
    public bool IsCut { get; init; }

    /// <summary>There are more open ones.</summary>
    public bool IsOpenCut { get; init; }

    public IReadOnlyList<IncidentSummary> NeedPerson { get; } = [.. Unfinished.Where(item => item.NeedsPerson)];

    public IReadOnlyList<IncidentSummary> Owned { get; } = [.. Unfinished.Where(item => item.OwnedByResponder)];
}
