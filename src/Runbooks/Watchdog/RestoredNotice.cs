namespace Runbooks.Watchdog;

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
