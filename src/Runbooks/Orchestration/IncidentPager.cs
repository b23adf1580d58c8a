using Runbooks.Notifications.Storms;

namespace Runbooks.Orchestration;

/// <summary>Pages a person about an incident.</summary>
public sealed class IncidentPager(
    IIncidentStore store, PinnedRunbooks pinned, IncidentNotifier notifier, IncidentCards cards, NotificationUpdater updater, StormPager storms, TimeProvider time, ILogger<IncidentPager> logger)
{
    private readonly ConcurrentQueue<PageInStorm> _ofStorms = new();

    /// <summary>
    /// A page that the workflow asks for. It is on record first, and the watch tries again what did not come to whom it is for; in a
    /// storm the watch tells it, together with those of others.
    /// </summary>
    public async Task<bool> RequestPageAsync(PageRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.UpdateAsync(request.IncidentId, i => i.NotePage(request.Key, request.Message, time.GetUtcNow()), cancellationToken);
        return (incident.InStorm && !incident.State.IsFinal()) || await PageAsync(request, cancellationToken);
    }

    /// <summary>About one trouble once. One that did not come to whom it is for is tried again, ever more rarely, and goes to them alone.</summary>
    /// <param name="alone">Also in a storm by itself and at once; otherwise <see cref="PageStormsAsync"/> tells it with those of others.</param>
    /// <param name="ending">Makes of the incident what it will be in a moment: that is what the page is about. Null where the page ends nothing.</param>
    /// <returns>Whether somebody was told, now or before.</returns>
    public async Task<bool> PageOnceAsync(Incident incident, string trouble, string message, CancellationToken cancellationToken, bool alone = false, Func<Incident, Incident>? ending = null)
    {
        var key = DuePage.KeyOf(trouble);
        var told = incident.Reached(key);
        if (!DeliveryRetry.IsDue(incident, key, time.GetUtcNow()))
        {
            return told;
        }

        if (incident.InStorm && !alone)
        {
            _ofStorms.Enqueue(new(incident, trouble, message));
            return told;
        }

        return await PageAsync(new PageRequest(incident.Id, trouble, message), cancellationToken, ending) || told;
    }

    /// <summary>Something worse is reported while a fix settles, or another incident goes on here, and no incident opened for it: no question tells it, and the watch looks at none that has ended.</summary>
    public async Task PageWorseAsync(string incidentId, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(incidentId, cancellationToken) is { State: IncidentState.Resolved, SettlesAt: not null } settling && settling.FiresUnseen())
        {
            foreach (var news in settling.UrgentSinceAsked())
            {
                await PageOnceAsync(settling, news.Key, $"{news.Text} The checks that are asked while its fix settles do not fail.", cancellationToken, alone: true);
            }
        }
    }

    /// <summary>Tells what was found on incidents of storms since the last time.</summary>
    public async Task PageStormsAsync(CancellationToken cancellationToken)
    {
        var pages = new List<PageInStorm>();
        while (_ofStorms.TryDequeue(out var page))
        {
            pages.Add(page);
        }

        await storms.NotifyAsync(pages, cancellationToken);
    }

    /// <summary>Whether whoever the page is for has it.</summary>
    internal static bool IsHeard(Incident incident, string trouble) => DeliveryRetry.IsHeard(incident, DuePage.KeyOf(trouble));

    private async Task<bool> PageAsync(PageRequest request, CancellationToken cancellationToken, Func<Incident, Incident>? ending = null)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var contacts = NotificationRecipients.OfPage(incident, runbook);
        var result = await SendAsync(incident, runbook, DuePage.KeyOf(request.Key), contacts, cards.Page(ending?.Invoke(incident) ?? incident, runbook, request.Message, time.GetUtcNow()), needsPerson: true, cancellationToken);
        if (!result.Reached)
        {
            Log.NobodyReached(logger, incident.Id, request.Message);
        }

        return result.Reached;
    }

    /// <summary>To these; where a person is needed and none of them was reached, to the last in line too.</summary>
    internal async Task<SendResult> SendAsync(Incident incident, Runbook runbook, string key, IEnumerable<string> contacts, Card card, bool needsPerson, CancellationToken cancellationToken)
    {
        var result = await notifier.SendAsync(incident, key, contacts, _ => card, cancellationToken);
        if (await updater.ShowIfSeenToAsync(incident, result.Incident, cancellationToken) || !needsPerson || IsAnswered(result.Incident, key) || !NotificationRecipients.NeedsLastInLine(runbook, result.Deliveries))
        {
            return result;
        }

        var last = await notifier.SendAsync(result.Incident, $"{key}:{ContactBook.Fallback}", [ContactBook.Fallback], _ => card, cancellationToken);
        await updater.ShowIfSeenToAsync(incident, last.Incident, cancellationToken);
        return last with { Deliveries = [.. result.Deliveries, .. last.Deliveries] };
    }

    /// <summary>Whether the page is about a question that is closed by now. One about anything else still has to come to somebody.</summary>
    private static bool IsAnswered(Incident incident, string key) =>
        incident.Gates.Any(gate => gate.Outcome != GateOutcome.Pending && key == DuePage.KeyOf(NotificationUpdater.UnheardOf(gate.Id)));
}

public sealed record PageRequest(string IncidentId, string Key, string Message);
