using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.Routing;

public sealed record TrafficManagerRerouteParameters : RerouteParameters
{
    [Required, ArmResourceId("Microsoft.Network/trafficManagerProfiles")]
    [Description("The Traffic Manager profile.")]
    public required string Profile { get; init; }
}

/// <summary>Takes traffic away from one endpoint of a Traffic Manager profile.</summary>
internal sealed class TrafficManagerReroute(ArmResources arm, ResourceLease lease) : RerouteAction<TrafficManagerRerouteParameters>(
    arm, lease, "trafficManager.reroute", "Disables an endpoint of a Traffic Manager profile, or lowers its weight, so that the others take its traffic.")
{
    public override string Role => "Traffic Manager Contributor";

    protected override string StateProperty => "endpointStatus";

    protected override string GroupOf(TrafficManagerRerouteParameters parameters) => parameters.Profile;

    protected override string Words(string group) => $"Traffic Manager {Target(group).Name}";

    protected override async Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken)
    {
        var profile = await Arm.GetAsync(Target(group), cancellationToken);
        var byPriority = profile.Text("trafficRoutingMethod") == "Priority";
        return [.. (profile.Properties["endpoints"] as JsonArray ?? []).OfType<JsonObject>().Select(endpoint => Read(group, endpoint, byPriority))];
    }

    protected override async Task<string?> CheckPermissionsAsync(TrafficManagerRerouteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var endpoint = RoutePlan.Find(await ReadAsync(parameters.Profile, context.Time, cancellationToken), parameters.From);
        return endpoint is null
            ? null
            : await Arm.CheckPermissionsAsync(Target(endpoint.Id), $"Microsoft.Network/trafficManagerProfiles/{KindOf(endpoint)}/write", cancellationToken);
    }

    /// <summary>Only one of the routing methods looks at weights, and two give each user one endpoint that no other takes the place of.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/traffic-manager/traffic-manager-routing-methods"/>
    /// <seealso href="https://learn.microsoft.com/azure/traffic-manager/traffic-manager-monitoring"/>
    protected override async Task<Spread> SpreadAsync(TrafficManagerRerouteParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken)
    {
        var profile = await Arm.GetAsync(Target(group), cancellationToken);
        var method = profile.Text("trafficRoutingMethod") ?? "unknown";
        var unprobed = routes.Where(route => route is { IsUnprobed: true, Now.Enabled: true } && !Is(route, parameters.From) && (parameters.To is null || Is(route, parameters.To))).Select(route => route.Name).ToList();
        return new(method switch
        {
            "Geographic" or "Subnet" => $"{Words(group)} has the routing method {method}: the users of '{parameters.From}' would get no answer, and not another endpoint. Make it an endpoint of a nested profile, and reroute in that one.",
            not "Weighted" when parameters.Weight is not null => $"{Words(group)} has the routing method {method}, which does not look at weights. Leave 'weight' out to disable '{parameters.From}', or give the profile the routing method Weighted.",
            _ => null,
        }, unprobed.Count == 0 ? "" : $" Whether {string.Join(" and ", unprobed)} is healthy is not probed (Always Serve).");

        static bool Is(Route route, string name) => route.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static Route Read(string profile, JsonObject endpoint, bool byPriority)
    {
        var (name, kind) = ((string)endpoint["name"]!, ((string)endpoint["type"]!).Split('/')[^1]);
        var properties = endpoint["properties"]!;
        var unprobed = (string?)properties["alwaysServe"] == "Enabled";
        var monitored = (string?)properties["endpointMonitorStatus"] ?? "unknown";
        return new Route(
            $"{profile}/{kind}/{name}",
            name,
            new RouteSetting((string?)properties["endpointStatus"] == "Enabled", (int?)properties["weight"]),
            // Probing is off for one that is always served, so it is called Unmonitored, and gets its share all the same.
            monitored == "Online" || unprobed,
            $"{monitored} by Traffic Manager's probes")
        {
            IsUnprobed = unprobed,
            Priority = byPriority ? (int?)properties["priority"] : null,
        };
    }

    /// <returns>azureEndpoints, externalEndpoints or nestedEndpoints.</returns>
    private static string KindOf(Route endpoint) => endpoint.Id.Split('/')[^2];

    protected override ArmTarget Target(string id) => new(id, "2022-04-01", Role);
}
