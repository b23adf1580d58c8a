using Runbooks.Model.Storage;

namespace Runbooks.Web.Safety;

/// <summary>What the automation has changed right now: read from the two short listings of what runs and what is left to people.</summary>
public sealed class ChangesInPlace(IIncidentStore store)
{
    private const int Most = 500;

    public async Task<IReadOnlyList<IncidentSummary>> FindAsync(CancellationToken cancellationToken)
    {
        var open = await store.ListAsync(new(Open: true, Limit: Most), cancellationToken);
        var left = await store.ListAsync(new(LeftToPeople: true, Limit: Most), cancellationToken);
        return [.. open.Items.Concat(left.Items).Where(item => item.Changes is { Count: > 0 }).DistinctBy(item => item.Id)];
    }
}
