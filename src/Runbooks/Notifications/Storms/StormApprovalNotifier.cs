namespace Runbooks.Notifications.Storms;

/// <summary>
/// Asks about all incidents of a storm in one message to each person. The incident that is due first asks for all; if its sender dies, the
/// next one that is due asks the rest.
/// </summary>
public sealed class StormApprovalNotifier(
    StormRegistry storms,
    StormMembers members,
    StormCards cards,
    NotificationDispatcher dispatcher,
    NotificationUpdater updater,
    PinnedRunbooks pinned,
    IOptionsMonitor<StormOptions> options,
    TimeProvider time)
{
    private static readonly TimeSpan s_whileAnotherSends = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestWhileAnotherSends = TimeSpan.FromMinutes(1);

    /// <summary>Sends the questions that are unasked, once this one has waited for others to join it.</summary>
    /// <param name="findClosed">For incidents of one runbook: why their open questions cannot be carried out now, by incident.</param>
    /// <returns>When to look at the question again; null once it was asked.</returns>
    public async Task<DateTimeOffset?> AskAsync(
        Incident due,
        Func<IReadOnlyList<Incident>, CancellationToken, Task<IReadOnlyDictionary<string, IReadOnlyList<string>>>> findClosed,
        CancellationToken cancellationToken)
    {
        var gate = due.OpenGate!;
        var gathered = (gate.AskedAt ?? gate.OpenedAt) + options.CurrentValue.Gather;
        var waited = time.GetUtcNow() - gathered;
        if (waited < TimeSpan.Zero)
        {
            return gathered;
        }

        var (storm, isMine) = await storms.TakeTurnAsync(due.Storm!, due.OpenedAt, toAsk: true, cancellationToken);
        if (!isMine)
        {
            var now = time.GetUtcNow();
            var pause = Math.Clamp(waited.Ticks / 2, s_whileAnotherSends.Ticks, s_longestWhileAnotherSends.Ticks);
            return storm.LookAgain(due.Id, now, now + TimeSpan.FromTicks(pause));
        }

        var (told, read) = (storm, 0);
        try
        {
            if (!storm.TookIn)
            {
                var oldest = await members.TakeInAsync(storm.Id, cancellationToken);
                told = storm with { TookIn = true, Since = oldest < storm.Since ? oldest.Value : storm.Since };
            }

            var waiting = await members.ReadAsync(told.Id, told.Since, line => line.State == IncidentState.AwaitingApproval, cancellationToken)
                .Where(incident => incident.OpenGate is not null)
                .ToListAsync(cancellationToken);
            read = waiting.Count;
            if (gate.Asked > 0)
            {
                waiting = await members.AskAgainAsync(waiting, findClosed, cancellationToken);
            }

            (told, var next) = await NotifyAsync(told, waiting, due.Id, sent => told = sent, cancellationToken);
            return next;
        }
        finally
        {
            await storms.EndTurnAsync(told, over: false, read, CancellationToken.None);
        }
    }

    /// <param name="keep">Gets what was sent before it is recorded on the incidents: if that fails, its alerts can still be ended.</param>
    private async Task<(Storm Told, DateTimeOffset? Next)> NotifyAsync(
        Storm storm, IReadOnlyList<Incident> waiting, string due, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var people = await dispatcher.ResolveAsync(waiting.SelectMany(incident => incident.OpenGate!.Approvers), cancellationToken);
        waiting = [.. waiting.Select(incident => WithOnCall(incident, people))];
        people = await dispatcher.ForAsync(people, waiting, cancellationToken);
        var unasked = waiting.Where(incident => !incident.WasSent(incident.OpenGate!)).ToList();
        var messages = people.RecipientsOf(unasked.SelectMany(incident => incident.OpenGate!.Approvers))
            .Select(recipient => MessageTo(recipient, storm, waiting, people))
            .Where(message => message.Fresh.Count > 0)
            .ToList();
        var now = time.GetUtcNow();
        var (ready, early) = Split(messages, now);

        // Somebody who was told of the question and got a message of the same storm a moment ago counts as reached.
        var asked = unasked.Where(incident => IsAbout(ready, incident) || !IsAbout(early, incident)).ToList();
        if (people.OnCall.Count > 0)
        {
            // Before anybody is asked: after a crash those who were asked may still decide.
            await members.UpdateAsync(
                waiting.Where(incident => IsAbout(ready, incident)).UnionBy(asked, incident => incident.Id),
                incident => WithOnCall(incident, people),
                cancellationToken);
        }

        var runbooks = await RunbooksOfAsync(waiting, cancellationToken);
        var sent = await SendAsync(storm, ready, runbooks, cancellationToken);
        var told = sent.Where(pair => pair.Delivery.Channel is not null).Aggregate(storm, (changed, pair) => Tell(changed, pair.Message));
        var later = early.Select(message => new Sent(message, new Delivery(message.Key, message.Recipient.Name, "later", now, null))).ToList();
        var unheard = asked.Where(incident => !IsHeard(incident, incident.OpenGate!, [.. sent, .. later], people)).ToList();
        var last = await NotifyFallbackAsync(storm, unheard, runbooks, cancellationToken);
        IReadOnlyList<Sent> withLast = [.. sent, .. last];
        List<Delivery> deliveries = [.. withLast.Select(pair => pair.Delivery)];
        told = told.Settle(deliveries) with { Asking = [.. told.Asking, .. deliveries.SelectMany(dispatcher.AlertsOf)] };
        keep(told);
        await RecordAsync(asked, unheard, withLast, people, cancellationToken);
        await members.UpdateAsync(
            waiting.Where(incident => sent.Any(pair => pair.Delivery.Reached && pair.Message.IsAbout(incident))),
            incident => incident.OpenGate is { Asked: > 0 } open ? ApprovalSchedule.RemindNoMore(incident, open.Id) : incident,
            cancellationToken);
        var worst = waiting.Select(incident => AlertSeverity.RankOf(incident.WorstSeverity)).Append(told.Worst).Min();
        var waits = unasked.Except(asked).FirstOrDefault(incident => incident.Id == due);
        DateTimeOffset? next = waits is null ? null : early.Where(message => message.IsAbout(waits)).Min(message => message.DueAt);
        return (told with { Worst = worst }, next);
    }

    /// <summary>
    /// What goes now, and what waits. A question goes at once to everybody who was not told of it: after this turn it counts as sent, and
    /// nobody would get it later.
    /// </summary>
    private static (List<StormMessage> Ready, List<StormMessage> Early) Split(List<StormMessage> messages, DateTimeOffset now)
    {
        var ready = messages.FindAll(message => message.DueAt <= now);
        var early = messages.FindAll(message => message.DueAt > now);
        while (early.Find(message => message.Fresh.Any(incident =>
            !StormMessage.WasTold(incident, message.Recipient) && IsAbout(ready, incident))) is { } beside)
        {
            early.Remove(beside);
            ready.Add(beside);
        }

        return (ready, early);
    }

    /// <summary>Puts it on every incident that was asked about. A card that was sent alone shows an answer that came meanwhile.</summary>
    private async Task RecordAsync(
        IReadOnlyList<Incident> asked,
        IReadOnlyList<Incident> unheard,
        IReadOnlyList<Sent> sent,
        ResolvedContacts people,
        CancellationToken cancellationToken)
    {
        var gates = asked.ToDictionary(incident => incident.Id, incident => incident.OpenGate!.Id, StringComparer.Ordinal);
        var missed = unheard.Select(incident => incident.Id).ToHashSet(StringComparer.Ordinal);
        var updated = await members.UpdateAsync(
            asked, incident => Record(incident, gates[incident.Id], sent, people, missed.Contains(incident.Id)), cancellationToken);
        var recorded = updated.ToDictionary(incident => incident.Id, StringComparer.Ordinal);
        var shownAlone = sent.Where(pair => pair.Message.About.Count == 1).Select(pair => pair.Message.About[0]).DistinctBy(incident => incident.Id);
        await Task.WhenAll(shownAlone.Select(incident =>
            updater.ShowIfAnsweredAsync(incident, recorded[incident.Id], gates[incident.Id], cancellationToken)));
    }

    private Storm Tell(Storm storm, StormMessage message) =>
        storm.Tell(message.Name, new((message.Before?.Count ?? 0) + 1, time.GetUtcNow()));

    private static bool IsHeard(Incident incident, Gate gate, IEnumerable<Sent> sent, ResolvedContacts people) =>
        Reach.IsEnough([.. DeliveriesOf(incident, gate, sent, people), .. incident.ToThoseWhoAnswered(gate)], gate);

    private StormMessage MessageTo(Recipient recipient, Storm storm, IReadOnlyList<Incident> waiting, ResolvedContacts people)
    {
        var name = NotificationDispatcher.NameOf(recipient);
        var about = waiting.Where(IsForRecipient).ToList();
        var fresh = about.Where(incident => !incident.WasSent(incident.OpenGate!)).ToList();
        var known = about.Except(fresh).ToList();

        // Once everything that the recipient got is decided, the next message is news again.
        var before = storm.Told.GetValueOrDefault(name) is { } told && about.Exists(WasTold) ? told : null;
        if (before is null)
        {
            return new(recipient, about, fresh, null, time.GetUtcNow());
        }

        var otherRunbook = fresh.Any(incident => !WasTold(incident) && !known.Exists(other => other.RunbookId == incident.RunbookId));
        var pause = otherRunbook ? options.CurrentValue.Within : before.Pause;

        // A question that the recipient was not told of does not wait that long, nor does the first reminder.
        var due = fresh
            .Where(incident => before.Count == 1 || !WasTold(incident))
            .Select(incident => ApprovalSchedule.ToldBy(incident.OpenGate!))
            .Append(before.LastAt + pause)
            .Min();
        return new(recipient, about, fresh, before, due);

        bool WasTold(Incident incident) => StormMessage.WasTold(incident, recipient);

        bool IsForRecipient(Incident incident) =>
            people.ContactsOf(incident.OpenGate!.Approvers, recipient).Count > 0 && !incident.OpenGate!.IsAnsweredBy(recipient.Name);
    }

    private async Task<IReadOnlyList<Sent>> SendAsync(
        Storm storm, IReadOnlyList<StormMessage> messages, IReadOnlyDictionary<string, Runbook> runbooks, CancellationToken cancellationToken)
    {
        var deliveries = await dispatcher.SendToAsync(
            messages.Select(message => (message.Key, message.Recipient, cards.Question(storm, message, runbooks))),
            [],
            calls => storms.ExpectAsync(storm.Id, calls, cancellationToken),
            cancellationToken);
        return [.. messages.Zip(deliveries, (message, delivery) => new Sent(message, delivery))];
    }

    private async Task<IReadOnlyList<Sent>> NotifyFallbackAsync(
        Storm storm, IReadOnlyList<Incident> unheard, IReadOnlyDictionary<string, Runbook> runbooks, CancellationToken cancellationToken)
    {
        var unasked = unheard
            .Where(incident => incident.OpenGate!.NextFallback is not null)
            .ToLookup(incident => incident.OpenGate!.NextFallback!, StringComparer.OrdinalIgnoreCase);
        var people = await dispatcher.ResolveAsync(unasked.Select(contact => contact.Key), cancellationToken);
        var gates = unheard.ToDictionary(incident => incident.Id, incident => incident.OpenGate!.Id, StringComparer.Ordinal);
        var messages = new List<StormMessage>();
        foreach (var contact in unasked)
        {
            var changed = await members.UpdateAsync(contact, incident => Escalate(incident, contact.Key, people), cancellationToken);

            // Some may have been answered while other channels were still being tried.
            List<Incident> escalated = [.. changed.Where(incident => incident.OpenGate?.Id == gates[incident.Id])];
            var asked = await dispatcher.ForAsync(people, escalated, cancellationToken);
            var recipients = asked.RecipientsOf(escalated.Count == 0 ? [] : [contact.Key]);
            messages.AddRange(recipients.Select(recipient =>
                new StormMessage(recipient, escalated, escalated, null, time.GetUtcNow()) { InPlace = contact.Key }));
        }

        return await SendAsync(storm, messages, runbooks, cancellationToken);
    }

    private Incident Escalate(Incident incident, string contact, ResolvedContacts people) =>
        incident.OpenGate is { } gate && !gate.Approvers.Contains(contact, StringComparer.OrdinalIgnoreCase)
            ? WithOnCall(ApprovalSchedule.Escalate(incident, gate.Id, [contact], time.GetUtcNow()), people)
            : incident;

    private static Incident WithOnCall(Incident incident, ResolvedContacts people)
    {
        if (incident.OpenGate is not { } gate)
        {
            return incident;
        }

        var onCall = people.OnCallOf(gate.Approvers).Select(record => record with { Message = gate.MessageKey });
        return incident.RecordOnCall(gate.Id, [.. onCall]);
    }

    private static List<Delivery> DeliveriesOf(Incident incident, Gate gate, IEnumerable<Sent> sent, ResolvedContacts people) =>
        [.. sent.Where(pair => pair.Message.IsAbout(incident)).Select(pair => pair.Message.Of(gate, pair.Delivery) with
        {
            Behind = pair.Message.InPlace is { } last ? [last] : people.ContactsOf(gate.Approvers, pair.Message.Recipient),
        })];

    private Incident Record(Incident incident, string gateId, IReadOnlyList<Sent> sent, ResolvedContacts people, bool unheard)
    {
        // A question that was decided meanwhile was asked all the same.
        if (incident.FindGate(gateId) is not { } gate || incident.WasSent(gate))
        {
            return incident;
        }

        var counts = sent.Where(pair => pair.Message.IsAbout(incident)).Select(pair => pair.Message.About.Count);
        var recorded = DeliveriesOf(incident, gate, sent, people)
            .Zip(counts, (delivery, count) => (Delivery: delivery, Count: count))
            .Aggregate(incident, (changed, pair) => changed.RecordDeliveries([pair.Delivery], about: pair.Count))
            .RecordDeliveries([.. dispatcher.Missing(gate.MessageKey, gate.Approvers, people)]);
        return unheard && !IsHeard(incident, gate, sent, people) ? ApprovalSchedule.AskAgain(recorded, gate.Id, time.GetUtcNow()) : recorded;
    }

    private async Task<IReadOnlyDictionary<string, Runbook>> RunbooksOfAsync(IReadOnlyList<Incident> incidents, CancellationToken cancellationToken)
    {
        var runbooks = new Dictionary<string, Runbook>(StringComparer.Ordinal);
        foreach (var incident in incidents.DistinctBy(incident => incident.RunbookId))
        {
            runbooks[incident.RunbookId] = await pinned.OfAsync(incident, cancellationToken);
        }

        return runbooks;
    }

    private static bool IsAbout(List<StormMessage> messages, Incident incident) => messages.Exists(message => message.IsAbout(incident));

    private sealed record Sent(StormMessage Message, Delivery Delivery);
}
