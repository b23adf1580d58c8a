using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Intake;

/// <summary>
/// Sorts a post into what may be taken in side by side: one queue per runbook and target, each in the post's order, so
/// that an alert and its own end in the same post do not overtake each other.
/// </summary>
/// <param name="known">The incidents that each identity in the post is known to have reached, newest first.</param>
internal sealed class AlertBatcher(IReadOnlyCollection<Runbook> runbooks, IReadOnlyDictionary<string, IReadOnlyList<IncidentSummary>> known)
{
    /// <summary>Ended incidents of one alert that are asked whether a person said no.</summary>
    private const int MaxEnded = 5;

    private readonly Dictionary<(string Runbook, string TargetKey), List<AlertBatch>> _queues = [];

    /// <summary>Where the alerts of this very post went: their incidents are not on record yet.</summary>
    private readonly Dictionary<(string Runbook, string Identity), string> _sent = [];

    public IReadOnlyCollection<IReadOnlyList<AlertBatch>> Queues => _queues.Values;

    /// <summary>Alerts that no runbook is for and no incident knows, with the reason.</summary>
    public List<(int Place, Alert Alert, string Reason)> Unmatched { get; } = [];

    /// <summary>How many answers there will be.</summary>
    public int Places { get; private set; }

    public AlertBatcher Add(IEnumerable<Alert> alerts)
    {
        foreach (var alert in alerts)
        {
            var match = RunbookMatcher.Match(alert, runbooks);
            foreach (var runbook in match.Runbooks)
            {
                var intent = IntentOf(alert) ?? (OutageUpdate.OpensNothing(alert, runbook) ? AlertIntent.Tell : AlertIntent.Fire);
                Enqueue(new(runbook.Id, KnownTarget(alert, runbook.Id, intent) ?? IncidentTarget.Of(runbook, alert), intent, [alert], [Places++])
                {
                    Runbook = runbook,
                    Ended = intent == AlertIntent.Fire ? EndedWith(alert, runbook.Id) : [],
                });
            }

            var others = KnownElsewhere(alert, match.Runbooks);
            foreach (var (runbookId, target) in others)
            {
                Enqueue(new(runbookId, target, IntentOf(alert) ?? AlertIntent.Tell, [alert], [Places++]));
            }

            if (match.Runbooks.Count + others.Count == 0)
            {
                Unmatched.Add((Places++, alert, match.Reason ?? "No runbook is triggered by it."));
            }
        }

        return this;
    }

    private List<string> EndedWith(Alert alert, string runbookId) =>
        [.. AlertIdentity.All(alert)
            .SelectMany(identity => known.GetValueOrDefault(identity, []))
            .Where(incident => incident.RunbookId == runbookId && !IsLive(incident))
            .Select(incident => incident.Id)
            .Distinct()
            .Take(MaxEnded)];

    /// <returns>Null for an alert that fires.</returns>
    private static AlertIntent? IntentOf(Alert alert) => alert.Status switch
    {
        AlertStatus.Resolved => AlertIntent.Resolve,
        AlertStatus.Acknowledged => AlertIntent.Acknowledge,
        _ => null,
    };

    /// <summary>A known alert reaches its incident, whatever its labels say now.</summary>
    private string? KnownTarget(Alert alert, string runbookId, AlertIntent intent)
    {
        var identities = intent == AlertIntent.Fire && !AlertIdentity.NamesOneThing(alert) ? [] : AlertIdentity.All(alert);
        foreach (var identity in identities)
        {
            if (_sent.TryGetValue((runbookId, identity), out var sent))
            {
                return sent;
            }

            var incidents = known.GetValueOrDefault(identity, []).Where(incident => incident.RunbookId == runbookId).ToList();
            if ((incidents.FirstOrDefault(IsLive) ?? (intent == AlertIntent.Fire ? null : incidents.FirstOrDefault())) is { } incident)
            {
                return incident.Target;
            }
        }

        return null;
    }

    /// <summary>Incidents of runbooks whose triggers no longer fit the alert, and that it opened or joined: its end, and news of its outage, are theirs too.</summary>
    private List<(string Runbook, string Target)> KnownElsewhere(Alert alert, IReadOnlyList<Runbook> matched)
    {
        if (alert.Status != AlertStatus.Resolved && !OutageUpdate.Is(alert))
        {
            return [];
        }

        var sent = _sent.Where(one => AlertIdentity.All(alert).Contains(one.Key.Identity)).Select(one => (one.Key.Runbook, Target: one.Value));
        return AlertIdentity.All(alert)
            .SelectMany(identity => known.GetValueOrDefault(identity, []))
            .Where(IsLive)
            .Select(incident => (Runbook: incident.RunbookId, incident.Target))
            .Concat(sent)
            .DistinctBy(one => one.Runbook)
            .Where(one => matched.All(runbook => runbook.Id != one.Runbook))
            .ToList();
    }

    private static bool IsLive(IncidentSummary incident) => !incident.State.IsFinal() || incident.OwnedByResponder;

    private void Enqueue(AlertBatch batch)
    {
        if (batch.Intent == AlertIntent.Fire)
        {
            foreach (var identity in AlertIdentity.All(batch.First))
            {
                _sent[(batch.RunbookId, identity)] = batch.Target;
            }
        }

        if (!_queues.TryGetValue((batch.RunbookId, batch.TargetKey), out var queue))
        {
            _queues[(batch.RunbookId, batch.TargetKey)] = queue = [];
        }

        if (queue.Count > 0 && queue[^1] is var last && last.Intent == batch.Intent)
        {
            queue[^1] = last with { Alerts = [.. last.Alerts, .. batch.Alerts], Places = [.. last.Places, .. batch.Places], Ended = [.. last.Ended.Union(batch.Ended)] };
            return;
        }

        queue.Add(batch);
    }
}

/// <summary>
/// Azure Service Health tells how an outage goes on, and that it is over, in alerts that are Fired. What is no longer
/// active is news for who is being asked, and no reason to ask: it opens an incident only where a trigger asks for it.
/// </summary>
internal static class OutageUpdate
{
    private static readonly string[] s_labels = ["stage", "status"];

    public static bool Is(Alert alert) =>
        AlertIdentity.Stage(alert) is { } stage && AlertIdentity.EndsOutage(stage);

    public static bool OpensNothing(Alert alert, Runbook runbook) =>
        Is(alert) && !runbook.Trigger.Any(trigger =>
            s_labels.Any(trigger.Labels.ContainsKey) && RunbookMatcher.Match(alert with { Runbook = null }, [runbook with { Trigger = [trigger] }]).Runbooks.Count > 0);
}
