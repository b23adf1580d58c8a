namespace Runbooks.Notifications.Storms;

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
