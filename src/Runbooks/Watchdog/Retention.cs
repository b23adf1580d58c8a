namespace Runbooks.Watchdog;

/// <summary>
/// Removes closed incidents that people are done with, the record last, since the rest is found by it. A failure is tried again the next
/// day and does not stop the others. Hosts call it once a day.
/// </summary>
public sealed class Retention(
    IIncidentStore store,
    IEvidenceStore evidence,
    IIncidentEngine engine,
    RunLimits limits,
    IEnumerable<INotifier> channels,
    IOptions<WatchdogOptions> options,
    TimeProvider time,
    ILogger<Retention> logger)
{
    private DateTimeOffset Before => time.GetUtcNow() - options.Value.KeepFor;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await RemoveIncidentsAsync(cancellationToken);
        await ForgetMessagesAsync(cancellationToken);
    }

    public async Task<bool> RemoveIncidentsAsync(CancellationToken cancellationToken)
    {
        var before = Before;
        return await TryAsync("closed incidents", async () =>
        {
            var removed = await store.PurgeAsync(before, (id, token) => TryAsync(id, () => RemoveRestAsync(id, before, token), token), cancellationToken);
            Log.Purged(logger, removed.Count);
            return true;
        }, cancellationToken);
    }

    /// <summary>Old messages that the channels of this process keep. Processes that share a store each have their own outbox.</summary>
    public async Task ForgetMessagesAsync(CancellationToken cancellationToken)
    {
        var before = Before;
        foreach (var channel in channels)
        {
            await TryAsync(channel.Channel, async () =>
            {
                await channel.ForgetAsync(before, cancellationToken);
                return true;
            }, cancellationToken);
        }
    }

    /// <returns>False while people are not done with it, or its workflow still watches whether the fix holds.</returns>
    private async Task<bool> RemoveRestAsync(string id, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var incident = await store.FindAsync(id, cancellationToken);
        if (incident is { IsUnfinished: true } || incident?.SettlesAt > time.GetUtcNow())
        {
            return false;
        }

        await evidence.DeleteAsync(id, cancellationToken);
        await engine.ForgetAsync(id, cancellationToken);
        if (incident is not null)
        {
            await limits.ForgetAsync(incident, before, cancellationToken);
        }

        return true;
    }

    private async Task<bool> TryAsync(string what, Func<Task<bool>> removeAsync, CancellationToken cancellationToken)
    {
        try
        {
            return await removeAsync();
        }
        // An incident that cannot be removed does not stop the others.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotPurged(logger, what, failure);
            return false;
        }
    }
}
