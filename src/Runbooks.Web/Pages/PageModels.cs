using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Access;

namespace Runbooks.Web.Pages;

/// <summary>What the approval page shows to one recipient.</summary>
/// <param name="Result">What became of the decision that was just sent; null when the page was only opened.</param>
public sealed record ApprovalModel(Incident Incident, Gate Gate, Runbook Runbook, string Recipient, DecisionResult? Result, DateTimeOffset Now)
{
    public bool CanDecide => Gate.Outcome == GateOutcome.Pending && Now < Gate.ExpiresAt && !Incident.State.IsFinal() && (Result is null or { Status: DecisionStatus.MoreNeeded or DecisionStatus.HeldBack or DecisionStatus.Incomplete } || (Gate.Task is not null && Result.Status == DecisionStatus.AlreadyCounted) || (NeedsName && Result.Status == DecisionStatus.NotAllowed));

    /// <summary>The link is a room's, and a person has to say it.</summary>
    public bool NeedsName { get; init; }

    /// <summary>What keeps the question from being carried out at the moment.</summary>
    public IReadOnlyList<string> Guards { get; init; } = [];

    public bool DryRun => Incident.Mode == RunMode.DryRun;

    public bool Good => Result?.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;

    /// <summary>One line about how things stand; null while the question is simply open.</summary>
    public string? Notice => Result?.Message ?? (CanDecide ? null : GateText.Late(Gate, Now));
}

/// <summary>What the report about an incident shows.</summary>
/// <param name="Impact">As its runbook says; null when that is no longer kept.</param>
public sealed record ReportModel(Incident Incident, Impact? Impact, DateTimeOffset Now);

/// <summary>What the page about safety shows.</summary>
public sealed record SafetyModel(RunMode Mode, KillSwitchState KillSwitch, IReadOnlyList<(string Title, RunbookReport Report)> Runbooks, DateTimeOffset Now)
{
    /// <summary>What the automation has changed and could take back.</summary>
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    /// <summary>Of each contact that is a schedule: who would be asked now.</summary>
    public IReadOnlyList<OnCallRecord> OnCall { get; init; } = [];

    /// <summary>Who wanted what without the role for it, the latest first.</summary>
    public IReadOnlyList<RefusedRequest> Refused { get; init; } = [];

    public string ModeWords => Mode switch
    {
        RunMode.DryRun => "Dry run: nothing outside is touched, whatever runbooks and people say.",
        RunMode.ApproveAll => "A person says yes to everything, also to runbooks that heal by themselves.",
        _ => "Normal: each runbook's own mode counts.",
    };
}
