namespace Runbooks.Integrations.Azure.Routing;

/// <summary>One way that traffic can take: an endpoint, an origin.</summary>
/// <param name="Healthy">Whether it is known to be healthy.</param>
/// <param name="Health">In words, to complete "it is …".</param>
internal sealed record Route(string Id, string Name, RouteSetting Now, bool Healthy, string Health);

/// <summary>How much traffic a route is meant to get.</summary>
internal sealed record RouteSetting(bool Enabled, int? Weight)
{
    public override string ToString() => $"{(Enabled ? "enabled" : "disabled")}{(Weight is null ? "" : FormattableString.Invariant($", weight {Weight}"))}";
}

/// <summary>A change of one route that can be taken back.</summary>
/// <param name="Group">What the routes belong to: a profile, an origin group.</param>
internal sealed record RouteChange(string Group, string Id, string Name, RouteSetting Before, RouteSetting After);
