using System.Net;
using System.Text.Json.Serialization;

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

/// <summary>
/// A message in words and structure, for any channel: each renderer turns it into its own form and encodes every text.
/// </summary>
public sealed record Card
{
    public required CardKind Kind { get; init; }
    public required string IncidentId { get; init; }

    /// <summary>Channels that join messages into threads join those of one name: of an incident, or of all that one flapping alert opened.</summary>
    [JsonIgnore]
    public string Thread { get => field ?? IncidentId; init; }

    /// <summary>Names this message within the incident, the same on every attempt to send it; null on a card that is not sent yet.</summary>
    public string? Key { get; init; }

    /// <summary>One line; also the subject of a mail.</summary>
    public required string Title { get; init; }
    public ImpactSeverity Severity { get; init; } = ImpactSeverity.Medium;

    /// <summary>Nothing outside is touched; every channel says so first.</summary>
    public bool DryRun { get; init; }

    /// <summary>What broke and for whom, what was found, what will be done, how it is undone, what happens in silence.</summary>
    public IReadOnlyList<CardSection> Sections { get; init; } = [];

    /// <summary>Pages to open; the first is the one to press.</summary>
    public IReadOnlyList<CardLink> Links { get; init; } = [];

    /// <summary>Whether the first link is where to decide.</summary>
    [JsonIgnore]
    public bool Asks => Kind is CardKind.ApprovalRequest or CardKind.Reminder or CardKind.Escalation;

    /// <summary>Nobody has to act on it.</summary>
    [JsonIgnore]
    public bool Informs => Kind is CardKind.Decided or CardKind.Closed;

    /// <summary>The question is closed; recipients are no longer called about it.</summary>
    [JsonIgnore]
    public bool IsAnswered { get; init; }

    /// <summary>On a channel that rings, nobody is called about it from now on.</summary>
    [JsonIgnore]
    public bool CallsNobody => Informs || IsAnswered;

    /// <summary>Of such a message: a responder owns it or sees to it, so that on a channel that rings it stays, acknowledged, until somebody closes it.</summary>
    [JsonIgnore]
    public bool IsSeenTo { get; init; }

    /// <summary>It says how something ended: whoever has nothing but an alert about that, on a channel that rings, gets the end of the alert and no other.</summary>
    [JsonIgnore]
    public bool IsEnd { get; init; }

    /// <summary>Not null on a card that asks for one decision: the gate that channels with buttons of their own decide on.</summary>
    public string? GateId { get; init; }

    /// <summary>The plan that such a button approves.</summary>
    public string? PlanHash { get; init; }

    /// <summary>What a yes means, for channels that ask whether a button was meant.</summary>
    [JsonIgnore]
    public string? Yes { get; init; }

    /// <summary>What a no means.</summary>
    [JsonIgnore]
    public string? No { get; init; }

    /// <summary>The card with nothing to decide on but its links: a button approves what is shown, and not all of it is.</summary>
    [JsonIgnore]
    public Card WithoutButtons => this with { GateId = null, PlanHash = null };

    /// <summary>For a channel that refused the card for its form: what somebody needs to answer, and the links.</summary>
    [JsonIgnore]
    public Card Shortened => WithoutButtons with { Sections = [.. Sections.Where(section => section.IsNeeded), CardSection.Rest] };

    /// <summary>The card with no link to decide by, for a message that several people get as one: the link names one of them, and an answer by it would be that one's.</summary>
    [JsonIgnore]
    public Card WithoutLinkToDecide => Asks ? this with { Links = [.. Links.Skip(1)] } : this;

    /// <summary>Whoever answers has to be known, since people are counted.</summary>
    [JsonIgnore]
    public bool CountsPeople { get; init; }

    /// <summary>The card as one person gets it where others read it as well: whoever opened their link would be counted as them.</summary>
    [JsonIgnore]
    public Card ForSharedPlace => CountsPeople ? WithoutLinkToDecide : this;

    /// <summary>The card as this recipient gets it. Somebody who may know of it and may not decide gets nothing to decide with, and why they hear of it.</summary>
    public Card For(Recipient recipient) => !recipient.IsStranger ? this : WithoutButtons with
    {
        Kind = Asks ? CardKind.Decided : Kind,
        Title = Asks ? $"For your information: {Title}" : Title,
        Links = WithoutLinkToDecide.Links,
        Sections = [new("Why you are told", [recipient.Why!, .. Asks ? ["You cannot decide this; it goes to those who can."] : Array.Empty<string>()]), .. Sections],
    };

    // The one that the compiler writes would show the card within the card, without end.
    public override string ToString() => $"{Kind}: {Title}";
}

public sealed record CardSection(string Heading, IReadOnlyList<string> Lines)
{
    /// <summary>Nobody can answer without it: channels that take only so much shorten the others first.</summary>
    [JsonIgnore]
    public bool IsNeeded { get; init; }

    /// <summary>Ends a card that left out others.</summary>
    public static CardSection Rest { get; } = new("And more", ["This is not all: the rest is on the page."]);

    /// <summary>The section where there is something to say; none where there is not.</summary>
    public static IEnumerable<CardSection> If(string heading, IEnumerable<string> lines, bool isNeeded = false) =>
        lines.ToList() is { Count: > 0 } list ? [new(heading, list) { IsNeeded = isNeeded }] : [];
}

public sealed record CardLink(string Text, string Url);
