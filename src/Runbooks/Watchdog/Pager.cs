using Runbooks.Notifications.Storms;
using Runbooks.Orchestration;

namespace Runbooks.Watchdog;

/// <summary>Pages about one trouble once. A page that did not come to whom it is for is tried again, ever more rarely, and goes to them alone.</summary>
public sealed class Pager(IncidentCloser closer, StormPager storms, TimeProvider time)
{
    private readonly ConcurrentQueue<PageInStorm> _ofStorms = new();

    /// <param name="alone">Also in a storm by itself and at once; otherwise <see cref="PageStormsAsync"/> tells it with those of others.</param>
    /// <param name="ending">Makes of the incident what it will be in a moment: that is what the page is about. Null where the page ends nothing.</param>
    /// <returns>Whether somebody was told, now or before.</returns>
    public async Task<bool> PageOnceAsync(Incident incident, string trouble, string message, CancellationToken cancellationToken, bool alone = false, Func<Incident, Incident>? ending = null)
    {
        var key = DuePage.KeyOf(trouble);
        var told = incident.Reached(key);
        if (!DeliveryRetry.IsDue(incident, key, time.GetUtcNow()))
        {
            return told;
        }

        if (incident.InStorm && !alone)
        {
            _ofStorms.Enqueue(new(incident, trouble, message));
            return told;
        }

        return await closer.PageAsync(new PageRequest(incident.Id, trouble, message), cancellationToken, ending) || told;
    }

    /// <summary>Tells what was found on incidents of storms since the last time.</summary>
    public async Task PageStormsAsync(CancellationToken cancellationToken)
    {
        var pages = new List<PageInStorm>();
        while (_ofStorms.TryDequeue(out var page))
        {
            pages.Add(page);
        }

        await storms.NotifyAsync(pages, cancellationToken);
    }

    /// <summary>Whether whoever the page is for has it.</summary>
    internal static bool IsHeard(Incident incident, string trouble) => DeliveryRetry.IsHeard(incident, DuePage.KeyOf(trouble));
}
