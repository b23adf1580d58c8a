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
