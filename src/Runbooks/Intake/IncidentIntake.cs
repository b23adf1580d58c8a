using Runbooks.Catalog.Templates;
using Runbooks.Telemetry;

namespace Runbooks.Intake;

/// <summary>
/// Answers only when everything is stored. If the store or the engine fails, it throws, and the whole post may be sent again: the
/// incidents that it opened take that in.
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
    /// <summary>More would only wait for the same disk.</summary>
    private const int MaxAtOnce = 16;

    public Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken) =>
        ReceiveAsync(alerts, null, cancellationToken);

    /// <returns>One answer for each alert and each runbook that is for it, in the order of the alerts.</returns>
    /// <exception cref="StoreUnavailableException">Not everything could be recorded; the sender should try again.</exception>
    public async Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(
        IReadOnlyList<Alert> alerts, string? traceParent, CancellationToken cancellationToken)
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
            // Only when all are on record: a workflow that is woken by half of a post may read that everything is over.
            await BoundedConcurrency.ForEachAsync(IncidentStart.Merge(starts), MaxAtOnce, StartAsync);
        }

        await unmatched.RecordAsync(left, cancellationToken);
        return answers;
    }

    internal static void Count(Alert alert, IntakeOutcome answer) =>
        Instruments.Alerts.Add(
            1, Instruments.Tag(Attributes.Source, alert.Source), Instruments.Tag(Attributes.Outcome, CamelCase.Of(answer.Outcome)));

    private async Task<IReadOnlyDictionary<string, IReadOnlyList<IncidentSummary>>> KnownAsync(
        IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        var reached = new ConcurrentDictionary<string, IReadOnlyList<IncidentSummary>>(StringComparer.Ordinal);
        await BoundedConcurrency.ForEachAsync([.. alerts.SelectMany(AlertIdentity.All).Distinct()], MaxAtOnce, async identity =>
        {
            if (await store.FindByAlertAsync(identity, cancellationToken) is { Count: > 0 } incidents)
            {
                reached[identity] = incidents;
            }
        });
        return reached;
    }

    private Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(
        AlertBatch batch, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken) => batch switch
    {
        { Intent: AlertIntent.Resolve } => updates.ResolveAsync(batch, starts, cancellationToken),
        { Intent: AlertIntent.Acknowledge } => updates.AcknowledgeAsync(batch, cancellationToken),
        { Intent: AlertIntent.Fire, Runbook: { } runbook } => FireAsync(batch, runbook, starts, cancellationToken),
        _ => updates.HandleUpdateAsync(batch, starts, cancellationToken),
    };

    /// <summary>
    /// An alert that a person said no to, one of an earlier episode, and an outage about which something was done go to the incident
    /// that knows them. The rest asks people.
    /// </summary>
    private async Task<IReadOnlyList<IntakeOutcome>> FireAsync(
        AlertBatch batch, Runbook runbook, ConcurrentQueue<IncidentStart> starts, CancellationToken cancellationToken)
    {
        // For a single alert that no incident knows nothing is read first: opening shows what is on the target.
        if (batch is { Alerts.Count: 1, Ended.Count: 0 }
            && await TryOpenAsync(batch, runbook, unlessRefused: true, cancellationToken) is var (first, begun))
        {
            starts.Enqueue(begun);
            return first;
        }

        List<FiringAlert> firing = [.. batch.Alerts.Select(alert => new FiringAlert(alert))];

        // The latest incident on the target knows which alerts people said no to.
        var latest = await store.FindLatestAsync(runbook.Id, batch.TargetKey, cancellationToken);
        var refusedBy = latest?.RefusedBy(batch.Alerts) ?? [];
        foreach (var id in refusedBy.Except(batch.Ended).Concat(batch.Ended))
        {
            if (firing.TrueForAll(fired => fired.Answer is not null))
            {
                break;
            }

            if (await store.FindAsync(id, cancellationToken) is { } ended)
            {
                await KeepFromAskingAsync(batch, firing, ended, refusedBy.Contains(id), cancellationToken);
            }
        }

        var undecided = firing.Where(fired => fired.Answer is null).ToList();
        foreach (var asking in Apart(batch, runbook, latest, undecided, time.GetUtcNow()))
        {
            var (opened, start) = await OpenAsync(
                batch with { Alerts = [.. asking.Select(fired => fired.Alert)] }, runbook, cancellationToken);
            starts.Enqueue(start);
            foreach (var (fired, answer) in asking.Zip(opened))
            {
                fired.Answer = answer;
            }
        }

        return [.. firing.Select(fired => fired.Answer!)];
    }

    /// <summary>Some alerts of a post may belong to a fix that settles, which has to be checked again, and others not.</summary>
    private static IReadOnlyList<IReadOnlyList<FiringAlert>> Apart(
        AlertBatch batch, Runbook runbook, Incident? latest, IReadOnlyList<FiringAlert> asking, DateTimeOffset now) =>
        asking.Count == 0 ? []
        : latest is not { State: IncidentState.Resolved } ? [asking]
        : [.. asking
            .GroupBy(fired => BelongTo(latest, [fired.Alert], runbook, now))
            .OrderByDescending(part => part.Key)
            .Select(part => part.ToList())];

    /// <returns>Start: what has to be started before the sender gets the answers.</returns>
    internal async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)> OpenAsync(
        AlertBatch batch, Runbook runbook, CancellationToken cancellationToken) =>
        (await TryOpenAsync(batch, runbook, unlessRefused: false, cancellationToken))!.Value;

    /// <returns>Null where a person said no to one of the alerts before, and that may still count.</returns>
    private async Task<(IReadOnlyList<IntakeOutcome> Answers, IncidentStart Start)?> TryOpenAsync(
        AlertBatch batch, Runbook runbook, bool unlessRefused, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var candidate = batch.Candidate(runbook, options.CurrentValue.Mode, now);

        // Set by Fold, which the store may call more than once: the last call counts.
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
            // Its workflow failed or was ended from outside: a settle window that nobody watches would only swallow the alert.
            const string Why = "Alerts on the target belong to a new incident: "
                + "its workflow has ended, so nobody would look whether the fix holds.";
            await store.UpdateAsync(incident.Id, current => current.EndSettling(Why, now), cancellationToken);
            return await TryOpenAsync(batch, runbook, unlessRefused, cancellationToken);
        }

        if (batch.StartedBy is not null)
        {
            return ([AnswerToStart(batch, incident, before!, now)], new(incident, null));
        }

        var answers = batch.Alerts.Select(alert => batch.AnswerToFolded(alert, incident, before, now));
        return ([.. answers], new(incident, null) { Wakes = Wakes(incident) });

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

    private static IntakeOutcome AnswerToStart(AlertBatch batch, Incident incident, Incident before, DateTimeOffset now)
    {
        var noted = incident.Timeline.Count > before.Timeline.Count
            ? "The start is on its record and does nothing more."
            : "This start is not written down, since the record has one like it or is full, and does nothing more.";
        return batch.Answer(IntakeResult.Folded, incident.Id, $"{IntakeText.Standing(incident, now)} {noted}");
    }

    /// <summary>In the settle window the checks are asked again; while people are asked, their cards show what came.</summary>
    private static bool Wakes(Incident folded) => folded.State == IncidentState.Resolved || folded.HasUntoldNews;

    private async Task<bool> RunsAsync(Incident incident, CancellationToken cancellationToken) =>
        await engine.FindAsync(incident.Id, cancellationToken) is { Status: EngineStatus.Pending or EngineStatus.Running };

    /// <summary>
    /// In the settle window the checks are asked about what the closed incident was opened for, not about an alert for which the steps
    /// would get other parameters.
    /// </summary>
    private static bool BelongTo(Incident latest, IReadOnlyList<Alert> alerts, Runbook runbook, DateTimeOffset now)
    {
        return latest.Accepts(now) && (latest.State != IncidentState.Resolved || alerts.All(IsAnswered));

        bool IsAnswered(Alert alert) =>
            latest.WasOpenedBy(alert)
            || latest.IsOfEarlierEpisode(alert)
            || ParameterComparison.AreSame(runbook, latest.Target, latest.Alert, alert);
    }

    internal async Task StartAsync(IncidentStart start)
    {
        await start.RunAsync(engine, pinned);
        if (start.Wakes)
        {
            await updates.WakeAsync(start.Incident);
        }
    }
}
