using System.Security.Cryptography;
using System.Text;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
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
