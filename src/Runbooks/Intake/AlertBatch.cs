using System.Security.Cryptography;
using System.Text;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>Alerts of one post on the same runbook and target, in the post's order, all firing or all resolved.</summary>
/// <param name="Places">Where the answer to each of them goes.</param>
internal sealed record AlertBatch(Runbook Runbook, string Target, IReadOnlyList<Alert> Alerts, IReadOnlyList<int> Places)
{
    public string? StartedBy { get; init; }

    public Alert First => Alerts[0];

    public bool Resolved => First.Status == AlertStatus.Resolved;

    /// <summary>The incident that these alerts open when there is none to fold into.</summary>
    public Incident Candidate(RunMode system, DateTimeOffset now)
    {
        var empty = new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = Runbook.Id,
            RunbookHash = Runbook.Hash,
            Title = Runbook.Title,
            Target = Target,
            Alert = First,
            StartedBy = StartedBy,
            Mode = RunModes.Stricter(Runbook.Mode, system),
            OpenedAt = now,
            UpdatedAt = now,
        };
        var opened = empty.Note(now, TimelineKind.Opened, StartedBy ?? First.Source, First.Summary is { Length: > 0 } summary ? $"{First.Name}: {summary}" : First.Name);
        return AttachTo(opened, now);
    }

    public Incident AttachTo(Incident incident, DateTimeOffset now) =>
        Alerts.Aggregate(incident, (changed, alert) => changed.Attach(alert, now));

    public IntakeOutcome Answer(IntakeResult result, string? id, string? reason) => new(id, Runbook.Id, Target, result, reason);
}

/// <summary>
/// Sorts a post into what may be taken in side by side: one queue per runbook and target, each in the post's order, so
/// that an alert and its own end in the same post do not overtake each other.
/// </summary>
internal sealed class AlertBatcher(IReadOnlyCollection<Runbook> runbooks)
{
    private readonly Dictionary<(string Runbook, string Target), List<AlertBatch>> _queues = [];

    public IReadOnlyCollection<IReadOnlyList<AlertBatch>> Queues => _queues.Values;

    /// <summary>Alerts that no runbook is for, with the reason.</summary>
    public List<(int Place, Alert Alert, string Reason)> Unmatched { get; } = [];

    /// <summary>How many answers there will be.</summary>
    public int Places { get; private set; }

    public AlertBatcher Add(IEnumerable<Alert> alerts)
    {
        foreach (var alert in alerts)
        {
            var match = RunbookMatcher.Match(alert, runbooks);
            if (match.Runbooks.Count == 0)
            {
                Unmatched.Add((Places++, alert, match.Reason ?? "No runbook is triggered by it."));
            }

            foreach (var runbook in match.Runbooks)
            {
                Enqueue(runbook, alert, Places++);
            }
        }

        return this;
    }

    private void Enqueue(Runbook runbook, Alert alert, int place)
    {
        var target = IncidentTarget.Of(runbook, alert);
        if (!_queues.TryGetValue((runbook.Id, target), out var queue))
        {
            _queues[(runbook.Id, target)] = queue = [];
        }

        if (queue.Count > 0 && queue[^1] is var last && last.First.Status == alert.Status)
        {
            queue[^1] = last with { Alerts = [.. last.Alerts, alert], Places = [.. last.Places, place] };
            return;
        }

        queue.Add(new AlertBatch(runbook, target, [alert], [place]));
    }
}

/// <summary>What an incident is about: the runbook's target template, filled from the alert.</summary>
internal static class IncidentTarget
{
    /// <summary>Stores keep the target in a key, and keys have an end.</summary>
    public const int MaxLength = 300;

    /// <summary>A label that the alert lacks becomes <c>?</c>: an alert that says too little still reaches a person.</summary>
    public static string Of(Runbook runbook, Alert alert) =>
        Bound(Template.RenderLenient(runbook.Target, new TemplateScope { Alert = alert }));

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
