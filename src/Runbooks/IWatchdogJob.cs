namespace Runbooks;

/// <summary>One job of the watchdog, run every minute. A failure of one does not stop the others.</summary>
public interface IWatchdogJob
{
    /// <summary>For the log: what could not be checked.</summary>
    string Name { get; }

    Task RunAsync(CancellationToken cancellationToken);
}

internal static class WatchdogParts
{
    /// <summary>Whatever fails, the other parts of the watchdog run, and the next minute tries again.</summary>
    public static async Task<bool> TryPartAsync(
        this ILogger logger, string part, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
            return true;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.WatchFailed(logger, part, failure);
            return false;
        }
    }
}
