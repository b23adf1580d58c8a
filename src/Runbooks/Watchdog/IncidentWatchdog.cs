namespace Runbooks.Watchdog;

/// <summary>
/// Looks at everything from outside the workflows: silence is never success. Its jobs run one after the other, in the order in
/// which <see cref="WatchdogServices"/> names them; hosts call it every minute.
/// </summary>
public sealed class IncidentWatchdog(HealthMonitor health, IEnumerable<IWatchdogJob> jobs, ILogger<IncidentWatchdog> logger)
{
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!await health.CheckAsync(cancellationToken))
        {
            // Without a store or an engine nothing can be judged, and every incident would look lost.
            return;
        }

        foreach (var job in jobs)
        {
            await logger.TryPartAsync(job.Name, job.RunAsync, cancellationToken);
        }
    }
}

internal static class WatchdogParts
{
    /// <summary>Whatever keeps one part of the watch from its work, the others do theirs, and the next minute tries again.</summary>
    /// <returns>Whether it went.</returns>
    public static async Task<bool> TryPartAsync(this ILogger logger, string part, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
            return true;
        }
        // As said: any failure at all.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.WatchFailed(logger, part, failure);
            return false;
        }
    }
}
