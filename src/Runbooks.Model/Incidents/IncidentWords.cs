namespace Runbooks.Model.Incidents;

/// <summary>The words for a state and for a target, the same on every page and card.</summary>
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

    /// <summary>An Azure resource by its name: its id is too long to be read. Any other target as it is.</summary>
    public static string Target(string target) => IsResourceId(target) ? target[(target.LastIndexOf('/') + 1)..] : target;

    private static bool IsResourceId(string target) =>
        target.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase)
        && target.Contains("/providers/", StringComparison.OrdinalIgnoreCase)
        && !target.EndsWith('/');
}
