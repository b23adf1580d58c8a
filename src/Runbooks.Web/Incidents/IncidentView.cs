using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Incidents;

/// <summary>An incident as the API shows it. What only the workflow needs (undo states, wake-ups) is not in it.</summary>
public sealed record IncidentView
{
    public required string Id { get; init; }
    public required string Runbook { get; init; }
    public required string RunbookVersion { get; init; }
    public required string Title { get; init; }
    public required string Target { get; init; }
    public required IncidentState State { get; init; }
    public required bool Final { get; init; }
    public required string? Reason { get; init; }
    public required RunMode Mode { get; init; }
    public required string? StartedBy { get; init; }
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required DateTimeOffset? ClosedAt { get; init; }
    public required DateTimeOffset? AlertResolvedAt { get; init; }

    /// <summary>The alert that opened it.</summary>
    public required AlertView Alert { get; init; }
    public required int AlertCount { get; init; }
    public required IReadOnlyList<AttachedAlert> Alerts { get; init; }
    public required IReadOnlyList<FindingView> Findings { get; init; }
    public required IReadOnlyList<FindingView> Verification { get; init; }

    /// <summary>Every look after the mitigation, equal rounds counted together.</summary>
    public required IReadOnlyList<Look> Looks { get; init; }

    /// <summary>The question that is open, or the last one that was; null before the first.</summary>
    public required GateView? Gate { get; init; }
    public required IReadOnlyList<GateView> Gates { get; init; }
    public required IReadOnlyList<StepView> Steps { get; init; }
    public required StopRequest? Stop { get; init; }
    public required IReadOnlyList<Delivery> Deliveries { get; init; }
    public required IReadOnlyList<TimelineEntry> Timeline { get; init; }

    public static IncidentView Of(Incident incident) => new()
    {
        Id = incident.Id,
        Runbook = incident.RunbookId,
        RunbookVersion = incident.RunbookHash,
        Title = incident.Title,
        Target = incident.Target,
        State = incident.State,
        Final = incident.State.IsFinal(),
        Reason = incident.Reason,
        Mode = incident.Mode,
        StartedBy = incident.StartedBy,
        OpenedAt = incident.OpenedAt,
        UpdatedAt = incident.UpdatedAt,
        ClosedAt = incident.ClosedAt,
        AlertResolvedAt = incident.AlertResolvedAt,
        Alert = AlertView.Of(incident.Alert),
        AlertCount = incident.AlertCount,
        Alerts = incident.Alerts,
        Findings = [.. incident.Findings.Select(FindingView.Of)],
        Verification = [.. incident.Verification.Select(FindingView.Of)],
        Looks = incident.Looks,
        Gate = (incident.OpenGate ?? incident.LatestGate) is { } gate ? GateView.Of(gate) : null,
        Gates = [.. incident.Gates.Select(GateView.Of)],
        Steps = [.. incident.Steps.Select(StepView.Of)],
        Stop = incident.Stop,
        Deliveries = incident.Deliveries,
        Timeline = incident.Timeline,
    };
}

public sealed record FindingView(
    string Name, string Ask, Verdict Verdict, string Summary, string? Value, string? Threshold, string? Unit,
    IReadOnlyList<double> Series, string? Link, DateTimeOffset At, double TookSeconds)
{
    public static FindingView Of(Finding finding) => new(
        finding.Name, finding.Ask, finding.Verdict, finding.Result.Summary, finding.Result.Value, finding.Result.Threshold,
        finding.Result.Unit, finding.Result.Series, Words.SafeLink(finding.Result.Link), finding.At, finding.Took.TotalSeconds);
}

public sealed record StepView(
    Phase Phase, string Name, string Action, StepStatus Status, StepStatus? UndoneFrom, int Attempts, string Will, string? Undo,
    DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string? Outcome,
    IReadOnlyDictionary<string, string> Outputs, IReadOnlyList<string> Evidence)
{
    public static StepView Of(StepRecord step) => new(
        step.Phase, step.Name, step.Action, step.Status, step.UndoneFrom, step.Attempts, step.Preparation.Will, step.Preparation.Undo,
        step.StartedAt, step.FinishedAt, step.Outcome, step.Outputs, step.Evidence);
}
