namespace Runbooks.Model.Incidents;

/// <summary>Written in camelCase outside.</summary>
public enum IncidentState
{
    Diagnosing,
    AwaitingApproval,
    Mitigating,
    Verifying,

    /// <summary>A temporary mitigation is in place and is undone when the cause is gone.</summary>
    Holding,
    Resolving,

    /// <summary>The fix was verified and the resolution ran.</summary>
    Resolved,

    /// <summary>The diagnosis called for nothing.</summary>
    NotNeeded,

    /// <summary>The sender ended the alert before anything was done, and no check contradicts it.</summary>
    SelfRecovered,

    Rejected,

    /// <summary>Nobody answered in time.</summary>
    Expired,

    /// <summary>A responder owns it, and the automation has stopped.</summary>
    TakenOver,

    Cancelled,

    /// <summary>The automation could not do it, and a person was paged.</summary>
    Failed,
}

public static class IncidentStates
{
    public static bool IsFinal(this IncidentState state) => state >= IncidentState.Resolved;

    public static bool IsAtWork(this IncidentState state) =>
        state is IncidentState.Mitigating or IncidentState.Verifying or IncidentState.Holding or IncidentState.Resolving;
}

/// <summary>The same on every page and card.</summary>
public static class IncidentText
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
        IncidentState.Cancelled => "Stopped",
        IncidentState.Failed => "Failed",
        _ => state.ToString(),
    };

    /// <summary>An Azure resource by its name and its parents' names, because its id is too long to read.</summary>
    public static string Target(string target)
    {
        if (!IsResourceId(target))
        {
            return target;
        }

        // namespace/type/name/type/name …
        var path = target[(target.LastIndexOf(Providers, StringComparison.OrdinalIgnoreCase) + Providers.Length)..].Split('/');
        return path.Length >= 3 && path.Length % 2 == 1 ? string.Join('/', path.Where((_, at) => at > 0 && at % 2 == 0)) : path[^1];
    }

    private const string Providers = "/providers/";

    private static bool IsResourceId(string target) =>
        target.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase)
        && target.Contains(Providers, StringComparison.OrdinalIgnoreCase)
        && !target.EndsWith('/');
}
