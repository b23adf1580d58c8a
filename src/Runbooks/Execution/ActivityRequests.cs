using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Execution;

public sealed record CheckRequest(string IncidentId, string Check);

public sealed record StepRequest(string IncidentId, Phase Phase, string Step, string GateId);

/// <param name="Message">What happened, in words; the difference when the plan no longer holds.</param>
public sealed record StepReport(StepEnd End, string Message);

public enum StepEnd
{
    Done,

    /// <summary>The world is no longer what was shown; nothing ran.</summary>
    PlanChanged,

    /// <summary>A guardrail says no; nothing ran.</summary>
    Refused,

    /// <summary>A person stopped the incident; nothing ran.</summary>
    Stopped,
    Failed,

    /// <summary>It cannot be repeated, and whether it happened is not known.</summary>
    Unknown,
}

/// <param name="State">The state to show while looking: verifying, holding, or resolved in the settle window.</param>
public sealed record LookRequest(string IncidentId, IncidentState State, IReadOnlyList<string> Checks, string WakeEvent);

/// <param name="Summary">What is not healthy, in words; empty when all is.</param>
/// <param name="StoppedBy">Not null once a person stopped the incident.</param>
public sealed record LookReport(bool Healthy, string Summary, string? StoppedBy);

/// <param name="Why">The reason, for the record.</param>
public sealed record UndoRequest(string IncidentId, string Why);

/// <param name="Complete">False when something that should have been undone was not.</param>
/// <param name="Message">What was undone and what was not, in words; empty when there was nothing to undo.</param>
public sealed record UndoReport(bool Complete, string Message);
