using Runbooks.Catalog.Matching;

namespace Runbooks.Intake;

/// <summary>
/// One queue per runbook and target, for handling in parallel. Each is in the post's order, so that an alert and its own end do not
/// overtake each other.
/// </summary>
/// <param name="known">For each identity, the incidents that it has reached before, newest first.</param>
internal sealed class AlertBatcher(IReadOnlyCollection<Runbook> runbooks, IReadOnlyDictionary<string, IReadOnlyList<IncidentSummary>> known)
{
    /// <summary>Ended incidents of one alert that are checked for a person's no.</summary>
    private const int MaxEnded = 5;

    private readonly Dictionary<(string Runbook, string TargetKey), List<AlertBatch>> _queues = [];

    /// <summary>Where the alerts of this post went: their incidents are not on record yet.</summary>
    private readonly Dictionary<(string Runbook, string Identity), IReadOnlyList<(string Target, string Key)>> _sent = [];

    public IReadOnlyCollection<IReadOnlyList<AlertBatch>> Queues => _queues.Values;

    public List<(int Place, Alert Alert, string Reason)> Unmatched { get; } = [];

    public int Places { get; private set; }

    public AlertBatcher Add(IEnumerable<Alert> alerts)
    {
        foreach (var sent in alerts)
        {
            var match = RunbookMatcher.Match(sent, runbooks);
            var alert = sent with { AsSent = null };
            foreach (var runbook in match.Runbooks)
            {
                var intent = IntentOf(alert) ?? (OutageUpdate.OpensNothing(sent, runbook) ? AlertIntent.Tell : AlertIntent.Fire);
                var (reached, unclear) = KnownTarget(alert, runbook.Id, runbook, intent);
                var target = reached ?? IncidentTarget.Of(runbook, alert);
                var knowsEnded = intent is AlertIntent.Fire or AlertIntent.Resolve;
                Enqueue(new(runbook.Id, target, intent, [alert], [Places++])
                {
                    Runbook = runbook,
                    Ended = knowsEnded ? EndedWith(alert, runbook, intent, TargetKey.Of(target, alert)) : [],
                    Unclear = unclear,
                });
            }

            var others = KnownElsewhere(alert, match.Runbooks);
            foreach (var (runbookId, target) in others)
            {
                Enqueue(new(runbookId, target, IntentOf(alert) ?? AlertIntent.Tell, [alert], [Places++]));
            }

            if (match.Runbooks.Count + others.Count == 0)
            {
                Unmatched.Add((Places++, sent, match.Reason ?? "No runbook is triggered by it."));
            }
        }

        return this;
    }

    private List<string> EndedWith(Alert alert, Runbook runbook, AlertIntent intent, string targetKey)
    {
        var isAnywhere = AlertIdentity.NamesOneThing(alert)
            && (intent == AlertIntent.Resolve || OwnKey(alert, runbook) is null);
        return [.. KnownOf(alert, runbook.Id)
            .Where(incident => !IsLive(incident) && (isAnywhere || IsOnTarget(incident)))
            .Select(incident => incident.Id)
            .Distinct()
            .Take(MaxEnded)];

        bool IsOnTarget(IncidentSummary incident) => KeyOf(incident).Equals(targetKey, StringComparison.OrdinalIgnoreCase);
    }

    private static AlertIntent? IntentOf(Alert alert) => alert.Status switch
    {
        AlertStatus.Resolved => AlertIntent.Resolve,
        AlertStatus.Acknowledged => AlertIntent.Acknowledge,
        _ => null,
    };

    /// <summary>
    /// A known alert reaches its incident, whatever its labels say now. But a firing alert whose identity is made from its labels counts on
    /// the target that they name.
    /// </summary>
    /// <returns>Null where the alert's own target counts.</returns>
    private (string? Target, string? Unclear) KnownTarget(Alert alert, string runbookId, Runbook? runbook, AlertIntent intent)
    {
        if (!AlertIdentity.NamesOneThing(alert))
        {
            return intent == AlertIntent.Fire ? (null, null) : ChosenTarget(alert, runbookId, runbook);
        }

        var own = runbook is not null && intent == AlertIntent.Fire ? OwnKey(alert, runbook) : null;
        var live = LiveTargets(alert, runbookId).Where(live => own is null || live.Key.Equals(own, StringComparison.OrdinalIgnoreCase));
        if (live.Select(live => live.Target).FirstOrDefault() is { } target)
        {
            return (target, null);
        }

        return (intent == AlertIntent.Fire ? null : KnownOf(alert, runbookId).FirstOrDefault()?.Target, null);
    }

    /// <summary>
    /// Alertmanager and Grafana compute a fingerprint from the labels, and a poster could claim that of another alert: the true alert must
    /// not go where those labels say. Azure's alertId says nothing about labels, and stays while they change.
    /// </summary>
    /// <returns>Null where the identity counts for more than the labels.</returns>
    private static string? OwnKey(Alert alert, Runbook runbook) =>
        alert.Source == AlertSource.AzureMonitor || IncidentTarget.Missing(runbook, alert).Count > 0
            ? null
            : TargetKey.Of(IncidentTarget.Of(runbook, alert), alert);

    /// <summary>
    /// An identity that the poster chooses may be used for several things. Then the message reaches the incident on its own target, or the
    /// only one if it lacks the label that says which.
    /// </summary>
    private (string? Target, string? Unclear) ChosenTarget(Alert alert, string runbookId, Runbook? runbook)
    {
        var targets = LiveTargets(alert, runbookId);
        var missing = runbook is null ? [] : IncidentTarget.Missing(runbook, alert);
        if (runbook is not null && missing.Count == 0)
        {
            var own = TargetKey.Of(IncidentTarget.Of(runbook, alert), alert);
            return (targets.Where(live => live.Key == own).Select(live => live.Target).FirstOrDefault(), null);
        }

        var which = missing.Count > 0
            ? $", and this message lacks {string.Join(" and ", missing)}, which says which of them it is about"
            : "";
        return targets.Count switch
        {
            1 => (targets[0].Target, null),
            0 when KnownOf(alert, runbookId).DistinctBy(KeyOf).ToList() is [var ended] => (ended.Target, null),
            0 => (null, null),
            _ => (null, $"Open incidents on {targets.Count} targets know this fingerprint{which}. "
                + "It changes none of them: a fingerprint names one thing."),
        };
    }

    /// <summary>Of open incidents that know the alert, those of this post first.</summary>
    private IReadOnlyList<(string Target, string Key)> LiveTargets(Alert alert, string runbookId) =>
        [.. AlertIdentity.All(alert).SelectMany(identity => _sent.GetValueOrDefault((runbookId, identity), []))
            .Concat(KnownOf(alert, runbookId).Where(IsLive).Select(incident => (incident.Target, Key: KeyOf(incident))))
            .DistinctBy(target => target.Key)];

    private IEnumerable<IncidentSummary> KnownOf(Alert alert, string runbookId) =>
        AlertIdentity.All(alert)
            .SelectMany(identity => known.GetValueOrDefault(identity, []))
            .Where(incident => incident.RunbookId == runbookId);

    private static string KeyOf(IncidentSummary incident) => incident.TargetKey ?? incident.Target;

    /// <summary>
    /// Incidents whose triggers no longer match the alert still get its end, its acknowledgement and news of its outage.
    /// </summary>
    private List<(string Runbook, string Target)> KnownElsewhere(Alert alert, IReadOnlyList<Runbook> matched)
    {
        if (alert.Status == AlertStatus.Firing && !OutageUpdate.Is(alert))
        {
            return [];
        }

        var sent = _sent.Keys.Where(key => AlertIdentity.All(alert).Contains(key.Identity)).Select(key => key.Runbook);
        return AlertIdentity.All(alert)
            .SelectMany(identity => known.GetValueOrDefault(identity, []))
            .Where(IsLive)
            .Select(incident => incident.RunbookId)
            .Concat(sent)
            .Distinct()
            .Where(id => matched.All(runbook => runbook.Id != id))
            .Select(id => (Runbook: id, Target: TargetOf(id)!))
            .Where(other => other.Target is not null)
            .ToList();

        string? TargetOf(string id) =>
            KnownTarget(alert, id, runbooks.FirstOrDefault(runbook => runbook.Id == id), AlertIntent.Resolve).Target;
    }

    private static bool IsLive(IncidentSummary incident) => !incident.State.IsFinal() || incident.OwnedByResponder;

    private void Enqueue(AlertBatch batch)
    {
        if (batch.Intent == AlertIntent.Fire)
        {
            foreach (var identity in AlertIdentity.All(batch.First))
            {
                // Newest first.
                var before = _sent.GetValueOrDefault((batch.RunbookId, identity), []);
                _sent[(batch.RunbookId, identity)] =
                    [(batch.Target, batch.TargetKey), .. before.Where(target => target.Key != batch.TargetKey)];
            }
        }

        if (!_queues.TryGetValue((batch.RunbookId, batch.TargetKey), out var queue))
        {
            _queues[(batch.RunbookId, batch.TargetKey)] = queue = [];
        }

        if (queue.Count > 0 && queue[^1] is var last && last.Intent == batch.Intent)
        {
            queue[^1] = last with
            {
                Alerts = [.. last.Alerts, .. batch.Alerts],
                Places = [.. last.Places, .. batch.Places],
                Ended = [.. last.Ended.Union(batch.Ended)],
            };
            return;
        }

        queue.Add(batch);
    }
}

/// <summary>
/// Azure Service Health reports on an outage, and that it is over, in alerts that are Fired. Such stages, and messages of Resource Health
/// that begin and end nothing, are news and no reason to ask: they open an incident only where a trigger asks for them.
/// </summary>
internal static class OutageUpdate
{
    private static readonly string[] s_labels = ["stage", "status"];

    public static bool Is(Alert alert) =>
        (AlertIdentity.Stage(alert) is { } stage && AlertIdentity.EndsOutage(stage))
        || (alert.Status == AlertStatus.Firing && ResourceHealth.Of(alert) is { IsNews: true });

    public static bool OpensNothing(Alert alert, Runbook runbook)
    {
        return Is(alert) && !runbook.Trigger.Any(AsksForIt);

        bool AsksForIt(Trigger trigger) => s_labels.Any(trigger.Labels.ContainsKey) && Matches(trigger);

        bool Matches(Trigger trigger)
        {
            var only = runbook with { Trigger = [trigger] };
            return RunbookMatcher.Match(alert with { Runbook = null }, [only]).Runbooks.Count > 0;
        }
    }
}
