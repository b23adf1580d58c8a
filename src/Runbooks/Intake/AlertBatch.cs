using System.Security.Cryptography;
using System.Text;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>What alerts want of the incident on their target.</summary>
internal enum AlertIntent
{
    /// <summary>They open one when there is none.</summary>
    Fire,

    /// <summary>They say that it is over.</summary>
    Resolve,

    /// <summary>They say that a person at the sender has seen it.</summary>
    Acknowledge,

    /// <summary>They tell of an outage that is reported already, and open nothing.</summary>
    Tell,
}

/// <summary>Alerts of one post on the same runbook and target, in the post's order, all of one intent.</summary>
/// <param name="Places">Where the answer to each of them goes.</param>
internal sealed record AlertBatch(string RunbookId, string Target, AlertIntent Intent, IReadOnlyList<Alert> Alerts, IReadOnlyList<int> Places)
{
    /// <summary>What an incident is opened with; null where none may be opened.</summary>
    public Runbook? Runbook { get; init; }

    /// <summary>Ended incidents of this runbook that know one of the alerts, newest first: a person may have said no to one.</summary>
    public IReadOnlyList<string> Ended { get; init; } = [];

    public string? StartedBy { get; init; }

    /// <summary>The incident that these alerts open goes no further than this by itself.</summary>
    public RunMode AtLeast { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the post; null where it had none.</summary>
    public string? TraceParent { get; init; }

    public Alert First => Alerts[0];

    public string TargetKey => Model.Alerts.TargetKey.Of(Target, First);

    /// <summary>The incident that these alerts open when there is none to fold into.</summary>
    public Incident Candidate(Runbook runbook, RunMode system, DateTimeOffset now)
    {
        var empty = new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = runbook.Id,
            RunbookHash = runbook.Hash,
            Publication = runbook.Publication,
            Team = runbook.Team.Length > 0 ? runbook.Team : null,
            Title = runbook.Title,
            Target = Target,
            Alert = First,
            StartedBy = StartedBy,
            Severity = runbook.Impact.Severity,
            Mode = RunModes.Stricter(AtLeast, RunModes.Stricter(runbook.Mode, system)),
            TraceParent = IncidentTrace.Read(TraceParent),
            OpenedAt = now,
            UpdatedAt = now,
        };
        var opened = empty.Note(now, TimelineKind.Opened, StartedBy ?? First.Source, First.Summary is { Length: > 0 } summary ? $"{First.Name}: {summary}" : First.Name);
        return AttachTo(opened, now);
    }

    public Incident AttachTo(Incident incident, DateTimeOffset now) =>
        Alerts.Aggregate(incident, (changed, alert) => changed.Attach(alert, now));

    public IntakeOutcome Answer(IntakeResult result, string? id, string? reason) => new(id, RunbookId, Target, result, reason);
}

/// <summary>What an incident is about: the runbook's target template, filled from the alert.</summary>
internal static class IncidentTarget
{
    /// <summary>Stores keep the target in a key, and keys have an end.</summary>
    public const int MaxLength = 300;

    /// <summary>
    /// A label that the alert lacks becomes <c>?</c>: an alert that says too little still reaches a person. Its own name and
    /// identity then stand beside it, because two alerts are not about the same thing for lacking the same label.
    /// </summary>
    public static string Of(Runbook runbook, Alert alert)
    {
        var template = Template.Parse(runbook.Target);
        var scope = new TemplateScope { Alert = alert };
        var target = template.RenderLenient(scope).Trim();
        var missing = template.Placeholders.Where(placeholder => scope.Find(placeholder) is null).Select(placeholder => placeholder.Path).Distinct().ToList();
        if (missing.Count == 0)
        {
            return Bound(target);
        }

        var what = $"{RuleOf(alert)}, without {string.Join(" and ", missing)}, alert {IdentityOf(alert)}";
        return Bound(target is "" or "?" ? what : $"{target} ({what})");
    }

    /// <summary>Grafana's own alerts, such as DatasourceNoData, name the rule that they are about in labels.</summary>
    private static string RuleOf(Alert alert) => alert.Labels.TryGetValue("rulename", out var rule)
        ? $"{rule}{(alert.Labels.TryGetValue("ref_id", out var query) ? $" {query}" : "")} ({alert.Name})"
        : alert.Name;

    /// <summary>Azure Monitor gives every firing another identity: there it is the labels that tell one alert from another.</summary>
    private static string IdentityOf(Alert alert)
    {
        var labels = alert.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key.Length}:{label.Key}={label.Value.Length}:{label.Value}");
        var identity = alert.Resources.Count > 0 ? $"{alert.Name}\n{string.Join('\n', labels)}" : alert.Fingerprint;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, 6));
    }

    internal static string Bound(string target)
    {
        var text = target.Trim();
        if (text.Length == 0)
        {
            return "?";
        }

        // The hash keeps two long targets apart that differ only behind the cut.
        return text.Length <= MaxLength
            ? text
            : $"{Clip.To(text, MaxLength - 17)} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8))}";
    }
}

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
