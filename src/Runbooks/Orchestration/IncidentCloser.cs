namespace Runbooks.Orchestration;

/// <summary>Records how an incident ended, unless it may not end yet.</summary>
public sealed class IncidentCloser(
    IIncidentStore store, PinnedRunbooks pinned, EndFinisher finisher, Func<IIncidentEngine?> engine, TimeProvider time, ILogger<IncidentCloser> logger)
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

        await finisher.FinishAsync(incident, runbook, isTold: false, cancellationToken);
        if (incident.SettlesAt is not null && incident.FiresUnseen() && engine() is { } running)
        {
            // What fires already when the settle window begins wakes nobody any more.
            await running.TryWakeAsync(incident, logger);
        }

        return incident.State;
    }

    private Incident End(Incident incident, CloseRequest request, Runbook runbook)
    {
        // Whatever the checks say, and whoever did not answer: a person has decided.
        var (state, reason) = incident.Stop is { } stop && request.State is IncidentState.NotNeeded or IncidentState.SelfRecovered or IncidentState.Expired or IncidentState.Cancelled
            ? (IncidentState.Cancelled, stop.Text)
            : (request.State, request.Reason);
        return incident.End(state, reason, time.GetUtcNow(), new()
        {
            Findings = request.Findings, SettleFor = runbook.SettlesFor, SettleEvent = request.SettleEvent, InResolution = request.InResolution, IsInconclusive = request.IsInconclusive,
        });
    }

    /// <returns>The incident that may not end yet; null when it may.</returns>
    private Incident? Hold(Incident incident, CloseRequest request, Runbook runbook)
    {
        if (request.State != IncidentState.NotNeeded)
        {
            return incident.HasUnreadStop(request.State, request.InResolution) ? incident : null;
        }

        // The last look may have come a moment after another alert began, or before it: that one has the whole time too.
        var now = time.GetUtcNow();
        var newest = incident.NewestSeenFrom(runbook.Limits.HealthyFor, now);
        return incident is not { State: IncidentState.Diagnosing, Gates.Count: 0, Stop: null } ? null
            : now < incident.WatchedUntil ? incident.WatchFlapping(request.Findings, now)
            : (newest > request.WatchUntil ? newest : request.WatchUntil ?? newest) is { } until && !incident.IsOnlyAsked && !incident.IsOverFor(request.Findings) ? incident.WatchHealthy(runbook.Mitigation.When, request.Findings, until, now)
            : null;
    }
}

/// <param name="SettleEvent">The event that an alert in the settle window raises; null where there is no such window.</param>
/// <param name="Reason">What ended it, where the record does not say.</param>
/// <param name="InResolution">It ended while the resolution was to run.</param>
/// <param name="IsInconclusive">It ended for a reason that says nothing about the fix.</param>
/// <param name="WatchUntil">Until when the checks are looked at before it may end as not needed; null once they were.</param>
public sealed record CloseRequest(
    string IncidentId, IncidentState State, string Reason, IReadOnlyList<Finding> Findings, string? SettleEvent = null, bool InResolution = false, bool IsInconclusive = false, DateTimeOffset? WatchUntil = null);

/// <summary>All that follows an end: its run is counted, what waited for it goes on, and whoever was asked is told.</summary>
public sealed class EndFinisher(
    IncidentPager pager, IncidentCards cards, NotificationUpdater updater, RunHistoryStore histories, RunLimits limits, FollowUps followUps, SuppressionService suppression, EndHooks endHooks, TimeProvider time, ILogger<EndFinisher> logger)
{
    /// <summary>The end is on record, whoever recorded it. Safe to repeat.</summary>
    /// <param name="isTold">People have heard of it already.</param>
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

        // In a storm the watch tells many ends in one message.
        if (!isTold && contacts.Count > 0 && !incident.InStorm)
        {
            var result = await pager.SendAsync(incident, runbook, NotificationRecipients.Closed, contacts, card, needsPerson, cancellationToken);
            if (!result.Reached && needsPerson)
            {
                Log.NobodyReached(logger, incident.Id, incident.Reason ?? "");
            }

            // Somebody may have acknowledged or closed it meanwhile.
            incident = result.Incident;
        }

        await updater.ShowEndAsync(incident, cards.End(incident, runbook, time.GetUtcNow()), cancellationToken);
        await endHooks.RunAsync(incident, cancellationToken);
    }
}

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
