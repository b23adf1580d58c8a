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
