namespace Runbooks;

/// <summary>What the watchdog does every minute, beside others: a failure of one keeps none of the others from its work.</summary>
public interface IWatchdogJob
{
    /// <summary>For the log: what could not be looked at.</summary>
    string Name { get; }

    Task RunAsync(CancellationToken cancellationToken);
}
