namespace Runbooks;

/// <summary>What the watchdog does every minute, beside others: a failure of one keeps none of the others from its work.</summary>
public interface IWatchdogJob
{
    /// <summary>For the log: what could not be looked at.</summary>
    string Name { get; }

    Task RunAsync(CancellationToken cancellationToken);
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
