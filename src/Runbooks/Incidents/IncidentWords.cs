namespace Runbooks.Incidents;

/// <summary>The words for a state, the same on every page and card.</summary>
public static class IncidentWords
{
    public static string Of(IncidentState state) => state switch
    {
        IncidentState.Diagnosing => "Diagnosing",
        IncidentState.AwaitingApproval => "Waiting for approval",
        IncidentState.Mitigating => "Mitigating",
        IncidentState.Verifying => "Verifying the fix",
        IncidentState.Holding => "Holding a temporary fix",
        IncidentState.Resolving => "Resolving",
        IncidentState.Resolved => "Resolved",
        IncidentState.NotNeeded => "Nothing to do",
        IncidentState.SelfRecovered => "Recovered by itself",
        IncidentState.Rejected => "Rejected",
        IncidentState.Expired => "Nobody answered",
        IncidentState.TakenOver => "Taken over by a person",
        IncidentState.Cancelled => "Cancelled",
        IncidentState.Failed => "Failed",
        _ => state.ToString(),
    };
}
