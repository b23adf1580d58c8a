using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Pages;

/// <summary>What the approval page shows to one recipient.</summary>
/// <param name="Result">What became of the decision that was just sent; null when the page was only opened.</param>
public sealed record ApprovalModel(Incident Incident, Gate Gate, Runbook Runbook, string Recipient, DecisionResult? Result, DateTimeOffset Now)
{
    public bool CanDecide => Gate.Outcome == GateOutcome.Pending && Now < Gate.ExpiresAt && !Incident.State.IsFinal() && Result is null or { Status: DecisionStatus.MoreNeeded };

    public bool DryRun => Incident.Mode == RunMode.DryRun;

    public bool Good => Result?.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;

    /// <summary>One line about how things stand; null while the question is simply open.</summary>
    public string? Notice => Result?.Message ?? (CanDecide ? null : GateWords.Late(Gate, Now));

    /// <summary>Changes when the page would say something else.</summary>
    public string Version => $"{Gate.Outcome}-{Gate.Decisions.Count}-{Gate.Approvers.Count}-{Incident.State}-{Now >= Gate.ExpiresAt}";
}
