using System.Net;
using System.Text.Json.Serialization;

namespace Runbooks.Notifications;

/// <summary>One channel: Teams, Slack, e-mail … A duplicate channel name fails at start-up.</summary>
public interface INotifier
{
    /// <summary>The name in contacts: <c>teams</c>, <c>slack</c>, <c>email</c>, <c>outbox</c>.</summary>
    string Channel { get; }

    /// <summary>Whether addresses of this channel are secrets. Contacts then have to name a setting, <c>${NAME}</c>.</summary>
    bool AddressIsSecret => false;

    /// <summary>Whether it never says if a message arrived (<see cref="Receipt.IsHandedOver"/>).</summary>
    bool OnlyHandsOver => false;

    /// <summary>Whether each message calls somebody up. A message that nobody has to act on goes to other channels first.</summary>
    bool Rings => false;

    /// <summary>What the channel's settings lack, with the remedy; null when it can send.</summary>
    string? ConfigurationError => null;

    /// <returns>What is wrong with the address; null when it can be used.</returns>
    /// <param name="to">The address itself; the value of the setting where the contact names one.</param>
    string? ValidateAddress(string to) => null;

    bool IsRoom(string to) => false;

    /// <exception cref="DeliveryException">The channel did not take it. The message has no secrets in it.</exception>
    Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken);

    /// <summary>
    /// For a channel that rings: the reference that <see cref="SendAsync"/> will return, so that an alert can be ended whose answer was lost.
    /// Null where only the answer has it.
    /// </summary>
    string? ReferenceOf(Card card, Address to) => null;

    /// <summary>Replaces an earlier message, where the channel can, so that its buttons no longer ask.</summary>
    Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes older messages, where the channel keeps them itself.</summary>
    Task ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <param name="Reference">Finds the message again for <see cref="INotifier.UpdateAsync"/>, without secrets; null where it cannot be changed.</param>
/// <param name="IsHandedOver">The channel took the message and does not say whether it arrives.</param>
public readonly record struct Receipt(string? Reference, bool IsHandedOver = false)
{
    public static implicit operator Receipt(string? reference) => new(reference);
}

/// <param name="To">In the channel's own form, such as a mail address or a Slack channel; <c>${NAME}</c> for the value of a setting.</param>
public sealed record Address(string Channel, string To, string Recipient)
{
    /// <summary>The address of a person that somebody else has too, so that they get each other's messages.</summary>
    public bool IsShared { get; init; }
}

/// <summary>A channel did not take a message. The text goes on the record, so it must have no secret in it.</summary>
/// <param name="transient">Whether a later attempt may succeed.</param>
public sealed class DeliveryException(string message, bool transient = false) : Exception(message)
{
    public bool Transient => transient;

    public HttpStatusCode? Status { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public bool IsLate { get; init; }

    /// <summary>The channel refused the form of the message. It may take a shorter one.</summary>
    public bool IsForm { get; init; }
}

/// <summary>When a message about an incident is sent again to those who do not have it, at growing intervals.</summary>
public static class DeliveryRetry
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(1);

    /// <param name="needsPerson">Each contact, or the last in line, has to have the message; otherwise it is enough that somebody has it.</param>
    public static bool IsHeard(Incident incident, string key, bool needsPerson = true) => IsHeard([.. incident.DeliveriesUnder(key)], needsPerson);

    /// <inheritdoc cref="IsHeard(Incident, string, bool)"/>
    public static bool IsDue(Incident incident, string key, DateTimeOffset now, bool needsPerson = true) =>
        incident.DeliveriesUnder(key).ToList() is var tries && !IsHeard(tries, needsPerson) && !Reach.IsTooSoon(tries, s_firstPause, s_longestPause, now);

    private static bool IsHeard(List<Delivery> tries, bool needsPerson) => needsPerson ? Reach.IsEnough(tries) : tries.Exists(delivery => delivery.Reached);
}

/// <summary>A message for any channel. Each renderer turns it into its channel's form and encodes every text.</summary>
public sealed record Card
{
    public required CardKind Kind { get; init; }
    public required string IncidentId { get; init; }

    /// <summary>For channels with threads: the incident, or the first one of a flapping alert.</summary>
    [JsonIgnore]
    public string Thread { get => field ?? IncidentId; init; }

    /// <summary>Names this message within the incident, the same on every attempt; null before it is sent.</summary>
    public string? Key { get; init; }

    /// <summary>One line; also the subject of a mail.</summary>
    public required string Title { get; init; }
    public ImpactSeverity Severity { get; init; } = ImpactSeverity.Medium;

    /// <summary>Nothing outside is touched. Every channel says so first.</summary>
    public bool DryRun { get; init; }

    public IReadOnlyList<CardSection> Sections { get; init; } = [];

    /// <summary>Pages to open. The first is the one to press.</summary>
    public IReadOnlyList<CardLink> Links { get; init; } = [];

    [JsonIgnore]
    public bool Asks => Kind is CardKind.ApprovalRequest or CardKind.Reminder or CardKind.Escalation;

    /// <summary>Nobody has to act on it.</summary>
    [JsonIgnore]
    public bool Informs => Kind is CardKind.Decided or CardKind.Closed;

    [JsonIgnore]
    public bool IsAnswered { get; init; }

    [JsonIgnore]
    public bool CallsNobody => Informs || IsAnswered;

    /// <summary>A responder owns it or sees to it. On a channel that rings its alert stays, acknowledged, until somebody closes it.</summary>
    [JsonIgnore]
    public bool IsSeenTo { get; init; }

    /// <summary>It says how something ended. Somebody who has an alert about it gets the end of the alert and no message.</summary>
    [JsonIgnore]
    public bool IsEnd { get; init; }

    /// <summary>The gate that a channel's own buttons decide on; null on a card that does not ask for one decision.</summary>
    public string? GateId { get; init; }

    public string? PlanHash { get; init; }

    /// <summary>What a yes means, for channels that ask for a confirmation.</summary>
    [JsonIgnore]
    public string? Yes { get; init; }

    [JsonIgnore]
    public string? No { get; init; }

    /// <summary>
    /// A button approves the whole plan. So a card that leaves something out, or whose reader may not approve, has none.
    /// </summary>
    [JsonIgnore]
    public Card WithoutButtons => this with { GateId = null, PlanHash = null };

    /// <summary>For a channel that refused the form of the card: what somebody needs to answer, and the links.</summary>
    [JsonIgnore]
    public Card Shortened => WithoutButtons with { Sections = [.. Sections.Where(section => section.IsNeeded), CardSection.Rest] };

    /// <summary>For a message that several people get as one: the link names one person, and an answer by it would count as theirs.</summary>
    [JsonIgnore]
    public Card WithoutLinkToDecide => Asks ? this with { Links = [.. Links.Skip(1)] } : this;

    [JsonIgnore]
    public bool CountsPeople { get; init; }

    /// <summary>For a person's address that others read too: anybody who opened the link would count as that person.</summary>
    [JsonIgnore]
    public Card ForSharedPlace => CountsPeople ? WithoutLinkToDecide : this;

    /// <summary>A stranger may not decide, so they get no buttons, and the reason for the message.</summary>
    public Card For(Recipient recipient) => !recipient.IsStranger ? this : WithoutButtons with
    {
        Kind = Asks ? CardKind.Decided : Kind,
        Title = Asks ? $"For your information: {Title}" : Title,
        Links = WithoutLinkToDecide.Links,
        Sections =
        [
            new("Why you are told", [recipient.Why!, .. Asks ? ["You cannot decide this; it goes to those who can."] : Array.Empty<string>()]),
            .. Sections,
        ],
    };

    // The compiler's own version would print the card within the card, without end.
    public override string ToString() => $"{Kind}: {Title}";
}

public sealed record CardSection(string Heading, IReadOnlyList<string> Lines)
{
    /// <summary>Nobody can answer without it, so channels with a length limit shorten the other sections first.</summary>
    [JsonIgnore]
    public bool IsNeeded { get; init; }

    public static CardSection Rest { get; } = new("And more", ["This is not all: the rest is on the page."]);

    public static IEnumerable<CardSection> If(string heading, IEnumerable<string> lines, bool isNeeded = false) =>
        lines.ToList() is { Count: > 0 } list ? [new(heading, list) { IsNeeded = isNeeded }] : [];
}

public sealed record CardLink(string Text, string Url);
