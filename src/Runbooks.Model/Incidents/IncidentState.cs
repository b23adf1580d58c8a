namespace Runbooks.Model.Incidents;

/// <summary>Where an incident stands. Written in camelCase outside.</summary>
public enum IncidentState
{
    Diagnosing,
    AwaitingApproval,
    Mitigating,
    Verifying,

    /// <summary>A temporary mitigation is in place and is reverted when the cause is gone.</summary>
    Holding,
    Resolving,

    /// <summary>The fix was verified and the resolution ran.</summary>
    Resolved,

    /// <summary>Diagnosis found nothing wrong.</summary>
    NotNeeded,

    /// <summary>The sender resolved the alert before anybody had to decide.</summary>
    SelfRecovered,

    Rejected,

    /// <summary>Nobody answered in time.</summary>
    Expired,

    /// <summary>A person drives; the automation stopped.</summary>
    TakenOver,

    Cancelled,

    /// <summary>The automation could not do it, and a person was paged.</summary>
    Failed,
}

public static class IncidentStates
{
    public static bool IsFinal(this IncidentState state) => state >= IncidentState.Resolved;
}
