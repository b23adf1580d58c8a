namespace Runbooks.Notifications.Storms;

/// <param name="Key">Names it within the incident, as for a message of the incident's own.</param>
/// <param name="NeedsPerson">Each contact, or the last in line, has to have it; otherwise it is enough that somebody has it.</param>
public sealed record StormNews(Incident Incident, Runbook Runbook, string Key, IReadOnlyList<string> To, bool NeedsPerson)
{
    /// <summary>Only for pages: what happened.</summary>
    public string Message { get; init; } = "";

    public bool IsHeard => DeliveryRetry.IsHeard(Incident, Key, NeedsPerson);

    public bool IsDue(DateTimeOffset now) => DeliveryRetry.IsDue(Incident, Key, now, NeedsPerson);
}

/// <summary>Sends the news of many incidents in one message to each person, and only to those who do not have it yet.</summary>
public sealed class StormNewsDispatcher(
    StormRegistry storms,
    StormMembers members,
    NotificationDispatcher dispatcher,
    NotificationUpdater updater,
    ILogger<StormNewsDispatcher> logger)
{
    /// <param name="news">One for each incident and key.</param>
    /// <param name="alerts">Earlier alerts of the recipients, which such a card ends.</param>
    /// <param name="keep">Gets what was sent before it is recorded on the incidents: if that fails, its alerts can still be ended.</param>
    public async Task SendAsync(
        IReadOnlyList<StormNews> news,
        Func<IReadOnlyList<StormNews>, Card> cardOf,
        IReadOnlyList<Delivery> alerts,
        Action<IReadOnlyList<StormSent>> keep,
        CancellationToken cancellationToken)
    {
        var (sent, recorded) = await SendToAllAsync(news, cardOf, alerts, cancellationToken);
        var first = recorded.ToLookup(entry => (entry.News.Incident.Id, entry.News.Key), entry => entry.Delivery);
        List<StormNews> toFallback =
        [
            .. from item in news
                let deliveries = item.Incident.DeliveriesUnder(item.Key).Concat(first[(item.Incident.Id, item.Key)])
                where item.NeedsPerson && NotificationRecipients.NeedsLastInLine(item.Runbook, deliveries)
                select item with { Key = $"{item.Key}:{ContactBook.Fallback}", To = [ContactBook.Fallback] },
        ];
        var last = await SendToAllAsync(toFallback, cardOf, alerts, cancellationToken);
        keep([.. sent, .. last.Sent]);
        var told = recorded.Concat(last.Recorded).ToLookup(entry => entry.News.Incident.Id);
        var updated = (await members.UpdateAsync(
            told.Select(group => group.First().News.Incident),
            incident => told[incident.Id].Aggregate(incident, (changed, entry) => changed.RecordDeliveries([entry.Delivery], about: entry.Incidents)),
            cancellationToken)).ToDictionary(incident => incident.Id, StringComparer.Ordinal);
        await Task.WhenAll(told.Select(group => updater.ShowIfSeenToAsync(group.First().News.Incident, updated[group.Key], cancellationToken)));
        var unheard = news.Where(item => updated.TryGetValue(item.Incident.Id, out var now) && !now.Reached(item.Key)).ToList();
        if (unheard.Count > 0)
        {
            Log.NobodyReached(logger, unheard[0].Incident.Storm!, $"{CountText.Format(unheard.Count, "incident")}, {unheard[0].Key}.");
        }
    }

    private async Task<(IReadOnlyList<StormSent> Sent, IReadOnlyList<Told> Recorded)> SendToAllAsync(
        IReadOnlyList<StormNews> news,
        Func<IReadOnlyList<StormNews>, Card> cardOf,
        IReadOnlyList<Delivery> alerts,
        CancellationToken cancellationToken)
    {
        var people = await dispatcher.ResolveAsync(news.SelectMany(item => item.To), cancellationToken);
        var messages = news
            .SelectMany(item => people.RecipientsOf(item.To).Select(recipient => (News: item, Recipient: recipient)))
            .Where(to => !HasIt(to.News, to.Recipient))
            .GroupBy(to => NotificationDispatcher.NameOf(to.Recipient), (_, to) => to.ToList())
            .Select(to => (To: to[0].Recipient, About: to.ConvertAll(item => item.News)))
            .Select(to => (to.To, to.About, Card: cardOf(to.About)))
            .ToList();

        // A storm keeps no alerts about ends: such an alert stays until somebody ends it.
        var isAboutEnds = news.All(item => item.Key.StartsWith(NotificationRecipients.Closed, StringComparison.Ordinal));
        var deliveries = await dispatcher.SendToAsync(
            messages.Select(to => ($"{to.About[0].Key}:{to.About[0].Incident.Id}", to.To, to.Card)),
            alerts,
            isAboutEnds ? null : calls => storms.ExpectAsync(news[0].Incident.Storm!, calls, cancellationToken),
            cancellationToken);
        List<StormSent> sent =
        [
            .. messages.Zip(deliveries, (to, delivery) => new StormSent(to.To, to.About, to.Card, delivery) { Alerts = dispatcher.AlertsOf(delivery) }),
        ];
        var told = sent.SelectMany(message => message.About.Select(item => new Told(item, message.Of(item, people), message.Incidents)));
        var toldNobody = news
            .Where(item => !item.Incident.HasDelivery(item.Key))
            .SelectMany(item => dispatcher.Missing(item.Key, item.To, people).Select(nobody => new Told(item, nobody, Incidents: 1)));
        return (sent, [.. told, .. toldNobody]);

        static bool HasIt(StormNews news, Recipient recipient)
        {
            var key = NotificationDispatcher.KeyFor(news.Key, recipient);
            return news.Incident.Deliveries.Any(delivery => delivery.Channel is not null && delivery.Key == key);
        }
    }

    private sealed record Told(StormNews News, Delivery Delivery, int Incidents);
}

public sealed record StormSent(Recipient Recipient, IReadOnlyList<StormNews> About, Card Card, Delivery Delivery)
{
    public int Incidents { get; } = About.DistinctBy(item => item.Incident.Id).Count();

    /// <summary>The alerts that it opened and that have to be ended.</summary>
    public required IReadOnlyList<Delivery> Alerts { get; init; }

    /// <summary>For the record of one of its incidents. A message about several cannot be changed to show the end of one of them.</summary>
    public Delivery Of(StormNews news, ResolvedContacts people) => Delivery with
    {
        Key = NotificationDispatcher.KeyFor(news.Key, Recipient),
        Behind = people.ContactsOf(news.To, Recipient),
        Reference = Incidents == 1 ? Delivery.Reference : null,
    };
}

/// <summary>Tells of temporary fixes, ends and reports of storms. News that did not reach everybody it is for is sent again.</summary>
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
    /// <summary>More than the waits for other ends and for another sender. An end that has not been tried by then is not told at all.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan s_triedFor = TimeSpan.FromDays(1);

    public string Name => "storms";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var storm in await storms.ListAsync(cancellationToken))
        {
            await storms.SpeakAsync(storm.Id, storm.Since, (mine, keep) => NotifyAsync(mine, keep, cancellationToken), cancellationToken);
        }
    }

    /// <param name="keep">Gets what was sent before it is recorded on the incidents: if that fails, its alerts can still be ended.</param>
    /// <returns>Whether everything has ended and is told.</returns>
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
        var ends = due.Where(item => item.Key == NotificationRecipients.Closed).ToList();
        if (ends.Count > 0 && IsTimeFor(ends, anyOpen, now))
        {
            // The alerts about all incidents go on while others ask. An alert that calls for a person stays until somebody ends it.
            await news.SendAsync(
                ends,
                about => cards.Ended(storm, about),
                anyOpen ? [] : storm.Ringing,
                sent => Keep([.. sent.Where(message => message.Card.Informs)]),
                cancellationToken);
        }

        var reports = due.Where(item => item.Key == NotificationRecipients.Report).ToList();
        if (reports.Count > 0 && (!anyOpen || now - reports.Min(item => item.Incident.ClosedAt) >= s_longestWait))
        {
            await news.SendAsync(reports, about => cards.Report(storm, about), [], Keep, cancellationToken);
        }

        var holding = await FindAsync(storm, state => state == IncidentState.Holding, Holds, cancellationToken);
        if (holding.Count > 0 && StormWait.IsOver(holding.Select(item => BeganToHold(item.Incident)), now))
        {
            await news.SendAsync(holding, about => cards.Holding(storm, about), [], Keep, cancellationToken);
        }

        var over = !anyOpen
            && now - storm.LastJoined > options.CurrentValue.Within
            && !await ReadAsync(storm, state => state.IsFinal(), Ends, cancellationToken).AnyAsync(cancellationToken);
        if (over)
        {
            await dispatcher.UpdateAsync(storm.Ringing, _ => cards.Over(storm), cancellationToken);
        }

        return over;

        void Keep(IReadOnlyList<StormSent> sent) => keep(storm = storm.Keep(sent));
    }

    private async Task<bool> AnyAsksAsync(Storm storm, DateTimeOffset now, CancellationToken cancellationToken) =>
        await members.ReadAsync(storm.Id, storm.Since, line => line.State == IncidentState.AwaitingApproval, cancellationToken)
            .AnyAsync(incident => incident.OpenGate is { } gate && !gate.IsHeldBack(now), cancellationToken);

    private async Task<List<StormNews>> FindAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = await ReadAsync(storm, state, (incident, runbook) => untold(incident, runbook).Where(item => item.IsDue(now)), cancellationToken)
            .Take(StormMembers.MaxMembers)
            .ToListAsync(cancellationToken);
        return [.. due.SelectMany(news => news)];
    }

    private IAsyncEnumerable<List<StormNews>> ReadAsync(
        Storm storm, Func<IncidentState, bool> state, Func<Incident, Runbook, IEnumerable<StormNews>> untold, CancellationToken cancellationToken) =>
        members.ReadAsync(storm.Id, storm.Since, line => state(line.State), cancellationToken)
            .Select(async (incident, token) => untold(incident, await pinned.OfAsync(incident, token)).ToList())
            .Where(news => news.Count > 0);

    private IEnumerable<StormNews> Ends(Incident incident, Runbook runbook)
    {
        var to = NotificationRecipients.Of(incident, runbook);
        var end = new StormNews(incident, runbook, NotificationRecipients.Closed, to, StormCards.CallsForAPerson(incident));

        // Once somebody sees to it, nobody else has to hear that a person is needed.
        var isSeenTo = StormCards.IsUnsolved(incident) && !incident.NeedsPerson;
        var isTriedEnough = incident.HasDelivery(end.Key) && (time.GetUtcNow() - incident.ClosedAt >= s_triedFor || isSeenTo);
        if (end.To.Count > 0 && !end.IsHeard && !isTriedEnough)
        {
            yield return end;
        }

        if (NotificationRecipients.OfReport(incident, runbook) is { Count: > 0 } readers && !incident.HasDelivery(NotificationRecipients.Report))
        {
            yield return new(incident, runbook, NotificationRecipients.Report, readers, NeedsPerson: false);
        }
    }

    private static IEnumerable<StormNews> Holds(Incident incident, Runbook runbook) => ChangeText.InPlace(incident).Count == 0
        ? []
        : [new(incident, runbook, HoldingNotifier.Key, NotificationRecipients.OfHold(incident, runbook), NeedsPerson: false)];

    private static bool IsTimeFor(List<StormNews> ends, bool anyOpen, DateTimeOffset now)
    {
        if (!anyOpen || now - ends.Min(end => end.Incident.ClosedAt) >= s_longestWait)
        {
            return true;
        }

        List<DateTimeOffset> urgent = [.. ends.Where(end => end.NeedsPerson).Select(end => end.Incident.ClosedAt!.Value)];
        return urgent.Count > 0 && StormWait.IsOver(urgent, now);
    }

    private static DateTimeOffset BeganToHold(Incident incident) =>
        incident.VerificationRounds.FirstOrDefault(round => round.State == IncidentState.Holding)?.At ?? incident.UpdatedAt;
}

/// <summary>Pages about many incidents in one message. The caller repeats unheard pages the next minute.</summary>
public sealed class StormPager(StormRegistry storms, StormNewsDispatcher dispatcher, StormCards cards, PinnedRunbooks pinned, TimeProvider time)
{
    public async Task NotifyAsync(IEnumerable<PageInStorm> pages, CancellationToken cancellationToken)
    {
        foreach (var storm in pages.GroupBy(page => page.Incident.Storm!))
        {
            List<PageInStorm> due = [.. storm.OrderBy(page => page.Incident.OpenedAt)];
            var since = due.Select(page => page.Incident.Pages.FirstOrDefault(known => known.Trouble == page.Trouble)?.At).OfType<DateTimeOffset>();
            if (StormWait.IsOver(since, time.GetUtcNow()))
            {
                await storms.SpeakAsync(
                    storm.Key,
                    due[0].Incident.OpenedAt,
                    (mine, keep) => NotifyAsync(mine, due, keep, cancellationToken),
                    cancellationToken);
            }
        }
    }

    /// <returns>Always false: the end of the storm is told by <see cref="StormEndNotifier"/>.</returns>
    private async Task<bool> NotifyAsync(Storm storm, IReadOnlyList<PageInStorm> pages, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var news = new List<StormNews>();
        foreach (var (incident, trouble, message) in pages)
        {
            var runbook = await pinned.OfAsync(incident, cancellationToken);
            var to = NotificationRecipients.OfPage(incident, runbook);
            news.Add(new(incident, runbook, DuePage.KeyOf(trouble), to, NeedsPerson: true) { Message = message });
        }

        await dispatcher.SendAsync(news, about => cards.Page(storm, about, time.GetUtcNow()), [], sent => keep(storm.Keep(sent)), cancellationToken);
        return false;
    }
}

/// <param name="Trouble">Names the trouble, which pages once.</param>
public sealed record PageInStorm(Incident Incident, string Trouble, string Message);
