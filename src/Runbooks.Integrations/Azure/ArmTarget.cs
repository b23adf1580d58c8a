namespace Runbooks.Integrations.Azure;

/// <summary>A resource that something is asked of.</summary>
/// <param name="Id">As validated by the parameter's rule.</param>
/// <param name="Role">The role that allows it, for errors.</param>
internal sealed record ArmTarget(string Id, string ApiVersion, string Role)
{
    public string Name => Id[(Id.LastIndexOf('/') + 1)..];

    /// <summary>For people: <c>Traffic Manager assist</c>.</summary>
    public string Words => ResourceWords.Of(Id);

    public string PortalLink => $"https://portal.azure.com/#@/resource{Id}";
}
