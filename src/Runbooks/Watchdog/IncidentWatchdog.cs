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

/// <summary>Pages once where the records are those of a backup.</summary>
internal sealed class RestoredNotice(RestoredRecords restored, FallbackNotifier fallback) : IWatchdogJob
{
    public string Name => "the store's generation";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await restored.CheckAsync(cancellationToken);
        if (await restored.FindUntoldAsync(cancellationToken) is { } at && await fallback.NotifyAsync(
            "The records were restored from a backup",
            $"Noticed at {at:yyyy-MM-dd HH:mm} UTC. What happened after the backup was made is not in them. Incidents that were open then ask again before anything is done, and page by themselves. "
            + "Look at the page Safety: the kill switch and the breakers are as they were then.",
            FallbackNotifier.SystemId, $"restored:{at.UtcTicks}", cancellationToken))
        {
            await restored.NoteToldAsync(cancellationToken);
        }
    }
}
