namespace Runbooks.Incidents;

/// <summary>One message to one contact: what reached whom, when, and what failed on the way.</summary>
/// <param name="Key">Stable over retries, so that a message recorded as delivered is not sent again after a crash.</param>
/// <param name="Channel">The channel that took it; null when none did.</param>
public sealed record Delivery(string Key, string Contact, string? Channel, DateTimeOffset At, string? Failure)
{
    public bool Reached => Channel is not null;
}
