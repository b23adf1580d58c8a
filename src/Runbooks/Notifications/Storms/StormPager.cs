namespace Runbooks.Notifications.Storms;

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
