using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Web.Pages;

/// <summary>What the approval page shows to one recipient.</summary>
/// <param name="Result">What became of the decision that was just sent; null when the page was only opened.</param>
public sealed record ApprovalModel(Incident Incident, Gate Gate, Runbook Runbook, string Recipient, DecisionResult? Result, DateTimeOffset Now)
{
    public bool CanDecide => Gate.Outcome == GateOutcome.Pending && Now < Gate.ExpiresAt && !Incident.State.IsFinal() && Result is null or { Status: DecisionStatus.MoreNeeded or DecisionStatus.HeldBack };

    /// <summary>What keeps the question from being carried out at the moment.</summary>
    public IReadOnlyList<string> Guards { get; init; } = [];

    public bool DryRun => Incident.Mode == RunMode.DryRun;

    public bool Good => Result?.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;

    /// <summary>One line about how things stand; null while the question is simply open.</summary>
    public string? Notice => Result?.Message ?? (CanDecide ? null : GateText.Late(Gate, Now));
}

/// <param name="Filter">What the reader asked for, as it stands in the address.</param>
/// <param name="More">The address of the next page; null at the end.</param>
public sealed record ConsoleModel(
    IReadOnlyList<IncidentSummary> Open,
    IReadOnlyList<IncidentSummary> Closed,
    ConsoleFilter Filter,
    IReadOnlyList<string> Runbooks,
    string? More,
    string TryThis,
    DateTimeOffset Now)
{
    /// <summary>What keeps runbooks from acting at the moment: the kill switch, open breakers.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Ended with something for a person to do that nobody has acknowledged; whatever the filter is.</summary>
    public IReadOnlyList<IncidentSummary> NeedsPerson { get; init; } = [];

    /// <summary>What the automation has changed and could take back.</summary>
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    public Visitor Visitor { get; init; } = new(null, null);

    /// <summary>Whether anything is open or owned by a responder, whatever the filter is.</summary>
    public bool AnyOpen { get; init; }

    public int Waiting => Open.Count(item => item.State == IncidentState.AwaitingApproval);
}

/// <param name="State">A state's word, <c>open</c> or <c>final</c>; null for everything.</param>
public sealed record ConsoleFilter(string? State, string? Runbook, string? After)
{
    public bool IsEmpty => State is null && Runbook is null && After is null;

    internal static string Address(string? state, string? runbook, string? after)
    {
        var parts = new[] { ("state", state), ("runbook", runbook), ("after", after) }
            .Where(part => part.Item2 is not null)
            .Select(part => $"{part.Item1}={Uri.EscapeDataString(part.Item2!)}")
            .ToList();
        return parts.Count == 0 ? "/" : $"/?{string.Join('&', parts)}";
    }
}

/// <summary>What the page about safety shows.</summary>
public sealed record SafetyModel(RunMode Mode, KillSwitchState KillSwitch, IReadOnlyList<(string Title, RunbookReport Report)> Runbooks, DateTimeOffset Now)
{
    /// <summary>What the automation has changed and could take back.</summary>
    public IReadOnlyList<IncidentSummary> Changes { get; init; } = [];

    public string ModeWords => Mode switch
    {
        RunMode.DryRun => "Dry run: nothing outside is touched, whatever runbooks and people say.",
        RunMode.ApproveAll => "A person says yes to everything, also to runbooks that heal by themselves.",
        _ => "Normal: each runbook's own mode counts.",
    };
}
