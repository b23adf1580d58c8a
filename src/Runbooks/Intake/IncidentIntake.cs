using Runbooks.Catalog.Templates;
using Runbooks.Telemetry;

namespace Runbooks.Intake;

/// <summary>
/// Brings alerts to incidents. It answers only when what it says is durable; when the store or the engine cannot, it
/// throws, and the whole post may be sent again: what it opened takes that in.
/// </summary>
public sealed partial class IncidentIntake(
    LoadedRunbooks loaded,
    IIncidentStore store,
    PinnedRunbooks pinned,
    IIncidentEngine engine,
    AlertUpdates updates,
    SuppressedIncidents suppressed,
    UnmatchedAlerts unmatched,
    IOptionsMonitor<SafetyOptions> options,
    TimeProvider time,
    ILogger<IncidentIntake> logger)
{
    /// <summary>Targets taken in side by side; more would only queue up before the same disk.</summary>
    private const int MaxAtOnce = 16;

    public Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken) => ReceiveAsync(alerts, null, cancellationToken);

    /// <param name="traceParent">As the sender's request says it; null where it says none.</param>
    /// <returns>One answer for each alert and each runbook that is for it, in the order of the alerts.</returns>
    /// <exception cref="StoreUnavailableException">Not everything could be recorded; the sender should try again.</exception>
    public async Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(IReadOnlyList<Alert> alerts, string? traceParent, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var read = alerts.Select(alert => Episode.WithoutStartAhead(alert, now)).ToList();
        var runbooks = loaded();
        var sorted = new AlertBatcher(runbooks, await KnownAsync(alerts, cancellationToken)).Add(read);
        var answers = new IntakeOutcome[sorted.Places];
        var starts = new ConcurrentQueue<IncidentStart>();
        var left = new List<(Alert Alert, string Reason)>();
        try
        {
            var told = new Dictionary<Alert, IntakeOutcome>(ReferenceEqualityComparer.Instance);
            foreach (var alert in read)
            {
                if (await updates.HandleMeasuringAsync(alert, runbooks, starts, cancellationToken) is { } outcome)
                {
                    told[alert] = outcome;
                }
            }

            foreach (var (place, alert, reason) in sorted.Unmatched)
            {
                if (!told.TryGetValue(alert, out answers[place]!))
                {
                    Log.AlertIgnored(logger, Clip.To(alert.Name, 200), alert.Source, reason);
                    answers[place] = new(null, null, null, IntakeResult.Ignored, reason);
                    left.Add((alert, reason));
                }

                Count(alert, answers[place]);
            }

            await BoundedConcurrency.ForEachAsync(sorted.Queues, MaxAtOnce, async queue =>
            {
                foreach (var batch in queue)
                {
                    var taken = await ReceiveAsync(batch with { TraceParent = traceParent }, starts, cancellationToken);
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
            // Once all are on record: workflows that begin while others are being recorded would take the store from them, and one that
            // is woken by half of a post may read that everything is over.
            await BoundedConcurrency.ForEachAsync(IncidentStart.Merge(starts), MaxAtOnce, StartAsync);
        }

        await unmatched.RecordAsync(left, cancellationToken);
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
    private Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(AlertBatch batch, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken) => batch switch
    {
        { Intent: AlertIntent.Resolve } => updates.ResolveAsync(batch, starts, cancellationToken),
        { Intent: AlertIntent.Acknowledge } => updates.AcknowledgeAsync(batch, cancellationToken),
        { Intent: AlertIntent.Fire, Runbook: { } runbook } => FireAsync(batch, runbook, starts, cancellationToken),
        _ => updates.HandleUpdateAsync(batch, starts, cancellationToken),
    };

    /// <summary>What a person has said no to, what is of an earlier episode, and an outage about which something was done go to the incident that knows it; the rest asks.</summary>
    private async Task<IReadOnlyList<IntakeOutcome>> FireAsync(AlertBatch batch, Runbook runbook, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        // Nothing is read before an alert that comes alone and is known nowhere: the store shows what is on the target as it opens.
        if (batch is { Alerts.Count: 1, Ended.Count: 0 } && await TryOpenAsync(batch, runbook, unlessRefused: true, cancellationToken) is var (first, begun))
        {
            starts.Enqueue(begun);
            return first;
        }

        List<FiringAlert> firing = [.. batch.Alerts.Select(alert => new FiringAlert(alert))];

        // Whatever is open on the target or was since, it knows to what people said no there.
        var latest = await store.FindLatestAsync(runbook.Id, batch.TargetKey, cancellationToken);
        var refusedBy = latest?.RefusedBy(batch.Alerts) ?? [];
        foreach (var id in refusedBy.Except(batch.Ended).Concat(batch.Ended))
        {
            if (firing.TrueForAll(one => one.Answer is not null))
            {
                break;
            }

            if (await store.FindAsync(id, cancellationToken) is { } ended)
            {
                await KeepFromAskingAsync(batch, firing, ended, refusedBy.Contains(id), cancellationToken);
            }
        }

        foreach (var asking in Apart(batch, runbook, latest, [.. firing.Where(one => one.Answer is null)], time.GetUtcNow()))
        {
            var (opened, start) = await OpenAsync(batch with { Alerts = [.. asking.Select(one => one.Alert)] }, runbook, cancellationToken);
            starts.Enqueue(start);
            foreach (var (one, answer) in asking.Zip(opened))
            {
                one.Answer = answer;
            }
        }

        return [.. firing.Select(one => one.Answer!)];
    }

    /// <summary>In one post some alerts may belong to a fix that settles, which has to be looked at again, and others not.</summary>
    private static IReadOnlyList<IReadOnlyList<FiringAlert>> Apart(
        AlertBatch batch, Runbook runbook, Incident? latest, IReadOnlyList<FiringAlert> asking, DateTimeOffset now) =>
        asking.Count == 0 ? []
        : latest is not { State: IncidentState.Resolved } ? [asking]
        : [.. asking.GroupBy(one => BelongTo(latest, [one.Alert], runbook, now)).OrderByDescending(part => part.Key).Select(part => part.ToList())];

    /// <returns>An answer for each alert, and what is to be started before anybody hears it.</returns>
    internal async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)> OpenAsync(AlertBatch batch, Runbook runbook, CancellationToken cancellationToken) =>
        (await TryOpenAsync(batch, runbook, unlessRefused: false, cancellationToken))!.Value;

    /// <returns>Null where a person said no to one of the alerts before, which may hold: nothing was changed.</returns>
    private async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)?> TryOpenAsync(AlertBatch batch, Runbook runbook, bool unlessRefused, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = batch.Candidate(runbook, options.CurrentValue.Mode, now);

        // As the store found it last: it may ask more than once.
        Incident? before = null;
        var refused = false;
        var (incident, opened) = await store.OpenAsync(candidate, runbook, Fold, cancellationToken);
        if (opened)
        {
            incident = await AddUnaskedAsync(incident, before, cancellationToken);
            Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
            var others = batch.Alerts.Skip(1).Select(alert => batch.AnswerToFolded(alert, incident, before: null, now));
            return ([batch.Answer(IntakeResult.Opened, incident.Id, null), .. others], new(incident, runbook));
        }

        if (refused)
        {
            return null;
        }

        if (incident.State == IncidentState.Resolved && incident.Accepts(now) && !await RunsAsync(incident, cancellationToken))
        {
            // Its workflow broke or was ended from outside: a window that nobody watches would only swallow the alert.
            const string Why = "Alerts on the target belong to a new incident: its workflow has ended, so nobody would look whether the fix holds.";
            await store.UpdateAsync(incident.Id, current => current.EndSettling(Why, now), cancellationToken);
            return await TryOpenAsync(batch, runbook, unlessRefused, cancellationToken);
        }

        return batch.StartedBy is null
            ? ([.. batch.Alerts.Select(alert => batch.AnswerToFolded(alert, incident, before, now))], new(incident, null) { Wakes = Wakes(incident) })
            : ([AnswerToStart(batch, incident, before!, now)], new(incident, null));

        Incident Fold(Incident latest)
        {
            refused = unlessRefused && latest.RefusedBy(batch.Alerts).Count > 0;
            if (refused)
            {
                return latest;
            }

            before = latest;
            var belongs = batch.StartedBy is null ? BelongTo(latest, batch.Alerts, runbook, now) : latest.Accepts(now);
            return belongs ? batch.JoinTo(latest, now) : candidate.GoOnAfter(latest, now);
        }
    }

    /// <summary>Somebody starts by hand what is there already.</summary>
    private static IntakeOutcome AnswerToStart(AlertBatch batch, Incident incident, Incident before, DateTimeOffset now)
    {
        var noted = incident.Timeline.Count > before.Timeline.Count
            ? "The start is on its record and does nothing more."
            : "This start is not written down, since the record has one like it or is full, and does nothing more.";
        return batch.Answer(IntakeResult.Folded, incident.Id, $"{IntakeText.Standing(incident, now)} {noted}");
    }

    /// <summary>In the settle window whether the fix holds is looked into; while somebody is asked, the cards tell what came.</summary>
    private static bool Wakes(Incident folded) => folded.State == IncidentState.Resolved || folded.HasUntoldNews;

    private async Task<bool> RunsAsync(Incident incident, CancellationToken cancellationToken) =>
        await engine.FindAsync(incident.Id, cancellationToken) is { Status: EngineStatus.Pending or EngineStatus.Running };

    /// <summary>
    /// In the settle window the checks are asked about what the closed incident was opened for. An alert for which the runbook
    /// would ask or do something else is nothing that they answer.
    /// </summary>
    private static bool BelongTo(Incident latest, IReadOnlyList<Alert> alerts, Runbook runbook, DateTimeOffset now) =>
        latest.Accepts(now)
        && (latest.State != IncidentState.Resolved || alerts.All(alert => latest.WasOpenedBy(alert) || latest.IsOfEarlierEpisode(alert) || ParameterComparison.AreSame(runbook, latest.Target, latest.Alert, alert)));

    internal async Task StartAsync(IncidentStart start)
    {
        await start.RunAsync(engine, pinned);
        if (start.Wakes)
        {
            await updates.WakeAsync(start.Incident);
        }
    }
}
