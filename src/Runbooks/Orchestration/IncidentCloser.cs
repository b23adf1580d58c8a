namespace Runbooks.Orchestration;

/// <summary>Records how an incident ended, and tells whoever was asked; pages a person when the automation could not do it.</summary>
public sealed class IncidentCloser(IIncidentStore store, PinnedRunbooks pinned, IncidentNotifier notifier, IncidentCards cards, NotificationUpdater updater, RunHistoryStore histories, FollowUps followUps, SuppressionService suppression, EndHooks endHooks, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<IncidentCloser> logger)
{
    /// <returns>The state that it is in now: not a final one when it may not end yet, because its alert comes and goes, or because of a stop that nobody has read.</returns>
    public async Task<IncidentState> CloseAsync(CloseRequest request, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(await store.GetCachedAsync(request.IncidentId, cancellationToken), cancellationToken);
        var (incident, isHeld) = await store.UpdateAsync(
            request.IncidentId, i => Hold(i, request, runbook) is { } held ? (held, true) : (End(i, request, runbook), false), cancellationToken);
        if (isHeld)
        {
            return incident.State;
        }

        await FinishAsync(incident, runbook, isTold: false, cancellationToken);
        if (incident.SettlesAt is not null && incident.FiresUnseen() && engine() is { } running)
        {
            // What fires already when the settle window begins wakes nobody any more.
            await running.TryWakeAsync(incident, logger);
        }

        return incident.State;
    }

    /// <summary>All that follows an end that is on record, whoever recorded it. Safe to repeat.</summary>
    /// <param name="isTold">People have heard of it already.</param>
    public async Task FinishAsync(Incident incident, Runbook runbook, bool isTold, CancellationToken cancellationToken)
    {
        Log.Ended(logger, incident.Id, incident.State, incident.Reason ?? "");
        await histories.RecordAsync(incident, runbook, cancellationToken);
        incident = await followUps.OpenAsync(incident, runbook, cancellationToken);
        await suppression.WakeAsync(incident, cancellationToken);
        var needsPerson = incident.State is IncidentState.Failed or IncidentState.Expired;
        var card = incident.State switch
        {
            IncidentState.Failed or IncidentState.Expired => cards.Page(incident, runbook, incident.Reason ?? IncidentText.Of(incident.State), time.GetUtcNow()),
            IncidentState.TakenOver => cards.TakenOver(incident, runbook),
            _ => cards.Closed(incident, runbook),
        };
        var contacts = NotificationRecipients.Of(incident, runbook);

        // In a storm the watch tells many ends in one message.
        if (!isTold && contacts.Count > 0 && !incident.InStorm)
        {
            var result = await SendAsync(incident, runbook, NotificationRecipients.Closed, contacts, card, needsPerson, cancellationToken);
            if (!result.Reached && needsPerson)
            {
                Log.NobodyReached(logger, incident.Id, incident.Reason ?? "");
            }
        }

        await updater.ShowEndAsync(incident, card, cancellationToken);
        await endHooks.RunAsync(incident, cancellationToken);
    }

    private Incident End(Incident incident, CloseRequest request, Runbook runbook)
    {
        // Whatever the checks say, and whoever did not answer: a person has decided.
        var (state, reason) = incident.Stop is { } stop && request.State is IncidentState.NotNeeded or IncidentState.SelfRecovered or IncidentState.Expired or IncidentState.Cancelled
            ? (IncidentState.Cancelled, stop.Text)
            : (request.State, request.Reason);
        return incident.End(state, reason, request.Findings, request.SettleEvent, runbook.SettlesFor, time.GetUtcNow(), request.InResolution, request.IsInconclusive);
    }

    /// <returns>The incident that may not end yet; null when it may.</returns>
    private Incident? Hold(Incident incident, CloseRequest request, Runbook runbook)
    {
        if (request.State != IncidentState.NotNeeded)
        {
            return incident.HasUnreadStop(request.State, request.InResolution) ? incident : null;
        }

        var now = time.GetUtcNow();
        return incident is not { State: IncidentState.Diagnosing, Gates.Count: 0, Stop: null } ? null
            : now < incident.WatchedUntil ? incident.WatchFlapping(request.Findings, now)
            // Whoever started it by hand asked how it is now; there is no alert that says otherwise.
            : request.WatchUntil is { } until && incident.StartedBy is null && !incident.IsOverFor(request.Findings) ? incident.WatchHealthy(runbook.Mitigation.When, request.Findings, until, now)
            : null;
    }

    /// <summary>
    /// A page that the workflow asks for. It is on record first, and the watch tries again what did not come to whom it is for; in a
    /// storm the watch tells it, together with those of others.
    /// </summary>
    public async Task<bool> RequestPageAsync(PageRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.UpdateAsync(request.IncidentId, i => i.NotePage(request.Key, request.Message, time.GetUtcNow()), cancellationToken);
        return (incident.InStorm && !incident.State.IsFinal()) || await PageAsync(request, cancellationToken);
    }

    /// <param name="ending">Makes of the incident what it will be in a moment, for the words of the page; null where the page ends nothing.</param>
    public async Task<bool> PageAsync(PageRequest request, CancellationToken cancellationToken, Func<Incident, Incident>? ending = null)
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

    private async Task<SendResult> SendAsync(Incident incident, Runbook runbook, string key, IEnumerable<string> contacts, Card card, bool needsPerson, CancellationToken cancellationToken)
    {
        var result = await notifier.SendAsync(incident, key, contacts, _ => card, cancellationToken);
        if (!needsPerson || !NotificationRecipients.NeedsLastInLine(runbook, result.Deliveries))
        {
            return result;
        }

        var last = await notifier.SendAsync(result.Incident, $"{key}:{ContactBook.Fallback}", [ContactBook.Fallback], _ => card, cancellationToken);
        return last with { Deliveries = [.. result.Deliveries, .. last.Deliveries] };
    }
}

/// <param name="SettleEvent">The event that an alert in the settle window raises; null where there is no such window.</param>
/// <param name="Reason">What ended it, where the record does not say.</param>
/// <param name="InResolution">It ended while the resolution was to run.</param>
/// <param name="IsInconclusive">It ended for a reason that says nothing about the fix.</param>
/// <param name="WatchUntil">Until when the checks are looked at before it may end as not needed; null once they were.</param>
public sealed record CloseRequest(
    string IncidentId, IncidentState State, string Reason, IReadOnlyList<Finding> Findings, string? SettleEvent = null, bool InResolution = false, bool IsInconclusive = false, DateTimeOffset? WatchUntil = null);

public sealed record PageRequest(string IncidentId, string Key, string Message);

/// <summary>Sends the report of an incident that has ended to whom its runbook names, whoever recorded the end. In a storm the watch tells many in one message.</summary>
public sealed class EndReport(PinnedRunbooks pinned, IncidentNotifier notifier, IncidentCards cards) : IEndHook
{
    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        if (NotificationRecipients.OfReport(incident, runbook) is { Count: > 0 } contacts && !incident.InStorm)
        {
            await notifier.SendAsync(incident, NotificationRecipients.Report, contacts, _ => cards.Report(incident, runbook), cancellationToken);
        }

        // Who was told stands in the record already.
        return [];
    }
}
