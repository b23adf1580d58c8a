namespace Runbooks.Orchestration;

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
