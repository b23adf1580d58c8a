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

        // Each try leaves its lines in the record, which must not grow without bound while every channel is down.
        var rounds = tries.GroupBy(delivery => delivery.Key, StringComparer.Ordinal).Select(to => to.Count()).DefaultIfEmpty().Max();
        return rounds > 0 && time.GetUtcNow() - tries.Max(delivery => delivery.At) < Pause(rounds)
            ? told
            : await closer.PageAsync(new PageRequest(incident.Id, trouble, message), cancellationToken) || told;
    }

    internal static string KeyOf(string trouble) => $"page:{trouble}";

    private static TimeSpan Pause(int rounds)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(rounds, 10) - 1);
        return pause < LongestPause ? pause : LongestPause;
    }
}
