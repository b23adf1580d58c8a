namespace Runbooks.Model.Incidents;

/// <summary>One message to one contact: what reached whom, when, and what failed on the way.</summary>
/// <param name="Key">Stable over retries, so that a message recorded as delivered is not sent again after a crash.</param>
/// <param name="Contact">The person or room it was for.</param>
/// <param name="Channel">The channel that took it; null when none did.</param>
/// <param name="Failure">What went wrong before it was taken, or why it never was.</param>
/// <param name="Reference">Where the channel has the message, so that it can be changed; null where it cannot.</param>
public sealed record Delivery(string Key, string Contact, string? Channel, DateTimeOffset At, string? Failure, string? Reference = null)
{
    public bool Reached => Channel is not null;
}
