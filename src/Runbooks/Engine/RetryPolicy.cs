namespace Runbooks.Engine;

/// <summary>How often and how soon the engine runs an activity again that threw.</summary>
/// <param name="MaxAttempts">All attempts together, the first included; at least 1.</param>
/// <param name="FirstDelay">The pause before the second attempt.</param>
/// <param name="Backoff">Each pause is this many times the one before it.</param>
/// <param name="MaxDelay">No pause is longer than this; null for a year.</param>
public sealed record RetryPolicy(int MaxAttempts, TimeSpan FirstDelay, double Backoff = 2, TimeSpan? MaxDelay = null)
{
    /// <summary>The pause before the attempt after <paramref name="failedAttempts"/> failed ones.</summary>
    public TimeSpan DelayAfter(int failedAttempts)
    {
        // In doubles: the power outgrows a TimeSpan long before anybody runs out of attempts.
        var ticks = FirstDelay.Ticks * Math.Pow(Backoff, failedAttempts - 1);
        return TimeSpan.FromTicks((long)Math.Min(ticks, (MaxDelay ?? TimeSpan.FromDays(365)).Ticks));
    }
}
