using System.Net;

namespace Runbooks.Notifications;

/// <summary>One channel: Teams, Slack, e-mail … A duplicate channel name fails at start-up.</summary>
public interface INotifier
{
    /// <summary>As contacts name it: <c>teams</c>, <c>slack</c>, <c>email</c>, <c>outbox</c>.</summary>
    string Channel { get; }

    /// <summary>Whether addresses of this channel are secrets: contacts then name a setting, <c>${NAME}</c>, and never the value.</summary>
    bool AddressIsSecret => false;

    /// <summary>Whether it only takes messages on, and never tells whether one arrived (<see cref="Receipt.IsHandedOver"/>).</summary>
    bool OnlyHandsOver => false;

    /// <summary>Whether each message calls somebody up. What nobody has to act on goes to a recipient's other channels first.</summary>
    bool Rings => false;

    /// <summary>What the channel's own settings lack, and how to put it right; null when it can send.</summary>
    string? ConfigurationError => null;

    /// <summary>What is wrong with an address; null when it can be used.</summary>
    /// <param name="to">The address itself, a setting's value where the contact names one.</param>
    string? ValidateAddress(string to) => null;

    /// <summary>Whether an address is known to be a place that several people read.</summary>
    bool IsRoom(string to) => false;

    /// <summary>Sends, and returns once the channel has taken it. Throws when it has not, in words without secrets.</summary>
    /// <exception cref="DeliveryException">The channel did not take it; tells whether trying again can help.</exception>
    Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken);

    /// <summary>
    /// Of a channel that rings: what <see cref="SendAsync"/> will call this message, known before it is sent, so that an alert can be ended
    /// whose answer was lost. Null where only the answer says it.
    /// </summary>
    string? ReferenceOf(Card card, Address to) => null;

    /// <summary>Replaces a message that was sent before, so that its buttons no longer ask. Channels that cannot do it do nothing.</summary>
    Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes messages that this channel keeps itself and that are older than this. Most keep none.</summary>
    Task ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>What a channel says of a message that it took.</summary>
/// <param name="Reference">What <see cref="INotifier.UpdateAsync"/> needs to find the message again, without secrets; null where it cannot be changed.</param>
/// <param name="IsHandedOver">It only took the message on: whether it ever arrives, it does not tell.</param>
public readonly record struct Receipt(string? Reference, bool IsHandedOver = false)
{
    public static implicit operator Receipt(string? reference) => new(reference);
}

/// <summary>Where one recipient is reached on one channel.</summary>
/// <param name="To">In the channel's own form: a mail address, a Slack channel; <c>${NAME}</c> where a setting holds it.</param>
/// <param name="Recipient">Whose link and card it is.</param>
public sealed record Address(string Channel, string To, string Recipient)
{
    /// <summary>A person's, and the same message goes there to somebody else as well.</summary>
    public bool IsShared { get; init; }
}

/// <summary>A channel did not take a message. The message of the exception goes on the record: it holds no secret.</summary>
/// <param name="transient">Whether the same message may be taken a little later.</param>
public sealed class DeliveryException(string message, bool transient = false) : Exception(message)
{
    public bool Transient => transient;

    /// <summary>What a channel that is reached by HTTP answered.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>How long the channel asks to be left alone; null where it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>It did not answer in time.</summary>
    public bool IsLate { get; init; }

    /// <summary>It was refused for its form: a shorter one may be taken.</summary>
    public bool IsForm { get; init; }
}

/// <summary>
/// When a message about an incident is tried again for whoever does not have it: ever more rarely. One rule for pages, for a
/// temporary fix that is in place, and for what a storm tells.
/// </summary>
public static class DeliveryRetry
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(1);

    /// <param name="needsPerson">Each contact that it is for has to have it, or the last in line; else it is enough that somebody has.</param>
    public static bool IsHeard(Incident incident, string key, bool needsPerson = true) => IsHeard([.. incident.DeliveriesUnder(key)], needsPerson);

    /// <inheritdoc cref="IsHeard(Incident, string, bool)"/>
    public static bool IsDue(Incident incident, string key, DateTimeOffset now, bool needsPerson = true) =>
        incident.DeliveriesUnder(key).ToList() is var tries && !IsHeard(tries, needsPerson) && !Reach.IsTooSoon(tries, s_firstPause, s_longestPause, now);

    private static bool IsHeard(List<Delivery> tries, bool needsPerson) => needsPerson ? Reach.IsEnough(tries) : tries.Exists(delivery => delivery.Reached);
}
