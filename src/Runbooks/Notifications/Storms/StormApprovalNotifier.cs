namespace Runbooks.Notifications.Storms;

/// <summary>
/// Asks about all incidents of a storm in one message to each person. The incident that is due first sends for every question that has
/// not been sent. If its sender dies, the rest stays unasked and the next incident that is due asks again.
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
    /// <summary>Questions of a storm opened within this time of each other, so a reminder of one is due for the others too.</summary>
    private static readonly TimeSpan s_together = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_whileAnotherSends = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestWhileAnotherSends = TimeSpan.FromMinutes(1);

    /// <summary>Sends the questions that are unasked, once this one has waited for others to join it.</summary>
    /// <param name="due">The incident in a storm whose question is due.</param>
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
            return storm.LookAgain(due.Id, now, now + TimeSpan.FromTicks(Math.Clamp(waited.Ticks / 2, s_whileAnotherSends.Ticks, s_longestWhileAnotherSends.Ticks)));
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
                .Where(incident => incident.OpenGate is not null).ToListAsync(cancellationToken);
            read = waiting.Count;
            if (gate.Asked > 0)
            {
                var now = time.GetUtcNow();
                var closed = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
                foreach (var runbook in waiting.GroupBy(incident => incident.RunbookId))
                {
                    foreach (var (id, why) in await findClosed([.. runbook], cancellationToken))
                    {
                        closed[id] = why;
                    }
                }

                waiting = [.. (await members.UpdateAsync(waiting, incident => AskWithOthers(incident, closed.GetValueOrDefault(incident.Id) ?? [], now), cancellationToken))
                    .Where(incident => incident is { State: IncidentState.AwaitingApproval, OpenGate: not null })];
            }

            (told, var next) = await NotifyAsync(told, waiting, due.Id, sent => told = sent, cancellationToken);
            return next;
        }
        finally
        {
            await storms.EndTurnAsync(told, over: false, read, CancellationToken.None);
        }
    }

    private static Incident AskWithOthers(Incident incident, IReadOnlyList<string> closed, DateTimeOffset now)
    {
        if (incident.OpenGate is not { } open)
        {
            return incident;
        }

        var asked = ApprovalSchedule.AskWithOthers(incident, open.Id, now + s_together, now);
        return asked.OpenGate is { } again && again.Asked != open.Asked
            ? ApprovalSchedule.NoteWhetherItRuns(asked, again.Id, closed.Count == 0 ? null : string.Join(" ", closed.Select(EndingText.Sentence)), now)
            : asked;
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
        var (ready, early) = (messages.Where(message => message.DueAt <= now).ToList(), messages.Where(message => message.DueAt > now).ToList());

        // A question goes to everybody it is for at once: after this turn it counts as sent, and nobody would get it later.
        while (early.Find(message => message.Fresh.Any(incident => !StormMessage.WasTold(incident) && IsAbout(ready, incident))) is { } beside)
        {
            early.Remove(beside);
            ready.Add(beside);
        }

        // Somebody who got a message of the same storm a moment ago gets the rest later, and counts as reached.
        var asked = unasked.Where(incident => IsAbout(ready, incident) || !IsAbout(early, incident)).ToList();
        if (people.OnCall.Count > 0)
        {
            // Before anybody is told: after a crash whoever was asked may still decide.
            await members.UpdateAsync(waiting.Where(incident => IsAbout(ready, incident)).UnionBy(asked, incident => incident.Id), incident => WithOnCall(incident, people), cancellationToken);
        }

        var shown = await RunbooksOfAsync(waiting, cancellationToken);
        var sent = await SendAsync(storm, ready, shown, cancellationToken);
        var told = sent.Where(one => one.Delivery.Channel is not null).Aggregate(storm, (changed, one) => changed.Tell(one.Message.Name, new((one.Message.Before?.Count ?? 0) + 1, time.GetUtcNow())));
        var later = early.Select(message => (Message: message, Delivery: new Delivery(message.Key, message.Recipient.Name, "later", now, null)));
        var unheard = asked.Where(incident => !Reach.IsEnough([.. DeliveriesOf(incident, incident.OpenGate!, [.. sent, .. later], people), .. incident.ToThoseWhoAnswered(incident.OpenGate!)], incident.OpenGate!)).ToList();
        var last = await NotifyFallbackAsync(storm, unheard, shown, cancellationToken);
        List<Delivery> deliveries = [.. sent.Concat(last).Select(one => one.Delivery)];
        told = told.Settle(deliveries) with { Asking = [.. told.Asking, .. deliveries.SelectMany(dispatcher.AlertsOf)] };
        keep(told);
        var gates = asked.ToDictionary(incident => incident.Id, incident => incident.OpenGate!.Id, StringComparer.Ordinal);
        var missed = unheard.Select(incident => incident.Id).ToHashSet(StringComparer.Ordinal);
        var recorded = (await members.UpdateAsync(asked, incident => Record(incident, gates[incident.Id], [.. sent, .. last], people, missed.Contains(incident.Id)), cancellationToken))
            .ToDictionary(incident => incident.Id, StringComparer.Ordinal);
        await Task.WhenAll(sent.Concat(last).Where(one => one.Message.About.Count == 1).Select(one => one.Message.About[0]).DistinctBy(incident => incident.Id)
            .Select(incident => updater.ShowIfAnsweredAsync(incident, recorded[incident.Id], gates[incident.Id], cancellationToken)));
        await members.UpdateAsync(
            waiting.Where(incident => sent.Any(one => one.Delivery.Reached && one.Message.IsAbout(incident))),
            incident => incident.OpenGate is { Asked: > 0 } open ? ApprovalSchedule.RemindNoMore(incident, open.Id) : incident,
            cancellationToken);
        var worst = waiting.Select(incident => AlertSeverity.RankOf(incident.WorstSeverity)).Append(told.Worst).Min();
        var next = unasked.Except(asked).FirstOrDefault(incident => incident.Id == due) is { } waits ? early.Where(message => message.IsAbout(waits)).Min(message => message.DueAt) : (DateTimeOffset?)null;
        return (told with { Worst = worst }, next);
    }

    /// <summary>The message that one recipient has to get, and when.</summary>
    private StormMessage MessageTo(Recipient recipient, Storm storm, IReadOnlyList<Incident> waiting, ResolvedContacts people)
    {
        var name = NotificationDispatcher.NameOf(recipient);
        var about = waiting.Where(incident => people.ContactsOf(incident.OpenGate!.Approvers, recipient).Count > 0 && !incident.OpenGate!.IsAnsweredBy(recipient.Name)).ToList();
        var fresh = about.Where(incident => !incident.WasSent(incident.OpenGate!)).ToList();
        var known = about.Except(fresh).ToList();

        // Once everything that the recipient got is decided, the next message is news again.
        var before = storm.Told.GetValueOrDefault(name) is { } told && about.Exists(StormMessage.WasTold) ? told : null;
        if (before is null)
        {
            return new(recipient, about, fresh, null, time.GetUtcNow());
        }

        var otherRunbook = fresh.Any(incident => !StormMessage.WasTold(incident) && !known.Exists(other => other.RunbookId == incident.RunbookId));
        var pause = otherRunbook ? options.CurrentValue.Within : before.Pause;

        // A question that nobody was told of does not wait so long, nor does the first reminder.
        var due = fresh.Where(incident => before.Count == 1 || !StormMessage.WasTold(incident)).Select(incident => ApprovalSchedule.ToldBy(incident.OpenGate!)).Append(before.LastAt + pause).Min();
        return new(recipient, about, fresh, before, due);
    }

    private async Task<IReadOnlyList<(StormMessage Message, Delivery Delivery)>> SendAsync(
        Storm storm, IReadOnlyList<StormMessage> messages, IReadOnlyDictionary<string, Runbook> shown, CancellationToken cancellationToken) =>
        [.. messages.Zip(await dispatcher.SendToAsync(
            messages.Select(message => (message.Key, message.Recipient, cards.Question(storm, message, shown))), [], calls => storms.ExpectAsync(storm.Id, calls, cancellationToken), cancellationToken))];

    /// <summary>Silence is never success: whoever is last in line may decide as well.</summary>
    private async Task<IReadOnlyList<(StormMessage Message, Delivery Delivery)>> NotifyFallbackAsync(
        Storm storm, IReadOnlyList<Incident> unheard, IReadOnlyDictionary<string, Runbook> shown, CancellationToken cancellationToken)
    {
        var unasked = unheard.Where(incident => incident.OpenGate!.NextFallback is not null).ToLookup(incident => incident.OpenGate!.NextFallback!, StringComparer.OrdinalIgnoreCase);
        var people = await dispatcher.ResolveAsync(unasked.Select(contact => contact.Key), cancellationToken);
        var gates = unheard.ToDictionary(incident => incident.Id, incident => incident.OpenGate!.Id, StringComparer.Ordinal);
        var messages = new List<StormMessage>();
        foreach (var contact in unasked)
        {
            // Some may have been answered while other channels were still being tried.
            List<Incident> escalated = [.. (await members.UpdateAsync(contact, incident => Escalate(incident, contact.Key, people), cancellationToken))
                .Where(incident => incident.OpenGate?.Id == gates[incident.Id])];
            var asked = await dispatcher.ForAsync(people, escalated, cancellationToken);
            messages.AddRange(asked.RecipientsOf(escalated.Count == 0 ? [] : [contact.Key])
                .Select(recipient => new StormMessage(recipient, escalated, escalated, null, time.GetUtcNow()) { InPlace = contact.Key }));
        }

        return await SendAsync(storm, messages, shown, cancellationToken);
    }

    private Incident Escalate(Incident incident, string contact, ResolvedContacts people) =>
        incident.OpenGate is { } gate && !gate.Approvers.Contains(contact, StringComparer.OrdinalIgnoreCase)
            ? WithOnCall(ApprovalSchedule.Escalate(incident, gate.Id, [contact], time.GetUtcNow()), people)
            : incident;

    /// <summary>Records on the question whom schedules meant.</summary>
    private static Incident WithOnCall(Incident incident, ResolvedContacts people) =>
        incident.OpenGate is { } gate ? incident.RecordOnCall(gate.Id, [.. people.OnCallOf(gate.Approvers).Select(record => record with { Message = gate.MessageKey })]) : incident;

    /// <summary>What was sent about this incident, as its record keeps it.</summary>
    private static List<Delivery> DeliveriesOf(Incident incident, Gate gate, IEnumerable<(StormMessage Message, Delivery Delivery)> sent, ResolvedContacts people) =>
        [.. sent.Where(one => one.Message.IsAbout(incident)).Select(one => one.Message.Of(gate, one.Delivery) with
        {
            Behind = one.Message.InPlace is { } last ? [last] : people.ContactsOf(gate.Approvers, one.Message.Recipient),
        })];

    private Incident Record(Incident incident, string gateId, IReadOnlyList<(StormMessage Message, Delivery Delivery)> sent, ResolvedContacts people, bool unheard)
    {
        // Decided meanwhile, it was still asked.
        if (incident.FindGate(gateId) is not { } gate || incident.WasSent(gate))
        {
            return incident;
        }

        var mine = DeliveriesOf(incident, gate, sent, people);
        var recorded = mine.Zip(sent.Where(one => one.Message.IsAbout(incident)), (delivery, one) => (delivery, one.Message.About.Count)).Aggregate(incident, (changed, one) => changed.RecordDeliveries([one.delivery], about: one.Count))
            .RecordDeliveries([.. dispatcher.Missing(gate.MessageKey, gate.Approvers, people)]);
        return unheard && !Reach.IsEnough([.. mine, .. incident.ToThoseWhoAnswered(gate)], gate) ? ApprovalSchedule.AskAgain(recorded, gate.Id, time.GetUtcNow()) : recorded;
    }

    private async Task<IReadOnlyDictionary<string, Runbook>> RunbooksOfAsync(IReadOnlyList<Incident> incidents, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, Runbook>(StringComparer.Ordinal);
        foreach (var incident in incidents.DistinctBy(incident => incident.RunbookId))
        {
            found[incident.RunbookId] = await pinned.OfAsync(incident, cancellationToken);
        }

        return found;
    }

    private static bool IsAbout(List<StormMessage> messages, Incident incident) => messages.Exists(message => message.IsAbout(incident));
}

/// <summary>One message of a storm to one recipient.</summary>
/// <param name="About">All that waits for this recipient, oldest first.</param>
/// <param name="Fresh">Those among them that the message has to go out for.</param>
/// <param name="Before">What the recipient was told before and still has to answer; null when there is nothing of the kind.</param>
public sealed record StormMessage(Recipient Recipient, IReadOnlyList<Incident> About, IReadOnlyList<Incident> Fresh, StormMessages? Before, DateTimeOffset DueAt)
{
    private readonly HashSet<string> _about = [.. About.Select(incident => incident.Id)];

    /// <summary>The contact that is asked in place of those who were not reached; null where it goes to whom the questions ask.</summary>
    public string? InPlace { get; init; }

    public string Name => NotificationDispatcher.NameOf(Recipient);

    public const string KeyPrefix = "storm";

    /// <summary>The same on a repeated attempt, another for each message: two people with one pager are called up for each.</summary>
    public string Key => $"{KeyPrefix}:{Fresh[0].Id}:{Fresh[0].OpenGate!.MessageKey}{(InPlace is null ? "" : $":{InPlace}")}";

    /// <summary>Those among them that nobody was told of.</summary>
    public int Newcomers => Fresh.Count(incident => !WasTold(incident));

    /// <summary>A schedule names this recipient now, and named others when it was asked first.</summary>
    public bool IsNextShift => About.Any(incident => incident.OpenGate!.OnCall
        .GroupBy(record => record.Contact, StringComparer.OrdinalIgnoreCase)
        .Any(contact => Names(contact.Last()) && !Names(contact.First())));

    public static bool WasTold(Incident incident) => incident.HasDelivery(incident.OpenGate!.Id);

    public bool IsAbout(Incident incident) => _about.Contains(incident.Id);

    private bool Names(OnCallRecord record) => record.People.Contains(Recipient.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>As the record of one of its incidents keeps it. A message that shows many cannot be changed into how one of them ended.</summary>
    public Delivery Of(Gate gate, Delivery delivery) => delivery with
    {
        Key = $"{gate.MessageKey}:{(InPlace is null ? "" : "fallback:")}{Name}",
        Reference = About.Count == 1 ? delivery.Reference : null,
    };
}
