namespace Runbooks.Notifications;

/// <summary>One record, many views: brings cards that were sent before up to date with the record.</summary>
public sealed class NotificationUpdater(IIncidentStore store, PinnedRunbooks pinned, NotificationDispatcher dispatcher, IncidentCards cards, TimeProvider time)
{
    /// <summary>Keys of messages that tell somebody what is theirs to do begin with it.</summary>
    public const string HandedOver = "handed";

    /// <summary>The trouble that a question has not come to anybody: its page is about the question, and ends with that.</summary>
    public static string UnheardOf(string gateId) => $"unheard-{gateId}";

    /// <summary>Every card that asked this question: who decided, or who has approved so far.</summary>
    public async Task ShowGateAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        if (incident.FindGate(gateId) is not { } gate || Of(incident, gate) is not { Count: > 0 } sent)
        {
            return;
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        await dispatcher.UpdateAsync(
            sent,
            delivery => gate.Outcome == GateOutcome.Pending && !incident.State.IsFinal()
                ? cards.Approval(incident, runbook, gate, delivery.Contact, CardKind.ApprovalRequest) with { IsAnswered = IsAnswered(delivery) || gate.IsHeldBack(time.GetUtcNow()) }
                : Answered(incident, runbook, gate),
            cancellationToken);

        // Two decisions within a second are shown side by side, as are a decision and the end, and the earlier one may have come last.
        if (await store.FindAsync(incident.Id, cancellationToken) is { } now)
        {
            await ShowIfAnsweredAsync(incident, now, gateId, cancellationToken);
        }

        // Two people may share one alert on a channel that rings: it goes on until both have answered.
        bool IsAnswered(Delivery delivery) => sent.Where(other => (other.Channel, other.Reference) == (delivery.Channel, delivery.Reference)).All(other => gate.IsAnsweredBy(other.Contact));
    }

    /// <summary>
    /// The card whose button somebody pressed, once its question is closed. It may be on no record: a channel can take a message
    /// without saying so, or take it twice.
    /// </summary>
    public async Task ShowPressedAsync(Incident incident, string gateId, string channel, string reference, CancellationToken cancellationToken)
    {
        if (incident.FindGate(gateId) is { Outcome: not GateOutcome.Pending } gate && !incident.Deliveries.Any(delivery => delivery.Channel == channel && delivery.Reference == reference))
        {
            var card = Answered(incident, await pinned.OfAsync(incident, cancellationToken), gate);
            await dispatcher.UpdateAsync([new Delivery(gate.MessageKey, "", channel, time.GetUtcNow(), null, reference)], _ => card, cancellationToken);
        }
    }

    /// <summary>Somebody answered while a message was still being sent or changed: what that says is no longer so, and its buttons may no longer work.</summary>
    /// <param name="shown">As the message shows it.</param>
    public Task ShowIfAnsweredAsync(Incident shown, Incident now, string gateId, CancellationToken cancellationToken) =>
        Answers(shown, gateId) != Answers(now, gateId) ? ShowGateAsync(now, gateId, cancellationToken) : Task.CompletedTask;

    private static (GateOutcome? Outcome, int? Decisions, int? HeldBack, DateTimeOffset? HeldUntil, bool HasEnded) Answers(Incident incident, string gateId)
    {
        var gate = incident.FindGate(gateId);
        return (gate?.Outcome, gate?.Decisions.Count, gate?.HeldBack.Count, gate?.HeldUntil, incident.State.IsFinal());
    }

    /// <summary>What a card that asked says once the question is closed: who decided, and once all is over how it ended.</summary>
    private Card Answered(Incident incident, Runbook runbook, Gate gate) => incident.State.IsFinal()
        ? IncidentCards.Ended(cards.End(incident, runbook, time.GetUtcNow()), gate) with { IsAnswered = true }
        : cards.Decided(incident, runbook, gate);

    /// <summary>Whether it told of an end, or of trouble, and not only what was handed over or reported.</summary>
    internal static bool CallsForAPerson(Delivery delivery) => delivery.IsUnder(NotificationRecipients.Closed) || delivery.IsUnder("page");

    /// <summary>Somebody looks after what the end left to a person, or has had it tried again, so the alerts that called others are ended.</summary>
    public async Task ShowAcknowledgedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        await ShowAsync(
            incident,
            incident.Changeable.Where(CallsForAPerson),
            cards.Acknowledged(incident, runbook, time.GetUtcNow()),
            cancellationToken);
    }

    /// <summary>
    /// Every card that asked or told of it: how it ended. A card that reports that end is new and says so already; a page that tells what
    /// is known of a step after all rings until somebody has heard it, or all is over.
    /// </summary>
    public async Task ShowEndAsync(Incident incident, Card card, CancellationToken cancellationToken)
    {
        var sent = incident.Changeable.Where(delivery => !delivery.IsUnder(NotificationRecipients.Closed)
            && (card.Kind == CardKind.Closed || !incident.OutcomesToTell.Any(page => delivery.IsUnder(DuePage.KeyOf(page.Trouble))))).ToList();
        await ShowAsync(incident, sent, card, cancellationToken);

        // Somebody may have acknowledged or closed it meanwhile, and what that shows may have come first.
        if (sent.Count > 0 && incident.CanBeClosedByHand() && await store.FindAsync(incident.Id, cancellationToken) is { } now)
        {
            await ShowIfSeenToAsync(incident, now, cancellationToken);
        }
    }

    /// <summary>Closed by hand: the cards of an incident that somebody owned, and those that said that it needs a person.</summary>
    public async Task ShowClosedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        await ShowAsync(incident, incident.Changeable, cards.Closed(incident, runbook), cancellationToken);
    }

    /// <summary>
    /// While a message that calls for a person was being sent or changed somebody said that they see to it, its question was answered, or
    /// all was over. What was sent is on record only since: its alerts are ended now, and its cards say so.
    /// </summary>
    /// <param name="before">As the message shows it.</param>
    /// <returns>Whether nobody else has to be called.</returns>
    public async Task<bool> ShowIfSeenToAsync(Incident before, Incident now, CancellationToken cancellationToken)
    {
        var answered = before.OpenGate is { } open && now.FindGate(open.Id) is { Outcome: not GateOutcome.Pending } ? open.Id : null;
        await (answered is null ? Task.CompletedTask : ShowGateAsync(now, answered, cancellationToken));
        if ((!IsOver(before) && IsOver(now)) || (before.ClosedByHand is null && now.ClosedByHand is not null))
        {
            await ShowClosedAsync(now, cancellationToken);
            return true;
        }

        if (before.Attention?.AcknowledgedAt is null && now.Attention?.AcknowledgedAt is not null)
        {
            await ShowAcknowledgedAsync(now, cancellationToken);
            return true;
        }

        return false;
    }

    /// <summary>It has ended, and nobody is needed or owns it.</summary>
    private static bool IsOver(Incident incident) =>
        incident.ClosedByHand is not null || (incident.State.IsFinal() && incident.State is not (IncidentState.Failed or IncidentState.Expired or IncidentState.TakenOver));

    private Task ShowAsync(Incident incident, IEnumerable<Delivery> sent, Card card, CancellationToken cancellationToken) => dispatcher.UpdateAsync(
        // What was handed to somebody is theirs to do however the incident ended, and a report stays what it is.
        sent.Where(delivery => !delivery.IsUnder(HandedOver) && !delivery.IsUnder(NotificationRecipients.Report)),
        delivery => incident.Gates.FirstOrDefault(delivery.IsOf) is { } gate ? IncidentCards.Ended(card, gate) : card,
        cancellationToken);

    /// <summary>What asked, and once that is decided also the page that nobody had heard of it.</summary>
    private static List<Delivery> Of(Incident incident, Gate gate) =>
        [.. incident.Changeable.Where(delivery => delivery.IsOf(gate) || (gate.Outcome != GateOutcome.Pending && delivery.IsUnder(DuePage.KeyOf(UnheardOf(gate.Id)))))];
}

/// <summary>Tells whoever approved that a temporary fix is in place, once, when it begins. In a storm one message tells of many.</summary>
public sealed class HoldingNotifier(IncidentNotifier notifier, IncidentCards cards, TimeProvider time)
{
    public const string Key = "holding";

    public async Task NotifyOnceAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (incident.Storm is not null || !DeliveryRetry.IsDue(incident, Key, time.GetUtcNow(), needsPerson: false) || Lease.Of(incident, runbook) is not { Held.Count: > 0 } lease)
        {
            return;
        }

        await notifier.SendAsync(incident, Key, NotificationRecipients.OfHold(incident, runbook), _ => cards.Holding(incident, runbook, lease), cancellationToken);
    }
}

/// <summary>Who hears how an incident ended.</summary>
public static class NotificationRecipients
{
    /// <summary>Keys of the messages that tell how an incident ended.</summary>
    public const string Closed = "closed";

    /// <summary>Keys of reports.</summary>
    public const string Report = "report";

    /// <summary>
    /// Whoever was asked. Where nobody was asked, only what acted or what failed is told, what told nobody yet, and that the checks
    /// see nothing to do while the alert fires.
    /// </summary>
    public static IReadOnlyList<string> Of(Incident incident, Runbook runbook)
    {
        var recipients = Asked(incident).ToList();
        if (recipients.Count == 0 && !HasTold(incident) && (incident.Steps.Count > 0 || incident.LatestGate?.Outcome == GateOutcome.DiagnosedOnly || incident.IsWorthTelling))
        {
            recipients.AddRange(runbook.Mitigation.Approval?.From ?? [runbook.Fallback]);
        }

        if (incident.State is IncidentState.Failed or IncidentState.Expired)
        {
            recipients.Add(runbook.Fallback);
        }

        recipients.AddRange(DecidedOnCall(incident));
        return recipients;
    }

    // A runbook that only tells has told whom it is for: one more message to somebody else would be noise.
    private static bool HasTold(Incident incident) =>
        incident.Deliveries.Count > 0 && incident.Steps.All(step => step.Preparation.TellsOnly && step.Status == StepStatus.Done);

    /// <summary>Who hears that a temporary fix is in place: whoever was asked about it, or would have been.</summary>
    public static IReadOnlyList<string> OfHold(Incident incident, Runbook runbook) =>
        [.. Asked(incident).ToList() is { Count: > 0 } asked ? asked : runbook.Mitigation.Approval?.From ?? [runbook.Fallback], .. DecidedOnCall(incident)];

    /// <summary>Who hears that a person has to look: whoever was asked, whoever decided, and the last in line.</summary>
    public static IReadOnlyList<string> OfPage(Incident incident, Runbook runbook) => [.. Asked(incident), .. DecidedOnCall(incident), runbook.Fallback];

    /// <summary>Who gets the report of an incident that has ended.</summary>
    public static IReadOnlyList<string> OfReport(Incident incident, Runbook runbook) => incident.State == IncidentState.NotNeeded ? [] : runbook.ReportTo;

    /// <summary>Whom a team could not be reached about, the last in line of all hears of.</summary>
    public static bool NeedsLastInLine(Runbook runbook, IEnumerable<Delivery> message) => runbook.Fallback != ContactBook.Fallback && !Reach.IsEnough(message);

    /// <summary>Whoever decided what a schedule was asked about hears how it goes on, also when somebody else is on call by then.</summary>
    private static IEnumerable<string> DecidedOnCall(Incident incident) =>
        incident.Gates.Where(gate => gate.OnCall.Count > 0).SelectMany(gate => gate.Decisions).Select(decision => ContactBook.Person(decision.Person)).Distinct(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Asked(Incident incident) =>
        incident.Gates.Where(gate => incident.HasDelivery(gate.Id)).SelectMany(gate => gate.Approvers);
}
