using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;
using Runbooks.Storage;
using Runbooks.Telemetry;

namespace Runbooks.Intake;

/// <summary>
/// Brings alerts to incidents. It answers only when what it says is durable; when the store or the engine cannot, it
/// throws, and the whole post may be sent again: nothing is opened twice by that.
/// </summary>
public sealed class IncidentIntake(
    LoadedRunbooks runbooks,
    IIncidentStore store,
    PinnedRunbooks pinned,
    IIncidentEngine engine,
    AlertWakes wakes,
    SuppressedIncidents suppressed,
    UnmatchedAlerts unmatched,
    IOptionsMonitor<SafetyOptions> options,
    TimeProvider time,
    ILogger<IncidentIntake> logger)
{
    /// <summary>Targets taken in side by side; more would only queue up before the same disk.</summary>
    private const int MaxAtOnce = 16;

    public Task<IReadOnlyList<IntakeOutcome>> TakeAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken) => TakeAsync(alerts, null, cancellationToken);

    /// <param name="traceParent">As the sender's request says it; null where it says none.</param>
    /// <returns>One answer for each alert and each runbook that is for it, in the order of the alerts.</returns>
    /// <exception cref="StoreUnavailableException">Not everything could be recorded; the sender should try again.</exception>
    public async Task<IReadOnlyList<IntakeOutcome>> TakeAsync(IReadOnlyList<Alert> alerts, string? traceParent, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var sorted = new AlertBatcher(runbooks(), await KnownAsync(alerts, cancellationToken)).Add(alerts.Select(alert => Episode.WithoutStartAhead(alert, now)));
        var answers = new IntakeOutcome[sorted.Places];
        foreach (var (place, alert, reason) in sorted.Unmatched)
        {
            Log.AlertIgnored(logger, Clip.To(alert.Name, 200), alert.Source, reason);
            answers[place] = new(null, null, null, IntakeResult.Ignored, reason);
            Count(alert, answers[place]);
        }

        var starts = new ConcurrentQueue<IncidentStart>();
        try
        {
            await BoundedConcurrency.ForEachAsync(sorted.Queues, MaxAtOnce, async queue =>
            {
                foreach (var batch in queue)
                {
                    var taken = await TakeAsync(batch with { TraceParent = traceParent }, starts, cancellationToken);
                    for (var i = 0; i < taken.Count; i++)
                    {
                        answers[batch.Places[i]] = taken[i];
                        Count(batch.Alerts[i], taken[i]);
                    }
                }
            });
        }
        finally
        {
            // Once all are on record: workflows that begin while others are being recorded would take the store from them.
            await BoundedConcurrency.ForEachAsync([.. starts.DistinctBy(start => start.Incident.Id)], MaxAtOnce, StartAsync);
        }

        await unmatched.RecordAsync(sorted.Unmatched.Select(one => (one.Alert, one.Reason)), cancellationToken);
        return answers;
    }

    internal static void Count(Alert alert, IntakeOutcome answer) =>
        Instruments.Alerts.Add(1, Instruments.Tag(Attributes.Source, alert.Source), Instruments.Tag(Attributes.Outcome, CamelCase.Of(answer.Outcome)));

    /// <summary>Which incidents the alerts of a post have reached before.</summary>
    private async Task<IReadOnlyDictionary<string, IReadOnlyList<IncidentSummary>>> KnownAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        var known = new ConcurrentDictionary<string, IReadOnlyList<IncidentSummary>>(StringComparer.Ordinal);
        await BoundedConcurrency.ForEachAsync([.. alerts.SelectMany(AlertIdentity.All).Distinct()], MaxAtOnce, async identity =>
        {
            if (await store.FindByAlertAsync(identity, cancellationToken) is { Count: > 0 } incidents)
            {
                known[identity] = incidents;
            }
        });
        return known;
    }

    /// <param name="starts">Takes what is to be started.</param>
    private Task<IReadOnlyList<IntakeOutcome>> TakeAsync(AlertBatch batch, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken) => batch switch
    {
        { Intent: AlertIntent.Resolve } => ResolveAsync(batch, cancellationToken),
        { Intent: AlertIntent.Acknowledge } => AcknowledgeAsync(batch, cancellationToken),
        { Intent: AlertIntent.Fire, Runbook: { } runbook } => FireAsync(batch, runbook, starts, cancellationToken),
        _ => TellAsync(batch, cancellationToken),
    };

    /// <summary>What a person has said no to, and what is of an earlier episode, goes to the incident that knows it; the rest asks.</summary>
    private async Task<IReadOnlyList<IntakeOutcome>> FireAsync(AlertBatch batch, Runbook runbook, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        var answers = new IntakeOutcome?[batch.Alerts.Count];
        foreach (var id in batch.Ended)
        {
            if (answers.All(answer => answer is not null))
            {
                break;
            }

            var now = time.GetUtcNow();
            if (await store.FindAsync(id, cancellationToken) is { } ended && !ended.Accepts(now))
            {
                for (var i = 0; i < answers.Length; i++)
                {
                    answers[i] ??= await KeepAsync(batch, batch.Alerts[i], ended, now, cancellationToken);
                }
            }
        }

        var asking = Enumerable.Range(0, answers.Length).Where(i => answers[i] is null).ToList();
        if (asking.Count > 0)
        {
            var (opened, start) = await OpenAsync(batch with { Alerts = [.. asking.Select(i => batch.Alerts[i])] }, runbook, cancellationToken);
            starts.Enqueue(start);
            asking.Zip(opened).ToList().ForEach(pair => answers[pair.First] = pair.Second);
        }

        return answers!;
    }

    /// <returns>Null when the ended incident has nothing to do with this firing.</returns>
    private async Task<IntakeOutcome?> KeepAsync(AlertBatch batch, Alert alert, Incident ended, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (ended.Remembers(alert, now))
        {
            await store.UpdateAsync(ended.Id, current => current.AttachRemembered(alert, now), cancellationToken);
            return batch.Answer(IntakeResult.Folded, ended.Id, $"It fires on, and does not ask again: {ended.SaidNo()!.Words}");
        }

        if (ended.IsOfEarlierEpisode(alert))
        {
            await store.UpdateAsync(ended.Id, current => current.Attach(alert, now), cancellationToken);
            return batch.Answer(IntakeResult.Ignored, null, Late(ended));
        }

        return null;
    }

    private static string Late(Incident incident) =>
        $"The message is of an earlier episode of this alert than the one that incident {incident.Id} knows; it changes nothing.";

    /// <returns>An answer for each alert, and what is to be started before anybody hears it.</returns>
    internal async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)> OpenAsync(AlertBatch batch, Runbook runbook, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        Incident? before = null;
        var (incident, opened) = await store.OpenAsync(
            batch.Candidate(runbook, options.CurrentValue.Mode, now),
            runbook,
            latest => (before = latest).Accepts(now) ? batch.AttachTo(latest, now) : batch.StartedBy is null ? latest.FoldFlapping(batch.Alerts, now) : null,
            cancellationToken);
        if (opened && before is { } earlier && !ReferenceEquals(incident.GoOnAfter(earlier, now), incident))
        {
            incident = await store.UpdateAsync(incident.Id, current => current.GoOnAfter(earlier, now), cancellationToken);
        }

        if (!opened && (incident.State == IncidentState.Resolved || (incident.OpenGate is not null && incident.NewsMark != incident.ShownNews)))
        {
            // In the settle window: whether the fix holds is looked into. While somebody is asked: the cards tell what came.
            await wakes.WakeAsync(incident);
        }
        else if (!opened && incident.IsWaitingForOther && incident.News.Any(news => news.Urgent))
        {
            await wakes.WakeAsync(incident);
        }
        else if (!opened && incident.State.IsFinal() && incident.HoldsUnasked() && incident.HeldUntil is { } until)
        {
            await suppressed.RememberAsync(incident, until, CancellationToken.None);
        }

        if (opened)
        {
            Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        }

        var folded = batch.Answer(IntakeResult.Folded, incident.Id, Folding(incident));
        return ([.. batch.Alerts.Select((alert, i) => opened && i == 0 ? batch.Answer(IntakeResult.Opened, incident.Id, null)
            : !opened && before!.IsOfEarlierEpisode(alert) ? batch.Answer(IntakeResult.Ignored, null, Late(incident))
            : folded)], new(incident, opened ? runbook : null));
    }

    /// <summary>Opens an incident that looks at what nobody was asked about for a while, unless a later one on the target does so.</summary>
    /// <returns>False when its runbook is not loaded any more.</returns>
    public async Task<bool> LookAgainAsync(Incident suppressed, CancellationToken cancellationToken)
    {
        if (runbooks().FirstOrDefault(loaded => loaded.Id == suppressed.RunbookId) is not { } runbook)
        {
            return false;
        }

        var now = time.GetUtcNow();
        var candidate = new AlertBatch(runbook.Id, suppressed.Target, AlertIntent.Fire, [suppressed.Unasked()], []) { Runbook = runbook }.Candidate(runbook, options.CurrentValue.Mode, now).TakeUp(suppressed, now);
        var (incident, opened) = await store.OpenAsync(
            candidate, runbook, latest => latest.Id == suppressed.Id && latest.IsUnasked() ? null : latest, cancellationToken);
        if (opened)
        {
            await store.UpdateAsync(suppressed.Id, current => current.NoteTakenUp(incident.Id, now), CancellationToken.None);
            await StartAsync(new(incident, runbook));
            Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        }

        return true;
    }

    internal Task StartAsync(IncidentStart start) => start.RunAsync(engine, pinned);

    private async Task<IReadOnlyList<IntakeOutcome>> ResolveAsync(AlertBatch batch, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await FindLatestAsync(batch, cancellationToken) is not { } latest
            || !latest.AcceptsResolved(batch.Alerts, now))
        {
            Log.ResolvedWithoutIncident(logger, Clip.To(batch.First.Name, 200), batch.RunbookId, Clip.To(batch.Target, 200));
            return Repeat(batch, batch.Answer(IntakeResult.Ignored, null, "The alert is resolved and no incident on this target is open."));
        }

        var incident = await store.UpdateAsync(
            latest.Id, current => current.AcceptsResolved(batch.Alerts, now) ? batch.AttachTo(current, now) : current, cancellationToken);
        if (incident.State == IncidentState.Resolved || !incident.Flaps(now))
        {
            await wakes.WakeAsync(incident);
        }

        return [.. batch.Alerts.Select(alert => latest.IsOfEarlierEpisode(alert) ? batch.Answer(IntakeResult.Ignored, null, Late(incident))
            : AlertEnd.NoAllClear(alert) is { } reason
            ? batch.Answer(IntakeResult.Folded, incident.Id, $"The sender ended the alert for the reason {Clip.To(reason, 100)}, which is no all-clear; it is on the record of incident {incident.Id} and withdraws nothing.")
            : batch.Answer(IntakeResult.Resolved, incident.Id, null))];
    }

    /// <summary>An outage is over, or being worked up, says the sender: news for the incident that it opened, open or closed.</summary>
    private async Task<IReadOnlyList<IntakeOutcome>> TellAsync(AlertBatch batch, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var stage = AlertIdentity.Stage(batch.First);
        if (await FindLatestAsync(batch, cancellationToken) is not { } latest || !latest.KnowsOutage(batch.First))
        {
            return Repeat(batch, batch.Answer(
                IntakeResult.Ignored, null, $"Azure's stage of this outage is {stage}, and no incident knows the outage. Such a message opens one only for a trigger that asks for it, such as labels: {{ stage: {stage} }}."));
        }

        var incident = await store.UpdateAsync(latest.Id, current => batch.Alerts.Aggregate(current, (changed, alert) => changed.TellOutage(alert, now)), cancellationToken);
        await wakes.WakeAsync(incident);
        return Repeat(batch, batch.Answer(IntakeResult.Folded, incident.Id, incident.State.IsFinal()
            ? $"Azure's stage of this outage is {stage}. Incident {incident.Id} about it has ended; the message is on its record and asks nobody."
            : $"Azure's stage of this outage is {stage}; incident {incident.Id} about it is open and shows the message."));
    }

    /// <summary>Claims of an older version stand under the target as it was written.</summary>
    private async Task<Incident?> FindLatestAsync(AlertBatch batch, CancellationToken cancellationToken) =>
        await store.FindLatestAsync(batch.RunbookId, batch.TargetKey, cancellationToken)
        ?? (batch.TargetKey == batch.Target ? null : await store.FindLatestAsync(batch.RunbookId, batch.Target, cancellationToken));

    /// <summary>That a person at the sender has seen it opens nothing and ends nothing; it is noted where somebody may read it.</summary>
    private async Task<IReadOnlyList<IntakeOutcome>> AcknowledgeAsync(AlertBatch batch, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await FindLatestAsync(batch, cancellationToken) is not { } latest || !latest.Accepts(now))
        {
            return Repeat(batch, batch.Answer(IntakeResult.Ignored, null, "The alert was acknowledged at its sender and no incident on this target is open; an acknowledgement opens none."));
        }

        await store.UpdateAsync(latest.Id, current => batch.Alerts.Aggregate(current, (changed, alert) => changed.NoteAcknowledgedAtSender(alert, now)), cancellationToken);
        return Repeat(batch, batch.Answer(IntakeResult.Folded, latest.Id, $"The alert was acknowledged at its sender. Incident {latest.Id} has it on record; it decides nothing there."));
    }

    private static IReadOnlyList<IntakeOutcome> Repeat(AlertBatch batch, IntakeOutcome answer) => [.. batch.Alerts.Select(_ => answer)];

    private static string Folding(Incident incident) => incident.IsOwnedByResponder()
        ? $"Incident {incident.Id} on this target was taken over by a person; alerts belong to it until it is closed, at the latest {incident.SettlesAt:HH:mm:ss} UTC."
        : incident.State.IsFinal() && incident.SaidNo() is { } no
        ? $"It comes and goes, and does not ask again until it has been quiet for {Recurrence.QuietFor.TotalMinutes:0} minutes, or does not end for as long: {no.Words}"
        : incident.State.IsFinal()
        ? $"Incident {incident.Id} on this target was closed a moment ago; late alerts belong to it until {incident.SettlesAt:HH:mm:ss} UTC."
        : $"Incident {incident.Id} on this target is open; this is its alert number {incident.AlertCount}.";
}

/// <summary>The runbooks as they are loaded at this moment; what was taken in before stays pinned to its own version.</summary>
public delegate IReadOnlyCollection<Runbook> LoadedRunbooks();
