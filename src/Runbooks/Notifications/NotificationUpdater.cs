namespace Runbooks.Notifications;

public sealed class NotificationUpdater(IIncidentStore store, PinnedRunbooks pinned, NotificationDispatcher dispatcher, IncidentCards cards, TimeProvider time)
{
    /// <summary>Prefix of the keys of messages that hand something over to somebody.</summary>
    public const string HandedOver = "handed";

    /// <summary>The trouble that a question has reached nobody. Its page ends when the question is closed.</summary>
    public static string UnheardOf(string gateId) => $"unheard-{gateId}";

    public async Task ShowGateAsync(Incident incident, string gateId, CancellationToken cancellationToken)
    {
        if (incident.FindGate(gateId) is not { } gate || Of(incident, gate) is not { Count: > 0 } sent)
        {
            return;
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        await dispatcher.UpdateAsync(sent, Shown, cancellationToken);

        // Another decision or the end may have been shown at the same time, and the older of the two may have arrived last.
        if (await store.FindAsync(incident.Id, cancellationToken) is { } now)
        {
            await ShowIfAnsweredAsync(incident, now, gateId, cancellationToken);
        }

        Card Shown(Delivery delivery)
        {
            if (gate.Outcome != GateOutcome.Pending || incident.State.IsFinal())
            {
                return Answered(incident, runbook, gate);
            }

            var question = cards.Approval(incident, runbook, gate, delivery.Contact, CardKind.ApprovalRequest);
            return question with { IsAnswered = IsAnswered(delivery) || gate.IsHeldBack(time.GetUtcNow()) };
        }

        // Two people may share one alert on a channel that rings: it goes on until both have answered.
        bool IsAnswered(Delivery delivery) => sent
            .Where(other => (other.Channel, other.Reference) == (delivery.Channel, delivery.Reference))
            .All(other => gate.IsAnsweredBy(other.Contact));
    }

    /// <summary>Updates an unrecorded card whose button somebody pressed: a channel can take a message without an answer, or take it twice.</summary>
    public async Task ShowPressedAsync(Incident incident, string gateId, string channel, string reference, CancellationToken cancellationToken)
    {
        var isRecorded = incident.Deliveries.Any(delivery => delivery.Channel == channel && delivery.Reference == reference);
        if (!isRecorded && incident.FindGate(gateId) is { Outcome: not GateOutcome.Pending } gate)
        {
            var card = Answered(incident, await pinned.OfAsync(incident, cancellationToken), gate);
            await dispatcher.UpdateAsync([new Delivery(gate.MessageKey, "", channel, time.GetUtcNow(), null, reference)], _ => card, cancellationToken);
        }
    }

    /// <summary>Shows an answer that came while the message was being sent or changed.</summary>
    /// <param name="shown">As the message shows it.</param>
    public Task ShowIfAnsweredAsync(Incident shown, Incident now, string gateId, CancellationToken cancellationToken) =>
        Answers(shown, gateId) != Answers(now, gateId) ? ShowGateAsync(now, gateId, cancellationToken) : Task.CompletedTask;

    private static (GateOutcome? Outcome, int? Decisions, int? HeldBack, DateTimeOffset? HeldUntil, bool HasEnded) Answers(Incident incident, string gateId)
    {
        var gate = incident.FindGate(gateId);
        return (gate?.Outcome, gate?.Decisions.Count, gate?.HeldBack.Count, gate?.HeldUntil, incident.State.IsFinal());
    }

    private Card Answered(Incident incident, Runbook runbook, Gate gate) => incident.State.IsFinal()
        ? IncidentCards.Ended(cards.End(incident, runbook, time.GetUtcNow()), gate) with { IsAnswered = true }
        : cards.Decided(incident, runbook, gate);

    /// <summary>Whether it told of an end or of trouble. A report or something handed over does not count.</summary>
    internal static bool CallsForAPerson(Delivery delivery) => delivery.IsUnder(NotificationRecipients.Closed) || delivery.IsUnder("page");

    /// <summary>Ends the alerts of the others, since somebody sees to the incident or has had it tried again.</summary>
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
    /// Shows the end on every card but those that report it. A page about the outcome of a step rings until somebody has heard it or all is
    /// over.
    /// </summary>
    public async Task ShowEndAsync(Incident incident, Card card, CancellationToken cancellationToken)
    {
        var sent = incident.Changeable.Where(delivery => !delivery.IsUnder(NotificationRecipients.Closed) && !GoesOn(delivery)).ToList();
        await ShowAsync(incident, sent, card, cancellationToken);

        // Somebody may have acknowledged or closed it meanwhile, and that change may have arrived first.
        if (sent.Count > 0 && incident.CanBeClosedByHand() && await store.FindAsync(incident.Id, cancellationToken) is { } now)
        {
            await ShowIfSeenToAsync(incident, now, cancellationToken);
        }

        bool GoesOn(Delivery delivery) =>
            card.Kind != CardKind.Closed && incident.OutcomesToTell.Any(page => delivery.IsUnder(DuePage.KeyOf(page.Trouble)));
    }

    public async Task ShowClosedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        await ShowAsync(incident, incident.Changeable, cards.Closed(incident, runbook), cancellationToken);
    }

    /// <summary>
    /// Ends the alerts of a message that calls for a person, if somebody acknowledged, answered or closed the incident while it was being
    /// sent or changed.
    /// </summary>
    /// <param name="before">As the message shows it.</param>
    /// <returns>Whether nobody else has to be called.</returns>
    public async Task<bool> ShowIfSeenToAsync(Incident before, Incident now, CancellationToken cancellationToken)
    {
        if (before.OpenGate is { } asked && now.FindGate(asked.Id) is { Outcome: not GateOutcome.Pending })
        {
            await ShowGateAsync(now, asked.Id, cancellationToken);
        }

        var isOverNow = !IsOver(before) && IsOver(now);
        if (isOverNow || (before.ClosedByHand is null && now.ClosedByHand is not null))
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

    private static bool IsOver(Incident incident) =>
        incident.ClosedByHand is not null
        || (incident.State.IsFinal() && incident.State is not (IncidentState.Failed or IncidentState.Expired or IncidentState.TakenOver));

    private Task ShowAsync(Incident incident, IEnumerable<Delivery> sent, Card card, CancellationToken cancellationToken) => dispatcher.UpdateAsync(
        // What was handed over to somebody stays theirs, however the incident ended. A report does not change.
        sent.Where(delivery => !delivery.IsUnder(HandedOver) && !delivery.IsUnder(NotificationRecipients.Report)),
        delivery => incident.Gates.FirstOrDefault(delivery.IsOf) is { } gate ? IncidentCards.Ended(card, gate) : card,
        cancellationToken);

    private static List<Delivery> Of(Incident incident, Gate gate)
    {
        var isDecided = gate.Outcome != GateOutcome.Pending;
        var pageKey = DuePage.KeyOf(UnheardOf(gate.Id));
        return [.. incident.Changeable.Where(delivery => delivery.IsOf(gate) || (isDecided && delivery.IsUnder(pageKey)))];
    }
}

/// <summary>Tells once that a temporary fix is in place. In a storm one message tells of many.</summary>
public sealed class HoldingNotifier(IncidentNotifier notifier, IncidentCards cards, TimeProvider time)
{
    public const string Key = "holding";

    public async Task NotifyOnceAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        var isDue = incident.Storm is null && DeliveryRetry.IsDue(incident, Key, time.GetUtcNow(), needsPerson: false);
        if (!isDue || Lease.Of(incident, runbook) is not { Held.Count: > 0 } lease)
        {
            return;
        }

        await notifier.SendAsync(incident, new(Key, NotificationRecipients.OfHold(incident, runbook), _ => cards.Holding(incident, runbook, lease)), cancellationToken);
    }
}

public static class NotificationRecipients
{
    public const string Closed = "closed";

    public const string Report = "report";

    /// <summary>
    /// For the end of an incident: those who were asked. Where nobody was asked, an end is told only if the runbook acted or failed, has
    /// told nobody yet, or its checks see nothing to do while the alert fires.
    /// </summary>
    public static IReadOnlyList<string> Of(Incident incident, Runbook runbook)
    {
        var recipients = Asked(incident).ToList();
        var isWorthTelling = incident.Steps.Count > 0 || incident.LatestGate?.Outcome == GateOutcome.DiagnosedOnly || incident.IsWorthTelling;
        if (recipients.Count == 0 && !HasTold(incident) && isWorthTelling)
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

    // A runbook that only tells people has told those whom it is for. One more message to others would be noise.
    private static bool HasTold(Incident incident) =>
        incident.Deliveries.Count > 0 && incident.Steps.All(step => step.Preparation.TellsOnly && step.Status == StepStatus.Done);

    public static IReadOnlyList<string> OfHold(Incident incident, Runbook runbook)
    {
        IReadOnlyList<string> asked = [.. Asked(incident)];
        return [.. asked.Count > 0 ? asked : runbook.Mitigation.Approval?.From ?? [runbook.Fallback], .. DecidedOnCall(incident)];
    }

    public static IReadOnlyList<string> OfPage(Incident incident, Runbook runbook) =>
        [.. Asked(incident), .. DecidedOnCall(incident), runbook.Fallback];

    public static IReadOnlyList<string> OfReport(Incident incident, Runbook runbook) =>
        incident.State == IncidentState.NotNeeded ? [] : runbook.ReportTo;

    /// <summary>Whether the common fallback has to hear of it, since the team's own could not be reached.</summary>
    public static bool NeedsLastInLine(Runbook runbook, IEnumerable<Delivery> message) =>
        runbook.Fallback != ContactBook.Fallback && !Reach.IsEnough(message);

    /// <summary>Those who decided on a question to a schedule hear how it goes on, also when somebody else is on call by then.</summary>
    private static IEnumerable<string> DecidedOnCall(Incident incident) => incident.Gates
        .Where(gate => gate.OnCall.Count > 0)
        .SelectMany(gate => gate.Decisions)
        .Select(decision => ContactBook.Person(decision.Person))
        .Distinct(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Asked(Incident incident) =>
        incident.Gates.Where(gate => incident.HasDelivery(gate.Id)).SelectMany(gate => gate.Approvers);
}
