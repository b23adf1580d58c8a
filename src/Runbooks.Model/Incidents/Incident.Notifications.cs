namespace Runbooks.Model.Incidents;

/// <summary>What the record says about messages.</summary>
public sealed partial record Incident
{
    /// <summary>Pages that its workflow has asked for: the watch tells, or tries again, what has not come to whom it is for.</summary>
    public IReadOnlyList<DuePage> Pages { get; init; } = [];

    /// <summary>Asks for a page about a trouble, once.</summary>
    public Incident NotePage(string trouble, string message, DateTimeOffset now) =>
        Pages.Any(page => page.Trouble == trouble) ? this : this with { Pages = [.. Pages, new(trouble, message, now)] };

    /// <param name="about">How many incidents the message was about.</param>
    public Incident RecordDeliveries(IReadOnlyList<Delivery> deliveries, int about = 1)
    {
        var shared = about > 1 ? $", in one message about {about} incidents" : "";
        return deliveries.Aggregate(
            this with { Deliveries = [.. Deliveries, .. deliveries] },
            (changed, delivery) => changed.Note(delivery.At, TimelineKind.Message, "runbook", delivery switch
            {
                { IsStranger: true, Channel: { } channel } => $"Told {delivery.Contact} by {channel}{shared}: on call by a schedule but not in the contacts, so they cannot decide.",
                { IsEndOfAlert: true } => $"{(State == IncidentState.TakenOver ? "Acknowledged" : "Ended")} the alert of {delivery.Contact} on {delivery.Channel}{shared}{After(delivery)}. That calls nobody; who is told of it is up to their own settings there.",
                { Reached: true, IsHandedOver: true } => $"Handed to {delivery.Channel} for {delivery.Contact}{shared}{After(delivery)}. Whether it arrived is not known.",
                { Reached: true, Failure: null } => $"Told {delivery.Contact} by {delivery.Channel}{shared}.",
                { Reached: true } => $"Told {delivery.Contact} by {delivery.Channel}{shared}, after: {delivery.Failure}",
                _ => $"Could not reach {delivery.Contact}: {delivery.Failure}",
            }));

        static string After(Delivery delivery) => delivery.Failure is { } failed ? $", after: {failed.TrimEnd('.')}" : "";
    }

    /// <summary>
    /// Alerts that are being sent on channels that ring, and those that may or may not have been taken. They stand here before
    /// anybody is called, so that they end with what they are about, whatever answer was lost and whoever died meanwhile.
    /// </summary>
    public IReadOnlyList<Delivery> Calls { get; init; } = [];

    /// <summary>Every message that may have to be changed: what was taken, and the alerts that perhaps were.</summary>
    [JsonIgnore]
    public IEnumerable<Delivery> Changeable => Deliveries.Concat(Calls).Where(delivery => delivery.Reference is not null);

    /// <summary>Those among these alerts that are not on record yet.</summary>
    public IReadOnlyList<Delivery> NewCalls(IEnumerable<Delivery> calls) => [.. calls.Where(call => !Calls.Any(call.IsSameMessage))];

    public Incident Expect(IReadOnlyList<Delivery> calls) => NewCalls(calls) is { Count: > 0 } news ? this with { Calls = [.. Calls, .. news] } : this;

    /// <summary>What became of alerts that were expected is known, but for those that perhaps exist.</summary>
    public Incident SettleCalls(IReadOnlyList<Delivery> calls, IReadOnlyList<Delivery> perhaps) =>
        calls.Count == 0 && perhaps.Count == 0 ? this : this with { Calls = [.. Calls.Where(call => !calls.Any(call.IsSameMessage) && !perhaps.Any(call.IsSameMessage)), .. perhaps] };

    /// <summary>Whether the present asking of this question has gone out, to somebody or in vain.</summary>
    public bool WasSent(Gate gate) => HasDelivery(gate.MessageKey);

    /// <summary>What reached those who have said yes to this question while it waits for others: they need not hear of it again.</summary>
    public IEnumerable<Delivery> ToThoseWhoAnswered(Gate gate) => Deliveries.Where(delivery => delivery.Reached && delivery.IsOf(gate) && gate.IsAnsweredBy(delivery.Contact));

    /// <summary>Whether the question went out and reached none of those who were asked.</summary>
    public bool ReachedNobody(Gate gate) => HasDelivery(gate.Id) && !Reached(gate.Id);

    /// <summary>Whether a message under this key went out, to somebody or in vain.</summary>
    public bool HasDelivery(string key) => DeliveriesUnder(key).Any();

    /// <summary>Whether a message under this key reached somebody who can do something about it.</summary>
    public bool Reached(string key) => DeliveriesUnder(key).Any(delivery => delivery.Reached);

    /// <summary>All attempts to deliver the messages under this key, those in vain as well.</summary>
    public IEnumerable<Delivery> DeliveriesUnder(string key) => Deliveries.Where(delivery => delivery.IsUnder(key));

    // Whom schedules meant, kept with the question: nothing asks a schedule about the past.

    /// <summary>Records whom schedules meant for a message about this gate. What is known already is not written twice.</summary>
    public Incident RecordOnCall(string gateId, IReadOnlyList<OnCallRecord> meant)
    {
        var changed = this;
        foreach (var one in meant)
        {
            if (changed.FindGate(gateId) is not { } gate)
            {
                return this;
            }

            var last = gate.OnCallOf(one.Contact);
            changed = last is not null && last.SaysTheSameAs(one)
                ? changed.Replace(gate with { OnCall = [.. gate.OnCall.Select(known => known == last ? known with { Message = one.Message } : known)] })
                : changed.Replace(gate with { OnCall = [.. gate.OnCall, one] }).Note(one.At, TimelineKind.Gate, "runbook", $"{one.Contact}: {one.Words}");
        }

        return changed;
    }
}

/// <summary>A person has to hear of this.</summary>
/// <param name="Trouble">Names it: the same trouble pages once.</param>
public sealed record DuePage(string Trouble, string Message, DateTimeOffset At) : Evolving
{
    /// <summary>Under which the deliveries of the page about a trouble are recorded.</summary>
    public static string KeyOf(string trouble) => $"page:{trouble}";
}

/// <summary>One message to one contact: what reached whom, when, and what failed on the way.</summary>
/// <param name="Key">Stable over retries, so that a message recorded as delivered is not sent again after a crash.</param>
/// <param name="Contact">The person or room it was for.</param>
/// <param name="Channel">The channel that took it; null when none did.</param>
/// <param name="Failure">What went wrong before it was taken, or why it never was.</param>
/// <param name="Reference">Where the channel has the message, so that it can be changed; null where it cannot.</param>
public sealed record Delivery(string Key, string Contact, string? Channel, DateTimeOffset At, string? Failure, string? Reference = null) : Evolving
{
    /// <summary>Whether somebody was told who can do something about it.</summary>
    public bool Reached => Channel is not null && !IsStranger;

    /// <summary>To somebody whom a schedule names and the contacts do not know: told only, and as if nobody was reached.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsStranger { get; init; }

    /// <summary>The channel took the message on and does not tell whether it arrives: nobody has to be paged for that, and silence after it is no answer.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsHandedOver { get; init; }

    /// <summary>No message went out: an alert was ended, or acknowledged where somebody took the incident over, on a channel that need not tell anybody of that.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsEndOfAlert { get; init; }

    /// <summary>It went to a place where somebody else reads it as well.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsShared { get; init; }

    /// <summary>The contacts that the message went to and that the person or room is behind; null where that is not known, or nobody is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public IReadOnlyList<string>? Behind { get; init; }

    /// <summary>An alert that may or may not have been taken by its channel: it counts as having told nobody, and is ended all the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsPerhaps { get; init; }

    /// <summary>The alerts that this attempt perhaps opened on channels that did not say so; kept as <see cref="Incident.Calls"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<Delivery> Perhaps { get; init; } = [];

    /// <summary>Whether both are one message of a channel, to one recipient.</summary>
    public bool IsSameMessage(Delivery other) => (other.Channel, other.Reference, other.Contact) == (Channel, Reference, Contact);

    /// <summary>Whether it was one of the messages under this key: theirs go on, after a colon, with whom each was for.</summary>
    public bool IsUnder(string key) => Key.StartsWith(key, StringComparison.Ordinal) && Key.AsSpan(key.Length) is [':', ..];

    /// <summary>Whether it was about this question, however often that was asked.</summary>
    public bool IsOf(Gate gate) => IsUnder(gate.Id);
}

/// <summary>Whether a message came to whom it was for, as far as that is known: that one contact has it wakes nobody of another.</summary>
public static class Reach
{
    /// <summary>Each contact that it went to was reached, or the last in line in their place.</summary>
    /// <param name="message">All attempts to deliver it, those in vain as well.</param>
    /// <param name="people">How many have to be reached.</param>
    public static bool IsEnough(IEnumerable<Delivery> message, int people = 1)
    {
        var all = message.ToList();
        var heard = all.SelectMany(delivery => delivery.Behind ?? []).Distinct(StringComparer.OrdinalIgnoreCase)
            .ToLookup(contact => IsHeard(all.Where(delivery => delivery.Behind?.Contains(contact, StringComparer.OrdinalIgnoreCase) == true)));
        return IsHeard(all, people) && (!heard[false].Any() || heard[true].Any(Approval.IsLastInLine));
    }

    /// <summary>As above, of a question: as many as have to approve, without whoever may not.</summary>
    public static bool IsEnough(IEnumerable<Delivery> message, Gate gate) => IsEnough(message.Where(delivery => !gate.IsStarter(delivery.Contact)), gate.Required);

    /// <summary>Whether that many are known to have it. What was only handed over counts while nobody is known to have been missed.</summary>
    public static bool IsHeard(IEnumerable<Delivery> deliveries, int people = 1)
    {
        // Tried again, a message keeps its key.
        var last = deliveries.GroupBy(delivery => delivery.Key, StringComparer.Ordinal).Select(tries => tries.FirstOrDefault(delivery => delivery.Channel is not null) ?? tries.First()).ToList();
        return last.Where(delivery => delivery is { Reached: true, IsHandedOver: false }).DistinctBy(delivery => delivery.Contact, StringComparer.OrdinalIgnoreCase).Count() >= people
            || (last.Exists(delivery => delivery.Reached) && !last.Exists(delivery => delivery is { Channel: null, Behind: not null }));
    }

    /// <summary>Whether it was tried too short a while ago to be tried again. The pauses double, since each try leaves its lines in the record.</summary>
    /// <param name="tries">All attempts to deliver the message.</param>
    public static bool IsTooSoon(IReadOnlyCollection<Delivery> tries, TimeSpan firstPause, TimeSpan longestPause, DateTimeOffset now) => tries.Count > 0
        && IsTooSoon(tries.GroupBy(delivery => delivery.Key, StringComparer.Ordinal).Max(to => to.Count()), tries.Max(delivery => delivery.At), firstPause, longestPause, now);

    /// <param name="last">When it was tried last.</param>
    /// <inheritdoc cref="IsTooSoon(IReadOnlyCollection{Delivery}, TimeSpan, TimeSpan, DateTimeOffset)"/>
    public static bool IsTooSoon(int rounds, DateTimeOffset last, TimeSpan firstPause, TimeSpan longestPause, DateTimeOffset now)
    {
        var pause = firstPause * (1 << Math.Clamp(rounds - 1, 0, 9));
        return (now - last).Duration() < (pause < longestPause ? pause : longestPause);
    }
}

public enum CardKind { ApprovalRequest, Reminder, Escalation, Decided, Closed, Page }

/// <summary>Whom a contact that is a schedule meant when a message was sent.</summary>
/// <param name="Contact">The contact's name.</param>
/// <param name="Message">The latest message for which it was so; the same message is never sent to anybody else.</param>
/// <param name="People">Who was asked, by the names of the contacts.</param>
/// <param name="Words">For people: who, and from where that is known.</param>
/// <param name="At">When this was found out.</param>
public sealed record OnCallRecord(string Contact, string Message, IReadOnlyList<string> People, string Words, DateTimeOffset At) : Evolving
{
    /// <summary>What said so, without secrets: <c>PagerDuty schedule PI7DH85</c>.</summary>
    public string Source { get; init; } = "";

    public OnCallFrom From { get; init; }

    /// <summary>When the shift ends; null where nobody says.</summary>
    public DateTimeOffset? Until { get; init; }

    public bool SaysTheSameAs(OnCallRecord other) => Words == other.Words && People.SequenceEqual(other.People, StringComparer.Ordinal);
}

/// <summary>Why these people were asked.</summary>
public enum OnCallFrom
{
    /// <summary>The schedule names them.</summary>
    Schedule,

    /// <summary>The schedule named nobody who is known, and the contact names these instead.</summary>
    NamedFallback,

    /// <summary>Nor did the contact: the contact <c>fallback</c> was asked.</summary>
    FallbackContact,
}
