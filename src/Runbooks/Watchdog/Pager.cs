using Runbooks.Model.Incidents;
using Runbooks.Orchestration;

namespace Runbooks.Watchdog;

/// <summary>Pages about one trouble once. A page that did not come to whom it is for is tried again, ever more rarely, and goes to them alone.</summary>
public sealed class Pager(IncidentCloser closer, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <returns>Whether somebody was told, now or before.</returns>
    public async Task<bool> PageOnceAsync(Incident incident, string trouble, string message, CancellationToken cancellationToken)
    {
        var tries = incident.Deliveries.Where(delivery => delivery.IsUnder(KeyOf(trouble))).ToList();
        var told = tries.Exists(delivery => delivery.Reached);
        if (Reach.IsEnough(tries))
        {
            return true;
        }

        return Reach.IsTooSoon(tries, FirstPause, LongestPause, time.GetUtcNow())
            ? told
            : await closer.PageAsync(new PageRequest(incident.Id, trouble, message), cancellationToken) || told;
    }

    /// <summary>Whether whoever the page is for has it.</summary>
    internal static bool IsHeard(Incident incident, string trouble) => Reach.IsEnough(incident.Deliveries.Where(delivery => delivery.IsUnder(KeyOf(trouble))));

    internal static string KeyOf(string trouble) => $"page:{trouble}";
}
