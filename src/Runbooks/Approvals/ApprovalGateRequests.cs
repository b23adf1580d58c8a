namespace Runbooks.Approvals;

/// <param name="Findings">The answers to record; empty where they were recorded before.</param>
/// <param name="Unclear">Nothing failed, but something could not be answered: a person has to be asked in any case.</param>
/// <param name="Difference">Why the plan that was approved before no longer holds; null on the first round.</param>
/// <param name="WakeEvent">The event that the workflow waits for next.</param>
public sealed record OpenGateRequest(
    string IncidentId, Phase Phase, int Round, IReadOnlyList<Finding> Findings, bool Unclear, string? Difference, string WakeEvent)
{
    /// <summary>The step that a person is asked to do; null where the question is whether the phase may act.</summary>
    public string? Step { get; init; }

    /// <summary>They are asked to take it back.</summary>
    public bool Undoes { get; init; }
}

public sealed record ReviewGateRequest(string IncidentId, string GateId, string WakeEvent)
{
    /// <summary>The phase that runs at once when the answer is yes; null where nothing does.</summary>
    public Phase? Runs { get; init; }
}

/// <param name="NextReview">When something is due on a pending gate even if nobody answers.</param>
/// <param name="Reason">Why a closed gate did not end in approval.</param>
public sealed record GateStatus(string GateId, GateOutcome Outcome, DateTimeOffset NextReview, string? Reason)
{
    /// <inheritdoc cref="StepResult.TakesBack"/>
    public bool TakesBack { get; init; }

    /// <summary>How far its phase came, if it was approved and ran at once; null when nothing ran yet.</summary>
    public PhaseResult? Ran { get; init; }
}
