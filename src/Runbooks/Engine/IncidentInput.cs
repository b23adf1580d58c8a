using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Engine;

/// <summary>What an incident's orchestration starts with. Kept in its history, so small and free of secrets.</summary>
/// <param name="Checkpoint">Where a new execution goes on that continues an older one; null for a new incident.</param>
public sealed record IncidentInput(string IncidentId, RunbookOutline Runbook, Checkpoint? Checkpoint = null)
{
    public static IncidentInput Of(string incidentId, Runbook runbook) => new(incidentId, RunbookOutline.Of(runbook));
}

/// <summary>How an incident's orchestration ended.</summary>
public sealed record IncidentOutcome(IncidentState State);

/// <summary>
/// What has passed when an execution is continued by a new one with an empty history. Long waits do that every
/// <see cref="IncidentStory.RoundsPerExecution"/> rounds: a lease of a week must not replay thousands of events at every wake-up.
/// </summary>
/// <param name="Stage">The part of the story that was under way.</param>
/// <param name="Waits">How many waits have had a name so far.</param>
/// <param name="GateId">The gate that covers the steps, or that is open.</param>
/// <param name="Round">How often the phase has asked, the open gate included.</param>
/// <param name="Began">When the stage began.</param>
/// <param name="HealthySince">Since when the checks of a lease have passed without a break.</param>
/// <param name="Pause">The pause after the last round of a lease.</param>
/// <param name="Paged">Whether somebody was told that the lease has outlived its time.</param>
public sealed record Checkpoint(
    Stage Stage,
    int Waits,
    string GateId,
    bool Acted,
    bool Verified,
    int Round,
    DateTimeOffset Began,
    DateTimeOffset? HealthySince = null,
    TimeSpan Pause = default,
    bool Paged = false);

/// <summary>The parts of the story in which an incident may wait long, in their order.</summary>
public enum Stage { Mitigation, Verification, Holding, Resolution, Settling }
