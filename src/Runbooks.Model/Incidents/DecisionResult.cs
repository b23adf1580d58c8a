namespace Runbooks.Model.Incidents;

/// <summary>What became of a decision.</summary>
/// <param name="Message">In words, for the person who decided: who decided, what and when.</param>
public sealed record DecisionResult(DecisionStatus Status, string Message);

public enum DecisionStatus
{
    /// <summary>Recorded, and it settled the gate.</summary>
    Decided,

    /// <summary>Recorded; more people have to approve.</summary>
    MoreNeeded,

    /// <summary>Somebody else, or time, was first.</summary>
    AlreadyClosed,

    /// <summary>This person has approved before; a quorum counts people, not clicks.</summary>
    AlreadyCounted,

    /// <summary>The plan changed since it was shown to this person.</summary>
    PlanChanged,

    /// <summary>This person may not decide.</summary>
    NotAllowed,

    /// <summary>No such incident or gate.</summary>
    NotFound,
}
