namespace Runbooks.Notifications.Storms;

/// <summary>What one incident of a storm has to tell, and whom.</summary>
/// <param name="Key">Names it within the incident, as if the incident told it by itself.</param>
/// <param name="NeedsPerson">Each contact has to have it, or the last in line; else it is enough that somebody has.</param>
public sealed record StormNews(Incident Incident, Runbook Runbook, string Key, IReadOnlyList<string> To, bool NeedsPerson)
{
    /// <summary>In words, where the record does not say it.</summary>
    public string Message { get; init; } = "";

    /// <summary>Whether whoever it is for has it.</summary>
    public bool IsHeard => DeliveryRetry.IsHeard(Incident, Key, NeedsPerson);

    public bool IsDue(DateTimeOffset now) => DeliveryRetry.IsDue(Incident, Key, now, NeedsPerson);
}

/// <summary>
/// Tells news of many incidents of a storm in one message to each person. On the record of each incident stands what reached
/// whom, as if it had told it by itself: what did not come to whom it is for is news for them alone the next time.
/// </summary>
public sealed class StormNewsDispatcher(StormRegistry storms, StormMembers members, NotificationDispatcher dispatcher, NotificationUpdater updater, ILogger<StormNewsDispatcher> logger)
{
    /// <param name="news">Of each incident and key one.</param>
    /// <param name="cardOf">The card about what one recipient is told.</param>
    /// <param name="alerts">What recipients were called up for before, and hear the end of by such a card.</param>
    /// <param name="keep">Takes what was sent, before anything is written on the incidents: should that fail, its alerts can still be ended.</param>
    public async Task SendAsync(
        IReadOnlyList<StormNews> news, Func<IReadOnlyList<StormNews>, Card> cardOf, IReadOnlyList<Delivery> alerts, Action<IReadOnlyList<StormSent>> keep, CancellationToken cancellationToken)
    {
        var (sent, recorded) = await SendToAllAsync(news, cardOf, alerts, cancellationToken);
        var first = recorded.ToLookup(one => (one.News.Incident.Id, one.News.Key), one => one.Delivery);
        var missed = news.Where(one => one.NeedsPerson && NotificationRecipients.NeedsLastInLine(
            one.Runbook, one.Incident.DeliveriesUnder(one.Key).Concat(first[(one.Incident.Id, one.Key)])));
        var last = await SendToAllAsync([.. missed.Select(one => one with { Key = $"{one.Key}:{ContactBook.Fallback}", To = [ContactBook.Fallback] })], cardOf, alerts, cancellationToken);
        keep([.. sent, .. last.Sent]);
        var told = recorded.Concat(last.Recorded).ToLookup(one => one.News.Incident.Id);
        var updated = (await members.UpdateAsync(
            told.Select(one => one.First().News.Incident),
            incident => told[incident.Id].Aggregate(incident, (changed, one) => changed.RecordDeliveries([one.Delivery], about: one.Incidents)),
            cancellationToken)).ToDictionary(incident => incident.Id, StringComparer.Ordinal);
        await Task.WhenAll(told.Select(one => updater.ShowIfSeenToAsync(one.First().News.Incident, updated[one.Key], cancellationToken)));
        if (news.Where(one => updated.TryGetValue(one.Incident.Id, out var now) && !now.Reached(one.Key)).ToList() is { Count: > 0 } unheard)
        {
            Log.NobodyReached(logger, unheard[0].Incident.Storm!, $"{CountText.Format(unheard.Count, "incident")}, {unheard[0].Key}.");
        }
    }

    /// <summary>To whoever does not have it yet.</summary>
    private async Task<(IReadOnlyList<StormSent> Sent, IReadOnlyList<Told> Recorded)> SendToAllAsync(
        IReadOnlyList<StormNews> news, Func<IReadOnlyList<StormNews>, Card> cardOf, IReadOnlyList<Delivery> alerts, CancellationToken cancellationToken)
    {
        var people = await dispatcher.ResolveAsync(news.SelectMany(one => one.To), cancellationToken);
        var messages = news
            .SelectMany(one => people.RecipientsOf(one.To).Select(recipient => (News: one, Recipient: recipient)))
            .Where(to => !to.News.Incident.Deliveries.Any(delivery => delivery.Channel is not null && delivery.Key == NotificationDispatcher.KeyFor(to.News.Key, to.Recipient)))
            .GroupBy(to => NotificationDispatcher.NameOf(to.Recipient), (_, to) => to.ToList())
            .Select(to => (To: to[0].Recipient, About: to.ConvertAll(one => one.News)))
            .Select(to => (to.To, to.About, Card: cardOf(to.About)))
            .ToList();

        // That an end needs a person stays until somebody ends it.
        var deliveries = await dispatcher.SendToAsync(
            messages.Select(to => ($"{to.About[0].Key}:{to.About[0].Incident.Id}", to.To, to.Card)),
            alerts,
            news.All(one => one.Key.StartsWith(NotificationRecipients.Closed, StringComparison.Ordinal)) ? null : calls => storms.ExpectAsync(news[0].Incident.Storm!, calls, cancellationToken),
            cancellationToken);
        List<StormSent> sent = [.. messages.Zip(deliveries, (to, delivery) => new StormSent(to.To, to.About, to.Card, delivery) { Alerts = dispatcher.AlertsOf(delivery) })];
        return (sent,
        [
            .. sent.SelectMany(message => message.About.Select(one => new Told(one, message.Of(one, people), message.Incidents))),
            .. news.Where(one => !one.Incident.HasDelivery(one.Key)).SelectMany(one => dispatcher.Missing(one.Key, one.To, people).Select(nobody => new Told(one, nobody, Incidents: 1))),
        ]);
    }

    /// <param name="Incidents">How many the message was about.</param>
    private sealed record Told(StormNews News, Delivery Delivery, int Incidents);
}

/// <summary>One message of a storm, and what became of it.</summary>
public sealed record StormSent(Recipient Recipient, IReadOnlyList<StormNews> About, Card Card, Delivery Delivery)
{
    public int Incidents { get; } = About.DistinctBy(one => one.Incident.Id).Count();

    /// <summary>What of it has to be ended.</summary>
    public required IReadOnlyList<Delivery> Alerts { get; init; }

    /// <summary>As the record of one of its incidents keeps it. A message that shows many cannot be changed into how one of them ended.</summary>
    /// <param name="people">Who was behind the contacts.</param>
    public Delivery Of(StormNews news, ResolvedContacts people) => Delivery with
    {
        Key = NotificationDispatcher.KeyFor(news.Key, Recipient),
        Behind = people.ContactsOf(news.To, Recipient),
        Reference = Incidents == 1 ? Delivery.Reference : null,
    };
}

/// <summary>
/// Pages about incidents of storms, many in one message: forty temporary fixes that last too long are one call. Whoever calls it
/// finds what did not come to whom it is for again the next minute.
/// </summary>
public sealed class StormPager(StormRegistry storms, StormNewsDispatcher dispatcher, StormCards cards, PinnedRunbooks pinned, TimeProvider time)
{
    public async Task NotifyAsync(IEnumerable<PageInStorm> pages, CancellationToken cancellationToken)
    {
        foreach (var storm in pages.GroupBy(page => page.Incident.Storm!))
        {
            List<PageInStorm> due = [.. storm.OrderBy(page => page.Incident.OpenedAt)];
            if (StormWait.IsOver(due.Select(page => page.Incident.Pages.FirstOrDefault(known => known.Trouble == page.Trouble)?.At).OfType<DateTimeOffset>(), time.GetUtcNow()))
            {
                await storms.SpeakAsync(storm.Key, due[0].Incident.OpenedAt, (mine, keep) => NotifyAsync(mine, due, keep, cancellationToken), cancellationToken);
            }
        }
    }

    /// <returns>That the storm is not over: its end is told apart from this.</returns>
    private async Task<bool> NotifyAsync(Storm storm, IReadOnlyList<PageInStorm> pages, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var news = new List<StormNews>();
        foreach (var (incident, trouble, message) in pages)
        {
            var runbook = await pinned.OfAsync(incident, cancellationToken);
            news.Add(new(incident, runbook, DuePage.KeyOf(trouble), NotificationRecipients.OfPage(incident, runbook), NeedsPerson: true) { Message = message });
        }

        await dispatcher.SendAsync(news, about => cards.Page(storm, about, time.GetUtcNow()), [], sent => keep(storm.Keep(sent)), cancellationToken);
        return false;
    }
}

/// <summary>A person has to hear of this about an incident of a storm.</summary>
/// <param name="Trouble">Names it: the same trouble pages once.</param>
public sealed record PageInStorm(Incident Incident, string Trouble, string Message);

/// <summary>
/// Tells which incidents of storms hold a temporary fix and how they ended, many in one message. What did not come to whom it is for is told them again, since the record says so.
/// </summary>
public sealed class StormEndNotifier(
    StormRegistry storms,
    StormMembers members,
    StormCards cards,
    StormNewsDispatcher news,
    NotificationDispatcher dispatcher,
    PinnedRunbooks pinned,
    IOptionsMonitor<StormOptions> options,
    TimeProvider time) : IWatchdogJob
{
    /// <summary>Longer than the waits for other ends and for another sender: an end that was not tried by then is not told at all.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(15);

    /// <summary>An end that did not come to whom it is for is tried again for this long.</summary>
    private static readonly TimeSpan s_triedFor = TimeSpan.FromDays(1);

    public string Name => "storms";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var storm in await storms.ListAsync(cancellationToken))
        {
            await storms.SpeakAsync(storm.Id, storm.Since, (mine, keep) => NotifyAsync(mine, keep, cancellationToken), cancellationToken);
        }
    }

    /// <param name="keep">Takes what was sent before it is written on the incidents: should that fail, its alerts can still be ended.</param>
    /// <returns>Whether all of it has ended and is told.</returns>
    private async Task<bool> NotifyAsync(Storm storm, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var anyOpen = await members.AnyOpenAsync(storm, cancellationToken);
        if (storm.Asking.Count > 0 && !await AnyAsksAsync(storm, now, cancellationToken))
        {
            await dispatcher.UpdateAsync(storm.Asking, _ => cards.Answered(storm), cancellationToken);
            keep(storm = storm with { Asking = [], Alerts = storm.Ringing });
        }

        var due = await FindAsync(storm, state => state.IsFinal(), Ends, cancellationToken);
        var ends = due.Where(one => one.Key == NotificationRecipients.Closed).ToList();
        if (ends.Count > 0 && IsTimeFor(ends, anyOpen, now))
        {
            // While others ask, an alert about all of them does not end. What says that a person is needed stays until somebody ends it.
            await news.SendAsync(ends, about => cards.Ended(storm, about), anyOpen ? [] : storm.Ringing, sent => Keep([.. sent.Where(message => message.Card.Informs)]), cancellationToken);
        }

        var reports = due.Where(one => one.Key == NotificationRecipients.Report).ToList();
        if (reports.Count > 0 && (!anyOpen || now - reports.Min(one => one.Incident.ClosedAt) >= s_longestWait))
        {
            await news.SendAsync(reports, about => cards.Report(storm, about), [], Keep, cancellationToken);
        }

        var holding = await FindAsync(storm, state => state == IncidentState.Holding, Holds, cancellationToken);
        if (holding.Count > 0 && StormWait.IsOver(holding.Select(one => BeganToHold(one.Incident)), now))
        {
            await news.SendAsync(holding, about => cards.Holding(storm, about), [], Keep, cancellationToken);
        }

        var over = !anyOpen && now - storm.LastJoined > options.CurrentValue.Within && !await ReadAsync(storm, state => state.IsFinal(), Ends, cancellationToken).AnyAsync(cancellationToken);
        if (over)
        {
            await dispatcher.UpdateAsync(storm.Ringing, _ => cards.Over(storm), cancellationToken);
        }

        return over;

        void Keep(IReadOnlyList<StormSent> sent) => keep(storm = storm.Keep(sent));
    }

    /// <summary>Whether anybody can answer anything of it now.</summary>
    private async Task<bool> AnyAsksAsync(Storm storm, DateTimeOffset now, CancellationToken cancellationToken) =>
        await members.ReadAsync(storm.Id, storm.Since, line => line.State == IncidentState.AwaitingApproval, cancellationToken)
            .AnyAsync(incident => incident.OpenGate is { } gate && !gate.IsHeldBack(now), cancellationToken);

    /// <summary>What is to be told now, of the oldest incidents.</summary>
    private async Task<List<StormNews>> FindAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return [.. (await ReadAsync(storm, state, (incident, runbook) => untold(incident, runbook).Where(one => one.IsDue(now)), cancellationToken)
            .Take(StormMembers.MaxMembers).ToListAsync(cancellationToken)).SelectMany(news => news)];
    }

    /// <returns>What each incident has to tell that has something to tell, oldest first.</returns>
    private IAsyncEnumerable<List<StormNews>> ReadAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken) =>
        members.ReadAsync(storm.Id, storm.Since, line => state(line.State), cancellationToken)
            .Select(async (incident, token) => untold(incident, await pinned.OfAsync(incident, token)).ToList())
            .Where(news => news.Count > 0);

    private IEnumerable<StormNews> Ends(Incident incident, Runbook runbook)
    {
        var end = new StormNews(incident, runbook, NotificationRecipients.Closed, NotificationRecipients.Of(incident, runbook), StormCards.CallsForAPerson(incident));

        // Once somebody sees to it, nobody else has to hear that a person is needed.
        var isTriedEnough = incident.HasDelivery(end.Key) && (time.GetUtcNow() - incident.ClosedAt >= s_triedFor || (StormCards.IsUnsolved(incident) && !incident.NeedsPerson));
        if (end.To.Count > 0 && !end.IsHeard && !isTriedEnough)
        {
            yield return end;
        }

        if (NotificationRecipients.OfReport(incident, runbook) is { Count: > 0 } to && !incident.HasDelivery(NotificationRecipients.Report))
        {
            yield return new(incident, runbook, NotificationRecipients.Report, to, NeedsPerson: false);
        }
    }

    private static IEnumerable<StormNews> Holds(Incident incident, Runbook runbook) => ChangeText.InPlace(incident).Count == 0
        ? []
        : [new(incident, runbook, HoldingNotifier.Key, NotificationRecipients.OfHold(incident, runbook), NeedsPerson: false)];

    private static bool IsTimeFor(List<StormNews> ends, bool anyOpen, DateTimeOffset now) =>
        !anyOpen
        || now - ends.Min(end => end.Incident.ClosedAt) >= s_longestWait
        || (ends.Where(end => end.NeedsPerson).Select(end => end.Incident.ClosedAt!.Value).ToList() is { Count: > 0 } bad && StormWait.IsOver(bad, now));

    private static DateTimeOffset BeganToHold(Incident incident) =>
        incident.VerificationRounds.FirstOrDefault(round => round.State == IncidentState.Holding)?.At ?? incident.UpdatedAt;
}
