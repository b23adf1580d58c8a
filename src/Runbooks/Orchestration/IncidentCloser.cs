using Runbooks.Notifications.Storms;

namespace Runbooks.Orchestration;

public sealed class IncidentCloser(
    IIncidentStore store,
    PinnedRunbooks pinned,
    EndFinisher finisher,
    Func<IIncidentEngine?> engine,
    TimeProvider time,
    ILogger<IncidentCloser> logger)
{
    /// <returns>The state now. It is not final when the incident may not end yet: its alert comes and goes, or a stop is unread.</returns>
    public async Task<IncidentState> CloseAsync(CloseRequest request, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(await store.GetCachedAsync(request.IncidentId, cancellationToken), cancellationToken);
        var (incident, isHeld) = await store.UpdateAsync(
            request.IncidentId,
            i => Hold(i, request, runbook) is { } held ? (held, true) : (End(i, request, runbook), false),
            cancellationToken);
        if (isHeld)
        {
            return incident.State;
        }

        await finisher.FinishAsync(incident, runbook, isTold: false, cancellationToken);
        if (incident.SettlesAt is not null && incident.FiresUnseen() && engine() is { } running)
        {
            // An alert that fires already when the settle window begins raises no event any more.
            await running.TryWakeAsync(incident, logger);
        }

        return incident.State;
    }

    private Incident End(Incident incident, CloseRequest request, Runbook runbook)
    {
        // A person has decided, whatever the checks say.
        var yieldsToStop = request.State
            is IncidentState.NotNeeded or IncidentState.SelfRecovered or IncidentState.Expired or IncidentState.Cancelled;
        var (state, reason) = incident.Stop is { } stop && yieldsToStop
            ? (IncidentState.Cancelled, stop.Text)
            : (request.State, request.Reason);
        return incident.End(state, reason, time.GetUtcNow(), new()
        {
            Findings = request.Findings,
            SettleFor = runbook.SettlesFor,
            SettleEvent = request.SettleEvent,
            InResolution = request.InResolution,
            IsInconclusive = request.IsInconclusive,
        });
    }

    private Incident? Hold(Incident incident, CloseRequest request, Runbook runbook)
    {
        if (request.State != IncidentState.NotNeeded)
        {
            return incident.HasUnreadStop(request.State, request.InResolution) ? incident : null;
        }

        // Another alert may have begun just before or after the last round: it is watched for the whole time too.
        var now = time.GetUtcNow();
        var newest = incident.NewestSeenFrom(runbook.Limits.HealthyFor, now);
        if (incident is not { State: IncidentState.Diagnosing, Gates.Count: 0, Stop: null })
        {
            return null;
        }

        if (now < incident.WatchedUntil)
        {
            return incident.WatchFlapping(request.Findings, now);
        }

        var latest = newest > request.WatchUntil ? newest : request.WatchUntil ?? newest;
        return latest is { } until && !incident.IsOnlyAsked && !incident.IsOverFor(request.Findings)
            ? incident.WatchHealthy(runbook.Mitigation.When, request.Findings, until, now)
            : null;
    }
}

/// <param name="SettleEvent">The event that an alert in the settle window raises; null where there is no such window.</param>
/// <param name="Reason">What ended it, where the record does not say.</param>
/// <param name="WatchUntil">The checks are asked until then before it may end as not needed; null once they were.</param>
public sealed record CloseRequest(
    string IncidentId,
    IncidentState State,
    string Reason,
    IReadOnlyList<Finding> Findings,
    string? SettleEvent = null,
    bool InResolution = false,
    bool IsInconclusive = false,
    DateTimeOffset? WatchUntil = null);

public sealed class EndFinisher(
    IncidentPager pager,
    IncidentCards cards,
    NotificationUpdater updater,
    RunHistoryStore histories,
    RunLimits limits,
    FollowUps followUps,
    SuppressionService suppression,
    EndHooks endHooks,
    TimeProvider time,
    ILogger<EndFinisher> logger)
{
    /// <summary>The end must be on record. Safe to repeat.</summary>
    public async Task FinishAsync(Incident incident, Runbook runbook, bool isTold, CancellationToken cancellationToken)
    {
        Log.Ended(logger, incident.Id, incident.State, incident.Reason ?? "");
        await histories.RecordAsync(incident, runbook, cancellationToken);
        await limits.ReleaseAsync(incident, runbook, cancellationToken);
        incident = await followUps.OpenAsync(incident, runbook, cancellationToken);
        await suppression.WakeAsync(incident, cancellationToken);
        var card = cards.End(incident, runbook, time.GetUtcNow());
        var needsPerson = card.Kind == CardKind.Page;
        var contacts = NotificationRecipients.Of(incident, runbook);

        // In a storm the watchdog reports many ends in one message.
        if (!isTold && contacts.Count > 0 && !incident.InStorm)
        {
            var result = await pager.SendAsync(
                incident, runbook, NotificationRecipients.Closed, contacts, card, needsPerson, cancellationToken);
            if (!result.Reached && needsPerson)
            {
                Log.NobodyReached(logger, incident.Id, incident.Reason ?? "");
            }

            // Somebody may have acknowledged or closed it in the meantime.
            incident = result.Incident;
        }

        await updater.ShowEndAsync(incident, cards.End(incident, runbook, time.GetUtcNow()), cancellationToken);
        await endHooks.RunAsync(incident, cancellationToken);
    }
}

/// <summary>In a storm the watchdog sends the reports.</summary>
public sealed class EndReport(PinnedRunbooks pinned, IncidentNotifier notifier, IncidentCards cards) : IEndHook
{
    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        if (NotificationRecipients.OfReport(incident, runbook) is { Count: > 0 } contacts && !incident.InStorm)
        {
            await notifier.SendAsync(incident, new(NotificationRecipients.Report, contacts, _ => cards.Report(incident, runbook)), cancellationToken);
        }

        // The record has the recipients already.
        return [];
    }
}

public sealed class IncidentPager(
    IIncidentStore store,
    PinnedRunbooks pinned,
    IncidentNotifier notifier,
    IncidentCards cards,
    NotificationUpdater updater,
    StormPager storms,
    TimeProvider time,
    ILogger<IncidentPager> logger)
{
    private readonly ConcurrentQueue<PageInStorm> _ofStorms = new();

    /// <summary>
    /// A page is recorded first, and the watchdog tries again if it did not arrive. In a storm the watchdog sends it together with the
    /// pages of other incidents.
    /// </summary>
    public async Task<bool> RequestPageAsync(PageRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.UpdateAsync(
            request.IncidentId, i => i.NotePage(request.Key, request.Message, time.GetUtcNow()), cancellationToken);
        return (incident.InStorm && !incident.State.IsFinal()) || await PageAsync(request, cancellationToken);
    }

    /// <summary>Pages once about each trouble. What did not arrive is tried again, less and less often.</summary>
    /// <param name="alone">Sent at once even in a storm; otherwise by <see cref="PageStormsAsync"/>.</param>
    /// <param name="ending">Turns the incident into what the page is about: what it will be in a moment.</param>
    /// <returns>Whether somebody was told, now or before.</returns>
    public async Task<bool> PageOnceAsync(
        Incident incident,
        string trouble,
        string message,
        CancellationToken cancellationToken,
        bool alone = false,
        Func<Incident, Incident>? ending = null)
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

    /// <summary>
    /// Something worse is reported while a fix settles, and no incident opens for it. Nothing else would tell people: no question is open,
    /// and the watchdog does not look at ended incidents.
    /// </summary>
    public async Task PageWorseAsync(string incidentId, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(incidentId, cancellationToken);
        var isSettling = incident is { State: IncidentState.Resolved, SettlesAt: not null };
        if (!isSettling || !incident.FiresUnseen())
        {
            return;
        }

        foreach (var news in incident.UrgentSinceAsked())
        {
            var message = $"{news.Text} The checks that are asked while its fix settles do not fail.";
            await PageOnceAsync(incident, news.Key, message, cancellationToken, alone: true);
        }
    }

    public async Task PageStormsAsync(CancellationToken cancellationToken)
    {
        var pages = new List<PageInStorm>();
        while (_ofStorms.TryDequeue(out var page))
        {
            pages.Add(page);
        }

        await storms.NotifyAsync(pages, cancellationToken);
    }

    internal static bool IsHeard(Incident incident, string trouble) => DeliveryRetry.IsHeard(incident, DuePage.KeyOf(trouble));

    private async Task<bool> PageAsync(PageRequest request, CancellationToken cancellationToken, Func<Incident, Incident>? ending = null)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var contacts = NotificationRecipients.OfPage(incident, runbook);
        var card = cards.Page(ending?.Invoke(incident) ?? incident, runbook, request.Message, time.GetUtcNow());
        var result = await SendAsync(incident, runbook, DuePage.KeyOf(request.Key), contacts, card, needsPerson: true, cancellationToken);
        if (!result.Reached)
        {
            Log.NobodyReached(logger, incident.Id, request.Message);
        }

        return result.Reached;
    }

    /// <summary>Where a person is needed and no contact was reached, the fallback contact gets it too.</summary>
    internal async Task<SendResult> SendAsync(
        Incident incident,
        Runbook runbook,
        string key,
        IEnumerable<string> contacts,
        Card card,
        bool needsPerson,
        CancellationToken cancellationToken)
    {
        var result = await notifier.SendAsync(incident, new(key, contacts, _ => card), cancellationToken);
        if (await updater.ShowIfSeenToAsync(incident, result.Incident, cancellationToken)
            || !needsPerson
            || IsAnswered(result.Incident, key)
            || !NotificationRecipients.NeedsLastInLine(runbook, result.Deliveries))
        {
            return result;
        }

        var last = await notifier.SendAsync(
            result.Incident, new($"{key}:{ContactBook.Fallback}", [ContactBook.Fallback], _ => card), cancellationToken);
        await updater.ShowIfSeenToAsync(incident, last.Incident, cancellationToken);
        return last with { Deliveries = [.. result.Deliveries, .. last.Deliveries] };
    }

    /// <summary>A page about a question that is closed by now need not reach anybody.</summary>
    private static bool IsAnswered(Incident incident, string key) =>
        incident.Gates.Any(gate => gate.Outcome != GateOutcome.Pending && key == DuePage.KeyOf(NotificationUpdater.UnheardOf(gate.Id)));
}

public sealed record PageRequest(string IncidentId, string Key, string Message);
