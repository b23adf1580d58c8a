using System.Text.Json.Serialization;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Web.Incidents;

public sealed record GateView(
    string Id,
    Phase Phase,
    int Round,
    string Question,
    GateOutcome Outcome,
    IReadOnlyList<PlannedStepView> Plan,
    string PlanHash,
    string? Blocker,
    string? Difference,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Overrules,
    IReadOnlyList<string> Approvers,
    int Required,
    string? OwnerTeam,
    DateTimeOffset OpenedAt,
    DateTimeOffset ExpiresAt,
    string? IfNobodyAnswers,
    IReadOnlyList<DecisionView> Decisions,
    DateTimeOffset? ClosedAt,
    string? ClosedBy)
{
    /// <summary>What a person is asked to do by hand; null where the question is about steps.</summary>
    public ManualTask? Task { get; init; }

    /// <summary>How many have to approve, who has, and who may not; null where one of those who were asked is enough.</summary>
    public string? Needed { get; init; }

    /// <inheritdoc cref="Gate.TrackRecord"/>
    public string? TrackRecord { get; init; }

    /// <summary>For each approver that is a schedule: who was on call, and from where that is known.</summary>
    public IReadOnlyList<OnCallView> OnCall { get; init; } = [];

    public static GateView Of(Gate gate, IReadOnlyList<string> heldBack) => new(
        gate.Id,
        gate.Phase,
        gate.Round,
        gate.Question,
        gate.Outcome,
        [.. gate.Plan.Steps.Select(PlannedStepView.Of)],
        gate.Plan.Hash,
        gate.Plan.Blocker,
        gate.Difference,
        gate.AllWarnings,
        gate.Overrules,
        gate.Approvers,
        gate.Required,
        gate.OwnerTeam,
        gate.OpenedAt,
        gate.ExpiresAt,
        gate.Outcome == GateOutcome.Pending ? GateText.Silence(gate, heldBack) : null,
        [.. gate.Decisions.Select(DecisionView.Of)],
        gate.ClosedAt,
        gate.ClosedBy)
    {
        Task = gate.Task,
        Needed = gate.Outcome == GateOutcome.Pending ? GateText.Quorum(gate) : null,
        TrackRecord = gate.TrackRecord,
        OnCall = [.. gate.OnCall.Select(OnCallView.Of)],
    };
}

/// <param name="Contact">The approver that is a schedule.</param>
/// <param name="Until">When the shift ends; null where that is not known.</param>
/// <param name="At">When the schedule was asked.</param>
public sealed record OnCallView(
    string Contact, IReadOnlyList<string> People, OnCallFrom From, string Source, DateTimeOffset? Until, string Words, DateTimeOffset At)
{
    public static OnCallView Of(OnCallRecord record) =>
        new(record.Contact, record.People, record.From, record.Source, record.Until, record.Words, record.At);
}

public sealed record PlannedStepView(
    Phase Phase,
    string Name,
    string Action,
    JsonElement Parameters,
    [property: JsonPropertyName("will")] string PlannedEffect,
    string? Undo,
    string? Identity,
    bool Deferred)
{
    public static PlannedStepView Of(PlannedStep step) => new(
        step.Phase, step.Name, step.Action, step.Parameters, step.PlannedEffect, step.Undo, step.Identity, step.Deferred);
}

/// <param name="By">As far as the way it came proves it.</param>
/// <param name="Identity">Tenant and object id of the person who signed in to decide.</param>
public sealed record DecisionView(DecisionVerb Decision, string By, string Via, DateTimeOffset At, string? Reason, string? Identity)
{
    /// <summary>The checklist items that it ticked, counted from 1; null where it named none.</summary>
    public IReadOnlyList<int>? Items { get; init; }

    public static DecisionView Of(Decision decision) =>
        new(decision.Verb, decision.Person, decision.Via, decision.At, decision.Reason, decision.Identity) { Items = decision.Items };
}

/// <summary>An alert in our own format. Text that looked like a secret was hidden when it was read.</summary>
public sealed record AlertView(
    string Source,
    string Name,
    string? Severity,
    string? Summary,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations,
    string Fingerprint,
    string? Link,
    string? Runbook,
    DateTimeOffset? StartsAt)
{
    public static AlertView Of(Alert alert) => new(
        alert.Source,
        alert.Name,
        alert.Severity,
        alert.Summary,
        alert.Labels,
        alert.Annotations,
        alert.Fingerprint,
        DisplayText.SafeLink(alert.Link),
        alert.Runbook,
        alert.StartsAt);
}

public sealed record AttachedAlertView(
    string Fingerprint,
    string Source,
    string Name,
    int Count,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    bool Resolved,
    string? EndedBecause,
    DateTimeOffset? StartsAt,
    DateTimeOffset? EndsAt,
    string? Severity,
    string? Summary,
    IReadOnlyDictionary<string, string> Labels,
    string? Link)
{
    /// <param name="opener">The alert that opened the incident, whose text is on record there.</param>
    public static AttachedAlertView Of(AttachedAlert attached, Alert opener)
    {
        var view = (attached.Alert ?? (attached.Is(opener) ? opener : null)) is { } alert ? AlertView.Of(alert) : null;
        return new(
            attached.Fingerprint,
            attached.Source,
            attached.Name,
            attached.Count,
            attached.FirstAt,
            attached.LastAt,
            attached.Resolved,
            attached.EndedBecause,
            attached.StartsAt,
            attached.EndsAt,
            view?.Severity,
            view?.Summary,
            view?.Labels ?? new Dictionary<string, string>(),
            view?.Link);
    }
}

/// <param name="Complete">Whether these and the listed ones are all that came.</param>
public sealed record UnlistedAlertsView(int Count, int Firing, bool Complete)
{
    public static UnlistedAlertsView? Of(Incident incident) => incident.UnlistedLines().Count == 0
        ? null
        : new(incident.Unlisted.Count, incident.UnlistedFiring, !incident.HasUnknownAlerts);
}

/// <param name="LongestSeconds">Of the episodes that have ended; null before the first has.</param>
public sealed record RecurrenceView(
    string Source, string Name, int Times, DateTimeOffset Since, DateTimeOffset LastAt, double? LongestSeconds)
{
    public static RecurrenceView Of(Recurrence known) =>
        new(known.Source, known.Name, known.Times, known.Since, known.LastAt, known.Longest?.TotalSeconds);
}
