namespace Runbooks.Notifications.Storms;

/// <summary>
/// Pages about incidents of storms, many in one message: forty temporary fixes that last too long are one call. Whoever calls it
/// finds what did not come to whom it is for again the next minute.
/// </summary>
public sealed class StormPageNotifier(StormRegistry storms, StormNewsDispatcher dispatcher, StormCards cards, PinnedRunbooks runbooks, TimeProvider time, ILogger<StormPageNotifier> logger)
{
    public async Task NotifyAsync(IEnumerable<PageInStorm> pages, CancellationToken cancellationToken)
    {
        foreach (var storm in pages.GroupBy(page => page.Incident.Storm!))
        {
            List<PageInStorm> due = [.. storm.OrderBy(page => page.Incident.OpenedAt)];
            if (StormWait.IsOver(due.Select(page => page.Incident.Pages.FirstOrDefault(known => known.Trouble == page.Trouble)?.At).OfType<DateTimeOffset>(), time.GetUtcNow())
                && await storms.TakeTurnAsync(storm.Key, due[0].Incident.OpenedAt, toAsk: false, cancellationToken) is { } mine)
            {
                var told = mine;
                try
                {
                    await NotifyAsync(mine, due, kept => told = kept, cancellationToken);
                }
#pragma warning disable CA1031 // One of which nothing can be told must not keep the others; it is tried again.
                catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    Log.WatchFailed(logger, storm.Key, failure);
                }
                finally
                {
                    await storms.EndTurnAsync(told, over: false, read: 0, CancellationToken.None);
                }
            }
        }
    }

    private async Task NotifyAsync(Storm storm, IReadOnlyList<PageInStorm> pages, Action<Storm> keep, CancellationToken cancellationToken)
    {
        var news = new List<StormNews>();
        foreach (var (incident, trouble, message) in pages)
        {
            var runbook = await runbooks.OfAsync(incident, cancellationToken);
            news.Add(new(incident, runbook, DuePage.KeyOf(trouble), NotificationRecipients.OfPage(incident, runbook), NeedsPerson: true) { Message = message });
        }

        await dispatcher.SendAsync(news, about => cards.Page(storm, about, time.GetUtcNow()), [], sent => keep(storm.Keep(sent)), cancellationToken);
    }
}

/// <summary>A person has to hear of this about an incident of a storm.</summary>
/// <param name="Trouble">Names it: the same trouble pages once.</param>
public sealed record PageInStorm(Incident Incident, string Trouble, string Message);
