using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Incidents;

/// <summary>A gate as the API shows it.</summary>
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
    DateTimeOffset OpenedAt,
    DateTimeOffset ExpiresAt,
    string IfNobodyAnswers,
    IReadOnlyList<DecisionView> Decisions,
    DateTimeOffset? ClosedAt,
    string? ClosedBy)
{
    public static GateView Of(Gate gate) => new(
        gate.Id, gate.Phase, gate.Round, gate.Question, gate.Outcome, [.. gate.Plan.Steps.Select(PlannedStepView.Of)], gate.Plan.Hash,
        gate.Plan.Blocker, gate.Difference, gate.Warnings, gate.Overrules, gate.Approvers, gate.Required, gate.OpenedAt, gate.ExpiresAt,
        GateWords.Silence(gate), [.. gate.Decisions.Select(DecisionView.Of)], gate.ClosedAt, gate.ClosedBy);
}

public sealed record PlannedStepView(
    Phase Phase, string Name, string Action, JsonElement Parameters, string Will, string? Undo, string? Identity, bool Deferred)
{
    public static PlannedStepView Of(PlannedStep step) => new(
        step.Phase, step.Name, step.Action, step.Parameters, step.Will, step.Undo, step.Identity, step.Deferred);
}

/// <param name="By">Who, as proven by the way it came.</param>
public sealed record DecisionView(Verb Decision, string By, string Via, DateTimeOffset At, string? Reason)
{
    public static DecisionView Of(Decision decision) => new(decision.Verb, decision.Person, decision.Via, decision.At, decision.Reason);
}
