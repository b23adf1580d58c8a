namespace Runbooks.Model.Incidents;

public sealed partial record Incident
{
    /// <summary>Pages that the workflow asked for. The watchdog sends them, or tries again, until they reach their people.</summary>
    public IReadOnlyList<DuePage> Pages { get; init; } = [];

    /// <summary>Asks for a page, once for each trouble.</summary>
    public Incident NotePage(string trouble, string message, DateTimeOffset now) =>
        Pages.Any(page => page.Trouble == trouble) ? this : this with { Pages = [.. Pages, new(trouble, message, now)] };

    public Incident RecordDeliveries(IReadOnlyList<Delivery> deliveries, int about = 1)
    {
        var shared = about > 1 ? $", in one message about {about} incidents" : "";
        return deliveries.Aggregate(
            this with { Deliveries = [.. Deliveries, .. deliveries] },
            (changed, delivery) => changed.Note(delivery.At, TimelineKind.Message, "runbook", delivery switch
            {
                { IsStranger: true, Channel: { } channel } =>
                    $"Told {delivery.Contact} by {channel}{shared}: on call by a schedule but not in the contacts, so they cannot decide.",
                { IsEndOfAlert: true } =>
                    $"{(State == IncidentState.TakenOver ? "Acknowledged" : "Ended")} the alert of {delivery.Contact} "
                    + $"on {delivery.Channel}{shared}{After(delivery)}. "
                    + "That calls nobody; who is told of it is up to their own settings there.",
                { Reached: true, IsHandedOver: true } =>
                    $"Handed to {delivery.Channel} for {delivery.Contact}{shared}{After(delivery)}. Whether it arrived is not known.",
                { Reached: true, Failure: null } => $"Told {delivery.Contact} by {delivery.Channel}{shared}.",
                { Reached: true } => $"Told {delivery.Contact} by {delivery.Channel}{shared}, after: {delivery.Failure}",
                _ => $"Could not reach {delivery.Contact}: {delivery.Failure}",
            }));

        static string After(Delivery delivery) => delivery.Failure is { } failed ? $", after: {failed.TrimEnd('.')}" : "";
    }

    /// <summary>
    /// Alerts on channels that ring: those that are being sent, and those that the channel may have taken. They are recorded before anybody
    /// is called, so that they are ended even after a lost answer or a crash.
    /// </summary>
    public IReadOnlyList<Delivery> Calls { get; init; } = [];

    /// <summary>The messages that may have to be changed, with alerts that the channel may have taken.</summary>
    [JsonIgnore]
    public IEnumerable<Delivery> Changeable => Deliveries.Concat(Calls).Where(delivery => delivery.Reference is not null);

    public IReadOnlyList<Delivery> NewCalls(IEnumerable<Delivery> calls) => [.. calls.Where(call => !Calls.Any(call.IsSameMessage))];

    public Incident Expect(IReadOnlyList<Delivery> calls) =>
        NewCalls(calls) is { Count: > 0 } news ? this with { Calls = [.. Calls, .. news] } : this;

    /// <summary>The result of expected alerts is known, except for those that may exist.</summary>
    public Incident SettleCalls(IReadOnlyList<Delivery> calls, IReadOnlyList<Delivery> perhaps) =>
        calls.Count == 0 && perhaps.Count == 0
            ? this
            : this with
            {
                Calls = [.. Calls.Where(call => !calls.Any(call.IsSameMessage) && !perhaps.Any(call.IsSameMessage)), .. perhaps],
            };

    /// <summary>Whether the present asking has gone out, even if it reached nobody.</summary>
    public bool WasSent(Gate gate) => HasDelivery(gate.MessageKey);

    /// <summary>Messages to people who have approved and need not hear of it again while others still have to.</summary>
    public IEnumerable<Delivery> ToThoseWhoAnswered(Gate gate) =>
        Deliveries.Where(delivery => delivery.Reached && delivery.IsOf(gate) && gate.IsAnsweredBy(delivery.Contact));

    public bool ReachedNobody(Gate gate) => HasDelivery(gate.Id) && !Reached(gate.Id);

    /// <summary>Whether a message under this key went out, even if it reached nobody.</summary>
    public bool HasDelivery(string key) => DeliveriesUnder(key).Any();

    public bool Reached(string key) => DeliveriesUnder(key).Any(delivery => delivery.Reached);

    /// <summary>All attempts, including the failed ones.</summary>
    public IEnumerable<Delivery> DeliveriesUnder(string key) => Deliveries.Where(delivery => delivery.IsUnder(key));

    // Schedules cannot be asked about the past, so the people they named are kept with the question.

    /// <summary>An unchanged answer adds no line.</summary>
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
                : changed.Replace(gate with { OnCall = [.. gate.OnCall, one] }).Note(
                    one.At, TimelineKind.Gate, "runbook", $"{one.Contact}: {one.Words}");
        }

        return changed;
    }
}

/// <param name="Trouble">One page for each trouble.</param>
public sealed record DuePage(string Trouble, string Message, DateTimeOffset At) : Evolving
{
    /// <summary>The key of the page's deliveries.</summary>
    public static string KeyOf(string trouble) => $"page:{trouble}";
}

/// <summary>One message to one contact.</summary>
/// <param name="Key">Stable over retries, so that a recorded message is not sent again after a crash.</param>
/// <param name="Contact">The person or room it was for.</param>
/// <param name="Channel">The channel that took it. Null if none did.</param>
/// <param name="Failure">What went wrong before it was taken, or why it never was.</param>
/// <param name="Reference">The channel's reference to the message, so that it can be changed. Null if it cannot.</param>
public sealed record Delivery(
    string Key, string Contact, string? Channel, DateTimeOffset At, string? Failure, string? Reference = null) : Evolving
{
    /// <summary>Whether it reached somebody who can act on it.</summary>
    public bool Reached => Channel is not null && !IsStranger;

    /// <summary>It went to somebody on a schedule who is not in the contacts. They are told, but it counts as not reached.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsStranger { get; init; }

    /// <summary>
    /// The channel took the message but does not report arrival. Nobody has to be paged for that, and silence after it is no answer.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsHandedOver { get; init; }

    /// <summary>No message went out: an alert was ended, or acknowledged after a take-over, on a channel that need not tell anybody.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsEndOfAlert { get; init; }

    /// <summary>Others read it there too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsShared { get; init; }

    /// <summary>The contacts of the message that this person or room stands for. Null if not known, or for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public IReadOnlyList<string>? Behind { get; init; }

    /// <summary>An alert that the channel may or may not have taken. It counts as reaching nobody, but is ended later.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsPerhaps { get; init; }

    /// <summary>The alerts that this attempt may have opened without an answer from the channel; kept as <see cref="Incident.Calls"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<Delivery> Perhaps { get; init; } = [];

    public bool IsSameMessage(Delivery other) => (other.Channel, other.Reference, other.Contact) == (Channel, Reference, Contact);

    /// <summary>Keys of messages are this key, a colon and the recipient.</summary>
    public bool IsUnder(string key) => Key.StartsWith(key, StringComparison.Ordinal) && Key.AsSpan(key.Length) is [':', ..];

    /// <summary>At any asking.</summary>
    public bool IsOf(Gate gate) => IsUnder(gate.Id);
}

/// <summary>Whether a message reached everybody that it was for, as far as known. A contact that has it does not stand for another one.</summary>
public static class Reach
{
    /// <summary>Each contact of the message was reached, or the last in line instead.</summary>
    /// <param name="message">All attempts, including the failed ones.</param>
    /// <param name="people">How many have to be reached.</param>
    public static bool IsEnough(IEnumerable<Delivery> message, int people = 1)
    {
        var all = message.ToList();
        var heard = all.SelectMany(delivery => delivery.Behind ?? []).Distinct(StringComparer.OrdinalIgnoreCase)
            .ToLookup(contact => IsHeard(all.Where(delivery => delivery.Behind?.Contains(contact, StringComparer.OrdinalIgnoreCase) == true)));
        return IsHeard(all, people) && (!heard[false].Any() || heard[true].Any(Approval.IsLastInLine));
    }

    /// <summary>For a question: as many as have to approve, without the person who may not.</summary>
    public static bool IsEnough(IEnumerable<Delivery> message, Gate gate) =>
        IsEnough(message.Where(delivery => !gate.IsStarter(delivery.Contact)), gate.Required);

    /// <summary>
    /// Whether that many are known to have it. A message without proof of arrival counts as long as nobody is known to have been missed.
    /// </summary>
    public static bool IsHeard(IEnumerable<Delivery> deliveries, int people = 1)
    {
        // A retry keeps the message's key.
        var last = deliveries
            .GroupBy(delivery => delivery.Key, StringComparer.Ordinal)
            .Select(tries => tries.FirstOrDefault(delivery => delivery.Channel is not null) ?? tries.First())
            .ToList();
        var reached = last
            .Where(delivery => delivery is { Reached: true, IsHandedOver: false })
            .DistinctBy(delivery => delivery.Contact, StringComparer.OrdinalIgnoreCase)
            .Count();
        return reached >= people
            || (last.Exists(delivery => delivery.Reached) && !last.Exists(delivery => delivery is { Channel: null, Behind: not null }));
    }

    /// <summary>Whether the last try was too recent. The pauses double, because each try adds lines to the record.</summary>
    /// <param name="tries">All attempts to deliver the message.</param>
    public static bool IsTooSoon(IReadOnlyCollection<Delivery> tries, TimeSpan firstPause, TimeSpan longestPause, DateTimeOffset now) => tries.Count > 0
        && IsTooSoon(tries.GroupBy(delivery => delivery.Key, StringComparer.Ordinal).Max(to => to.Count()), tries.Max(delivery => delivery.At), firstPause, longestPause, now);

    /// <param name="last">When it was last tried.</param>
    /// <inheritdoc cref="IsTooSoon(IReadOnlyCollection{Delivery}, TimeSpan, TimeSpan, DateTimeOffset)"/>
    public static bool IsTooSoon(int rounds, DateTimeOffset last, TimeSpan firstPause, TimeSpan longestPause, DateTimeOffset now)
    {
        var pause = firstPause * (1 << Math.Clamp(rounds - 1, 0, 9));
        return (now - last).Duration() < (pause < longestPause ? pause : longestPause);
    }
}

public enum CardKind { ApprovalRequest, Reminder, Escalation, Decided, Closed, Page }

/// <param name="Message">The latest message for which they were named. The same message is never sent to anybody else.</param>
/// <param name="People">By the names of the contacts.</param>
public sealed record OnCallRecord(string Contact, string Message, IReadOnlyList<string> People, string Words, DateTimeOffset At) : Evolving
{
    /// <summary>Without secrets: <c>PagerDuty schedule PI7DH85</c>.</summary>
    public string Source { get; init; } = "";

    public OnCallFrom From { get; init; }

    /// <summary>The end of the shift. Null if not known.</summary>
    public DateTimeOffset? Until { get; init; }

    public bool SaysTheSameAs(OnCallRecord other) => Words == other.Words && People.SequenceEqual(other.People, StringComparer.Ordinal);
}

public enum OnCallFrom
{
    Schedule,

    /// <summary>The schedule named nobody in the contacts, so the people named by the contact were asked.</summary>
    NamedFallback,

    /// <summary>The contact names nobody either, so the contact <c>fallback</c> was asked.</summary>
    FallbackContact,
}
