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

        var answers = new IntakeOutcome?[batch.Alerts.Count];
        var allowed = new bool[answers.Length];

        // Whatever is open on the target or was since, it knows to what people said no there.
        var latest = await store.FindLatestAsync(runbook.Id, batch.TargetKey, cancellationToken);
        var refusedBy = latest?.RefusedBy(batch.Alerts) ?? [];
        foreach (var id in refusedBy.Except(batch.Ended).Concat(batch.Ended))
        {
            if (answers.All(answer => answer is not null))
            {
                break;
            }

            var now = time.GetUtcNow();
            if (await store.FindAsync(id, cancellationToken) is { } ended)
            {
                // All of them in one change: a whole group is sent again at each interval.
                bool IsRemembered(int i) => answers[i] is null && !allowed[i] && !ended.Accepts(now) && ended.Remembers(batch.Alerts[i], now);
                List<int> remembered = [.. Enumerable.Range(0, answers.Length).Where(IsRemembered)];
                if (remembered.Count > 0)
                {
                    await store.UpdateAsync(ended.Id, current => remembered.Aggregate(current, (changed, i) => changed.AttachRemembered(batch.Alerts[i], now)), cancellationToken);
                    remembered.ForEach(i => answers[i] = batch.Answer(IntakeResult.Folded, ended.Id, $"It still fires and does not ask again: {ended.SaidNo()!.Text}"));
                }

                for (var i = 0; i < answers.Length; i++)
                {
                    answers[i] ??= allowed[i] || ended.Accepts(now) ? null : await KeepAsync(batch, batch.Alerts[i], ended, refusedBy.Contains(id), now, cancellationToken);

                    // Newest first: where something was done about it since, a no of before holds no longer.
                    allowed[i] |= ended.HasActed && (ended.Knows(batch.Alerts[i]) || ended.KnowsOutage(batch.Alerts[i]));
                }
            }
        }

        foreach (var asking in Apart(batch, runbook, latest, [.. Enumerable.Range(0, answers.Length).Where(i => answers[i] is null)], time.GetUtcNow()))
        {
            var (opened, start) = await OpenAsync(batch with { Alerts = [.. asking.Select(i => batch.Alerts[i])] }, runbook, cancellationToken);
            starts.Enqueue(start);
            asking.Zip(opened).ToList().ForEach(pair => answers[pair.First] = pair.Second);
        }

        return answers!;
    }

    /// <summary>In one post some alerts may belong to a fix that settles, which has to be looked at again, and others not.</summary>
    private static IReadOnlyList<IReadOnlyList<int>> Apart(AlertBatch batch, Runbook runbook, Incident? latest, IReadOnlyList<int> asking, DateTimeOffset now) =>
        asking.Count == 0 ? []
        : latest is not { State: IncidentState.Resolved } ? [asking]
        : [.. asking.GroupBy(i => BelongTo(latest, [batch.Alerts[i]], runbook, now)).OrderByDescending(part => part.Key).Select(part => part.ToList())];

    /// <param name="isRefused">A person said no there to an alert that says the same, and nothing has been decided or done about it since.</param>
    /// <returns>Null when the ended incident has nothing to do with this firing.</returns>
    private async Task<IntakeOutcome?> KeepAsync(AlertBatch batch, Alert alert, Incident ended, bool isRefused, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (ended.IsOfEarlierEpisode(alert))
        {
            await store.UpdateAsync(ended.Id, current => current.Attach(alert, now), cancellationToken);
            return batch.Answer(IntakeResult.Ignored, null, AlertUpdates.Late(ended));
        }

        if (isRefused && ended.FoldRefused(alert, now) is not null)
        {
            var refused = await store.UpdateAsync(ended.Id, current => current.FoldRefused(alert, now) ?? current, cancellationToken);
            if (refused.HoldsUnasked() && refused.HeldUntil is { } until)
            {
                await suppressed.RememberAsync(refused, until, null, CancellationToken.None);
            }

            return batch.AnswerToFolded(alert, refused, ended, now);
        }

        if (ended.HasStandingFixFor(alert) && ended.TargetKey.Equals(batch.TargetKey, StringComparison.OrdinalIgnoreCase))
        {
            await store.UpdateAsync(ended.Id, current => current.AddOutageNews(alert, now), cancellationToken);
            return batch.Answer(IntakeResult.Folded, ended.Id, $"Azure says that outage {Clip.To(AlertIdentity.TrackingId(alert)!, 60)} goes on. It does not ask again: what was done about it in incident {ended.Id} stands.");
        }

        return ended.KnowsMessage(alert)
            ? batch.Answer(IntakeResult.Ignored, null, $"This very message was taken before: incident {ended.Id} knows it, and has ended. It opens nothing again.")
            : null;
    }

    /// <returns>An answer for each alert, and what is to be started before anybody hears it.</returns>
    internal async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)> OpenAsync(AlertBatch batch, Runbook runbook, CancellationToken cancellationToken) =>
        (await TryOpenAsync(batch, runbook, unlessRefused: false, cancellationToken))!.Value;

    /// <returns>Null where a person said no to one of the alerts before, which may hold: nothing was changed.</returns>
    private async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)?> TryOpenAsync(AlertBatch batch, Runbook runbook, bool unlessRefused, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();

        // As the store found it last: it may ask more than once.
        var (before, refused) = ((Incident?)null, false);
        var candidate = batch.Candidate(runbook, options.CurrentValue.Mode, now);
        var (incident, opened) = await store.OpenAsync(
            candidate,
            runbook,
            latest => (refused = unlessRefused && latest.RefusedBy(batch.Alerts).Count > 0) ? latest
                : Belongs(before = latest) ? batch.JoinTo(latest, now)
                : candidate.GoOnAfter(latest, now),
            cancellationToken);
        if (refused && !opened)
        {
            return null;
        }

        if (!opened && incident.State == IncidentState.Resolved && incident.Accepts(now) && !await RunsAsync(incident, cancellationToken))
        {
            // Its workflow broke or was ended from outside: a window that nobody watches would only swallow the alert.
            await store.UpdateAsync(incident.Id, current => current.EndSettling("Alerts on the target belong to a new incident: its workflow has ended, so nobody would look whether the fix holds.", now), cancellationToken);
            return await TryOpenAsync(batch, runbook, unlessRefused, cancellationToken);
        }

        if (!opened && batch.StartedBy is not null)
        {
            var noted = incident.Timeline.Count > before!.Timeline.Count ? "The start is on its record and does nothing more." : "This start is not written down, since the record has one like it or is full, and does nothing more.";
            return ([batch.Answer(IntakeResult.Folded, incident.Id, $"{IntakeText.Standing(incident, now)} {noted}")], new(incident, null));
        }

        if (opened)
        {
            incident = await AddUnaskedAsync(incident, before, cancellationToken);
            Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        }

        return ([.. batch.Alerts.Select((alert, i) => opened && i == 0 ? batch.Answer(IntakeResult.Opened, incident.Id, null) : batch.AnswerToFolded(alert, incident, opened ? null : before, now))],
            new(incident, opened ? runbook : null) { Wakes = !opened && Wakes(incident) });

        bool Belongs(Incident latest) => batch.StartedBy is null ? BelongTo(latest, batch.Alerts, runbook, now) : latest.Accepts(now);
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

    /// <param name="before">The incident before it on the target; null where there was none.</param>
    private async Task<Incident> AddUnaskedAsync(Incident opened, Incident? before, CancellationToken cancellationToken) =>
        before?.IsUnasked() == true && await suppressed.IsRememberedAsync(before.Id, cancellationToken)
            ? await store.UpdateAsync(opened.Id, current => current.AddUnaskedOf(before, time.GetUtcNow()), cancellationToken)
            : opened;

    internal async Task StartAsync(IncidentStart start)
    {
        await start.RunAsync(engine, pinned);
        if (start.Wakes)
        {
            await updates.WakeAsync(start.Incident);
        }
    }
}
