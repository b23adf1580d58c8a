using Runbooks.Catalog.Matching;
using Runbooks.Intake.Parsing;

namespace Runbooks.Intake;

/// <summary>What senders say about alerts that they sent before. It opens no incident.</summary>
public sealed class AlertUpdates(IIncidentStore store, IIncidentEngine engine, TimeProvider time, ILogger<AlertUpdates> logger)
{
    /// <summary>A wake-up may get lost: after this long the next one is sent.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(10);

    private const int MaxKnown = 10_000;

    private const int MaxListed = 200;

    private readonly ConcurrentDictionary<string, (string? WakeEvent, long At)> _woken = new(StringComparer.Ordinal);

    /// <param name="starts">Takes the incidents to be woken once the whole post is on record.</param>
    internal async Task<IReadOnlyList<IntakeOutcome>> ResolveAsync(
        AlertBatch batch, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var latest = await store.FindLatestAsync(batch.RunbookId, batch.TargetKey, cancellationToken);
        var alerts = batch.Alerts
            .Select(alert => latest is not null && HasComputedIdentity(alert) ? latest.NamedAsKnown(alert) : alert)
            .ToList();
        var ended = await EndAsync(batch.Ended.Where(id => id != latest?.Id), alerts, now, cancellationToken);
        if (latest is null || !latest.AcceptsResolved(alerts, now))
        {
            Log.ResolvedWithoutIncident(logger, Clip.To(batch.First.Name, 200), batch.RunbookId, Clip.To(batch.Target, 200));
            var why = batch.Unclear ?? "The alert is resolved and no incident on this target is open.";
            var ignored = batch.Answer(IntakeResult.Ignored, null, why);
            return [.. ended.Select(id => id is null ? ignored : batch.Answer(IntakeResult.Resolved, id, null))];
        }

        var incident = await store.UpdateAsync(latest.Id, AttachTo, cancellationToken);
        if (!incident.State.IsFinal() && !incident.Flaps(now))
        {
            starts.Enqueue(IncidentStart.Waking(incident));
        }

        return [.. alerts.Select((alert, i) => latest.IsOfEarlierEpisode(alert)
            ? batch.Answer(IntakeResult.Ignored, null, Late(incident))
            : AnswerToResolved(batch, alert, incident, ended[i]))];

        Incident AttachTo(Incident current) => current.AcceptsResolved(alerts, now)
            ? alerts.Where(current.Knows).Aggregate(current, (changed, alert) => changed.Attach(alert, now))
            : current;
    }

    /// <param name="endedOn">An incident that had ended while the alert fired on.</param>
    private static IntakeOutcome AnswerToResolved(AlertBatch batch, Alert alert, Incident incident, string? endedOn)
    {
        if (incident.Find(alert) is { } known)
        {
            return known.EndedBecause is { } reason
                ? batch.Answer(
                    IntakeResult.Folded,
                    incident.Id,
                    $"The sender ended the alert for the reason {Clip.To(reason, 100)}, which is no all-clear; "
                        + $"it is on the record of incident {incident.Id}, and only its checks withdraw the question.")
                : batch.Answer(IntakeResult.Resolved, incident.Id, null);
        }

        if (endedOn is not null)
        {
            return batch.Answer(IntakeResult.Resolved, endedOn, null);
        }

        var why = incident.HasUnknownAlerts
            ? $"More different alerts came on this target than incident {incident.Id} keeps on record, "
                + "and it has none with this identity: this ends none. Its checks are asked when all that are on record are over."
            : $"Incident {incident.Id} on this target has no alert with this identity on record, so this ends none; "
                + "send the labels or the fingerprint with which it fired.";
        return batch.Answer(IntakeResult.Folded, incident.Id, why);
    }

    /// <summary>For incidents that ended while the alert was firing: a person's no to them ends with that.</summary>
    /// <returns>For each alert the incident that it was still firing on.</returns>
    private async Task<string?[]> EndAsync(
        IEnumerable<string> ids, List<Alert> alerts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ended = new string?[alerts.Count];
        foreach (var id in ids)
        {
            if (await store.FindAsync(id, cancellationToken) is not { } incident
                || !incident.State.IsFinal()
                || !alerts.Any(incident.KnowsFiring))
            {
                continue;
            }

            await store.UpdateAsync(
                id,
                current => alerts.Where(current.KnowsFiring).Aggregate(current, (changed, alert) => changed.Attach(alert, now)),
                cancellationToken);
            for (var i = 0; i < alerts.Count; i++)
            {
                ended[i] ??= incident.KnowsFiring(alerts[i]) ? id : null;
            }
        }

        return ended;
    }

    /// <summary>
    /// The sender gave no identity, and the one computed from the labels changes with them. An incident does not store other parts that
    /// distinguish two alerts, so these may not count: one that is over must not be taken for another that fires.
    /// </summary>
    private static bool HasComputedIdentity(Alert alert) =>
        alert.Source == AlertSource.Generic && alert.Fingerprint == AlertFingerprint.OfLabels(alert.Name, alert.Labels);

    /// <summary>News for the incident that the outage opened, open or closed.</summary>
    internal async Task<IReadOnlyList<IntakeOutcome>> HandleUpdateAsync(
        AlertBatch batch, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var stage = AlertIdentity.Stage(batch.First);
        var (what, which, how) = stage is null
            ? (
                "Azure tells of this resource's health in a message that begins and ends nothing",
                "resource",
                "the status, such as status: Updated")
            : ($"Azure's stage of this outage is {stage}", "outage", $"the stage, such as stage: {stage}");
        var unknown = batch.Answer(
            IntakeResult.Ignored,
            null,
            $"{what}, and no incident knows the {which}. "
                + $"Such a message opens one only for a trigger that asks for it in its labels by {how}.");
        if (await store.FindLatestAsync(batch.RunbookId, batch.TargetKey, cancellationToken) is not { } latest
            || !batch.Alerts.Any(latest.KnowsNewsOf))
        {
            return Repeat(batch, unknown);
        }

        var incident = await store.UpdateAsync(
            latest.Id,
            current => batch.Alerts.Aggregate(current, (changed, alert) => changed.AddOutageNews(alert, now)),
            cancellationToken);
        starts.Enqueue(IncidentStart.Waking(incident));
        var told = batch.Answer(IntakeResult.Folded, incident.Id, incident.State.IsFinal()
            ? $"{what}. Incident {incident.Id} about it has ended; the message is on its record and asks nobody."
            : $"{what}; incident {incident.Id} about it is open and shows the message.");
        return [.. batch.Alerts.Select(alert => latest.KnowsNewsOf(alert) ? told : unknown)];
    }

    /// <summary>Grafana cannot measure a rule, or can again. While it cannot, an end of the rule's alerts says nothing.</summary>
    /// <returns>Null where no open incident knows the rule.</returns>
    internal async Task<IntakeOutcome?> HandleMeasuringAsync(
        Alert told, IReadOnlyCollection<Runbook> runbooks, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        if (GrafanaRule.NameOf(told) is not { } rule || told.Status == AlertStatus.Acknowledged)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var concerned = new List<Incident>();
        var sent = GrafanaRule.NameOf(told.AsSent ?? told) ?? rule;
        foreach (var runbook in runbooks.Where(runbook => RunbookMatcher.WaitsFor(runbook, sent)))
        {
            var open = store.ListAllAsync(new(RunbookId: runbook.Id, Open: true, Limit: MaxListed), cancellationToken);
            await foreach (var summary in open)
            {
                if (await store.TryFindAsync(summary.Id, cancellationToken) is { } incident && incident.KnowsRuleOf(told))
                {
                    concerned.Add(await store.UpdateAsync(summary.Id, current => current.AddMeasuringNews(told, now), cancellationToken));
                }
            }
        }

        if (concerned is not [var first, ..])
        {
            return null;
        }

        concerned.ForEach(incident => starts.Enqueue(IncidentStart.Waking(incident)));
        var who = concerned.Count == 1
            ? $"incident {first.Id}, which is about its alerts, says so"
            : $"{concerned.Count} open incidents, which are about its alerts, say so";
        return new(first.Id, first.RunbookId, first.Target, IntakeResult.Folded, $"{MeasuringText(told, Clip.To(rule, 100))}; {who}.");
    }

    private static string MeasuringText(Alert told, string rule)
    {
        if (told.Status == AlertStatus.Firing)
        {
            return $"Grafana cannot measure the rule {rule}";
        }

        return AlertEnd.NoAllClear(told) is { } why
            ? $"Grafana ended its alert about the rule {rule} for the reason {Clip.To(why, 100)}, "
                + "which does not say that it can measure the rule"
            : $"Grafana can measure the rule {rule}";
    }

    /// <summary>Opens and ends nothing.</summary>
    internal async Task<IReadOnlyList<IntakeOutcome>> AcknowledgeAsync(AlertBatch batch, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await store.FindLatestAsync(batch.RunbookId, batch.TargetKey, cancellationToken) is not { } latest
            || !latest.Accepts(now))
        {
            var why = batch.Unclear
                ?? "The alert was acknowledged at its sender and no incident on this target is open; an acknowledgement opens none.";
            return Repeat(batch, batch.Answer(IntakeResult.Ignored, null, why));
        }

        await store.UpdateAsync(
            latest.Id,
            current => batch.Alerts.Aggregate(current, (changed, alert) => changed.NoteAcknowledgedAtSender(alert, now)),
            cancellationToken);
        return Repeat(batch, batch.Answer(
            IntakeResult.Folded,
            latest.Id,
            $"The alert was acknowledged at its sender. Incident {latest.Id} has it on record; it decides nothing there."));
    }

    /// <summary>
    /// However many alerts come, each wait is woken only once in a while: a woken workflow reads the whole record, so what it has not read
    /// yet needs no second wake-up.
    /// </summary>
    public async Task WakeAsync(Incident incident)
    {
        if (_woken.TryGetValue(incident.Id, out var last)
            && last.WakeEvent == incident.WakeEvent
            && time.GetElapsedTime(last.At) < s_again)
        {
            return;
        }

        if (_woken.Count >= MaxKnown)
        {
            _woken.Clear();
        }

        _woken[incident.Id] = (incident.WakeEvent, time.GetTimestamp());
        await engine.TryWakeAsync(incident, logger);
    }

    internal static string Late(Incident incident) =>
        $"The message is of an earlier episode of this alert than the one that incident {incident.Id} knows; it changes nothing.";

    private static IReadOnlyList<IntakeOutcome> Repeat(AlertBatch batch, IntakeOutcome answer) =>
        [.. batch.Alerts.Select(_ => answer)];
}
