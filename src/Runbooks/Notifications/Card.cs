using System.Text.Json.Serialization;

namespace Runbooks.Notifications;

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
