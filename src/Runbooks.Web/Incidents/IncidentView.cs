using System.Text.Json.Serialization;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Web.Incidents;

/// <summary>An incident as the API shows it, without what only the workflow needs (undo states, wake-ups).</summary>
public sealed record IncidentView
{
    public required string Id { get; init; }
    public required string Runbook { get; init; }
    public required string RunbookVersion { get; init; }

    /// <summary>The publication of that version; null where plain files were in force.</summary>
    public required Publication? Publication { get; init; }

    /// <summary>The runbook's team; null where it belongs to none.</summary>
    public required string? Team { get; init; }
    public required string Title { get; init; }
    public required string Target { get; init; }
    public required IncidentState State { get; init; }
    public required bool Final { get; init; }

    public required string Headline { get; init; }
    public required string? Reason { get; init; }

    /// <summary>What the end left to a person, and who looks after it; null where it left nothing.</summary>
    public required Attention? Attention { get; init; }

    /// <summary>
    /// The first line is what a person does next; the others are changes that are still in place. Empty while the automation goes on, and
    /// once it is over.
    /// </summary>
    public required IReadOnlyList<string> LeftToDo { get; init; }
    public required RunMode Mode { get; init; }
    public required string? StartedBy { get; init; }

    /// <inheritdoc cref="Incident.IsProposed"/>
    public bool Proposed { get; init; }

    /// <summary>The id of its spans where traces are collected.</summary>
    public required string TraceId { get; init; }

    /// <summary>The ended incident that was tried again as this one, and the incident as which this one was tried again.</summary>
    public required string? RetryOf { get; init; }
    public required string? RetriedAs { get; init; }
    public required ImpactSeverity? Severity { get; init; }
    public required DateTimeOffset OpenedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required DateTimeOffset? ClosedAt { get; init; }
    public required DateTimeOffset? AlertResolvedAt { get; init; }

    public required AlertView Alert { get; init; }
    public required int AlertCount { get; init; }
    public required IReadOnlyList<AttachedAlertView> Alerts { get; init; }

    /// <summary>The alerts that have no room in the list; null where all have.</summary>
    public required UnlistedAlertsView? UnlistedAlerts { get; init; }

    /// <summary>How often each alert came on this target, counted from the incidents before.</summary>
    public required IReadOnlyList<RecurrenceView> Recurrences { get; init; }

    /// <summary>The first incident of an alert that comes again and again; null for the first itself.</summary>
    public required string? ThreadOf { get; init; }

    /// <summary>The incident of another runbook that it waits or waited for.</summary>
    public required IncidentSuppression? SuppressedBy { get; init; }

    /// <summary>The incidents that wait, or waited, for this one to end.</summary>
    public required IReadOnlyList<string> Suppresses { get; init; }

    /// <summary>The incident about the alerts that still fired when this one ended.</summary>
    public required string? FollowedBy { get; init; }

    /// <summary>The incident at whose end this one was opened.</summary>
    public required string? FollowUpOf { get; init; }

    /// <summary>What was learnt since the question was asked, such as a sender's all-clear that the checks contradict.</summary>
    public required IReadOnlyList<NewsView> News { get; init; }
    public required IReadOnlyList<FindingView> Findings { get; init; }
    public required IReadOnlyList<FindingView> Verification { get; init; }

    /// <summary>Every round after the mitigation. Equal rounds are counted together.</summary>
    [JsonPropertyName("looks")]
    public required IReadOnlyList<VerificationRound> VerificationRounds { get; init; }

    /// <summary>The open question, or the last one; null before the first.</summary>
    public required GateView? Gate { get; init; }
    public required IReadOnlyList<GateView> Gates { get; init; }

    public required IReadOnlyList<string> HeldBack { get; init; }
    public required IReadOnlyList<StepView> Steps { get; init; }
    public required StopRequest? Stop { get; init; }
    public required IReadOnlyList<Delivery> Deliveries { get; init; }
    public required IReadOnlyList<TimelineEntry> Timeline { get; init; }

    public static IncidentView Of(Incident incident, IReadOnlyList<string> heldBack) => new()
    {
        Id = incident.Id,
        Runbook = incident.RunbookId,
        RunbookVersion = incident.RunbookHash,
        Publication = incident.Publication,
        Team = incident.Team,
        Title = incident.Title,
        Target = incident.Target,
        State = incident.State,
        Final = incident.State.IsFinal(),
        Headline = EndingText.Headline(incident),
        Reason = incident.Reason,
        Attention = incident.Attention,
        // The time of reading is not known here, so times are shown with their day.
        LeftToDo = incident.LeavesWork ? IncidentReport.NextSteps(incident, DateTimeOffset.MinValue) : [],
        Mode = incident.Mode,
        StartedBy = incident.StartedBy,
        Proposed = incident.IsProposed,
        TraceId = IncidentTrace.IdOf(incident).ToHexString(),
        RetryOf = incident.RetryOf,
        RetriedAs = incident.RetriedAs,
        Severity = incident.Severity,
        OpenedAt = incident.OpenedAt,
        UpdatedAt = incident.UpdatedAt,
        ClosedAt = incident.ClosedAt,
        AlertResolvedAt = incident.AlertResolvedAt,
        Alert = AlertView.Of(incident.Alert),
        AlertCount = incident.AlertCount,
        Alerts = [.. incident.Alerts.Select(alert => AttachedAlertView.Of(alert, incident.Alert))],
        UnlistedAlerts = UnlistedAlertsView.Of(incident),
        Recurrences = [.. incident.Recurrences.Select(RecurrenceView.Of)],
        ThreadOf = incident.ThreadOf,
        SuppressedBy = incident.SuppressedBy,
        Suppresses = incident.Suppresses,
        FollowedBy = incident.FollowedBy,
        FollowUpOf = incident.FollowUpOf,
        News = [.. incident.News.Select(news => new NewsView(news.At, news.Text))],
        Findings = [.. incident.Findings.Select(FindingView.Of)],
        Verification = [.. incident.Verification.Select(FindingView.Of)],
        VerificationRounds = incident.VerificationRounds,
        Gate = (incident.OpenGate ?? incident.LatestGate) is { } gate ? GateView.Of(gate, heldBack) : null,
        Gates = [.. incident.Gates.Select(each => GateView.Of(each, heldBack))],
        HeldBack = heldBack,
        Steps = [.. incident.Steps.Select(StepView.Of)],
        Stop = incident.Stop,
        Deliveries = incident.Deliveries,
        Timeline = incident.TimelineByTime(),
    };
}

public sealed record NewsView(DateTimeOffset At, string Text);

public sealed record FindingView(
    string Name,
    string Ask,
    Verdict Verdict,
    string Summary,
    string? Value,
    string? Threshold,
    string? Unit,
    IReadOnlyList<double> Series,
    string? Link,
    DateTimeOffset At,
    DateTimeOffset? MeasuredAt,
    double TookSeconds)
{
    /// <inheritdoc cref="CheckResult.Caveat"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Caveat { get; init; }

    /// <summary>The time of the first value of <see cref="Series"/>, which are evenly spaced; null where the source does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SeriesFrom { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SeriesUntil { get; init; }

    public static FindingView Of(Finding finding) => new(
        finding.Name,
        finding.Ask,
        finding.Verdict,
        finding.Result.Summary,
        finding.Result.Value,
        finding.Result.Threshold,
        finding.Result.Unit,
        finding.Result.Series,
        DisplayText.SafeLink(finding.Result.Link),
        finding.At,
        finding.Result.MeasuredAt,
        finding.Took.TotalSeconds)
    {
        Caveat = finding.Result.Caveat,
        SeriesFrom = finding.SeriesTime?.From,
        SeriesUntil = finding.SeriesTime?.Until,
    };
}

public sealed record StepView(
    Phase Phase,
    string Name,
    string Action,
    StepStatus Status,
    StepStatus? UndoneFrom,
    int Attempts,
    [property: JsonPropertyName("will")] string PlannedEffect,
    string? Undo,
    DateTimeOffset StartedAt,
    DateTimeOffset? FinishedAt,
    string? Outcome,
    IReadOnlyDictionary<string, string> Outputs,
    IReadOnlyList<string> Evidence)
{
    /// <summary>It failed before it had changed anything.</summary>
    public bool NothingDone { get; init; }

    public static StepView Of(StepRecord step) => new(
        step.Phase,
        step.Name,
        step.Action,
        step.Status,
        step.UndoneFrom,
        step.Attempts,
        step.Preparation.PlannedEffect,
        step.Preparation.Undo,
        step.StartedAt,
        step.FinishedAt,
        step.Outcome,
        step.Outputs,
        step.Evidence) { NothingDone = step.NothingDone };
}
