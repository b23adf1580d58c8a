using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Intake;

/// <summary>Alerts of one post on the same runbook and target, in the post's order, all firing or all resolved.</summary>
/// <param name="Places">Where the answer to each of them goes.</param>
internal sealed record Arrival(Runbook Runbook, string Target, IReadOnlyList<Alert> Alerts, IReadOnlyList<int> Places)
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
