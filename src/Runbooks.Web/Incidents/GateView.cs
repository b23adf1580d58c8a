using System.Text.Json.Serialization;
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
