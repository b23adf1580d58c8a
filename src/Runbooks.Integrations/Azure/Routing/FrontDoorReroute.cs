using Runbooks.Integrations.Azure.Monitor;

namespace Runbooks.Integrations.Azure.Routing;

public sealed record FrontDoorRerouteParameters : RerouteParameters
{
    [Required, ArmResourceId("Microsoft.Cdn/profiles")]
    [Description("The Front Door profile (Standard or Premium).")]
    public required string Profile { get; init; }

    [Required, TextPattern("^[A-Za-z0-9][A-Za-z0-9-]{0,88}[A-Za-z0-9]$",
        "a name of 2 to 90 letters, digits and dashes, beginning and ending with a letter or digit")]
    [Description("The origin group that both origins belong to.")]
    public required string OriginGroup { get; init; }
}

internal sealed class FrontDoorReroute(ArmResources arm, ResourceLease lease, HeldValues held, AzureMetrics metrics)
    : RerouteAction<FrontDoorRerouteParameters>(
        arm,
        lease,
        held,
        "frontDoor.reroute",
        "Disables an origin of a Front Door origin group, or lowers its weight, so that the others take its traffic.")
{
    private const double HealthyFrom = 50;

    public override string Role => "CDN Profile Contributor, and Monitoring Reader for the health of the origins";

    protected override string StateProperty => "enabledState";

    protected override string GroupOf(FrontDoorRerouteParameters parameters) =>
        $"{parameters.Profile}/originGroups/{parameters.OriginGroup}";

    protected override string DisplayName(string group) => $"Front Door's origin group {Target(group).Name}";

    protected override async Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken)
    {
        // Without probes there is nothing to measure, and Front Door uses every origin that is enabled.
        if ((await Arm.GetAsync(Target(group), cancellationToken)).Properties["healthProbeSettings"] is null)
        {
            var settings = await ReadSettingsAsync(group, time, cancellationToken);
            return [.. settings.Select(origin => origin with { Healthy = true, IsUnprobed = true })];
        }

        // An origin that is not among them is of unknown health, and takes no traffic.
        var health = (await HealthAsync(group, time, cancellationToken)).Series;
        return [.. (await OriginsAsync(group, cancellationToken)).Select(origin => Read(group, origin, health, time.GetUtcNow()))];
    }

    protected override async Task<IReadOnlyList<Route>> ReadSettingsAsync(
        string group, TimeProvider time, CancellationToken cancellationToken) =>
        [.. (await OriginsAsync(group, cancellationToken)).Select(origin => Read(group, origin, [], time.GetUtcNow()))];

    protected override Task<string?> CheckPermissionsAsync(
        FrontDoorRerouteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Arm.CheckPermissionsAsync(
            Target($"{GroupOf(parameters)}/origins/{parameters.From}"), "Microsoft.Cdn/profiles/originGroups/origins/write", cancellationToken);

    private Task<IReadOnlyList<JsonObject>> OriginsAsync(string group, CancellationToken cancellationToken) =>
        Arm.ListAsync(Target($"{group}/origins"), cancellationToken);

    /// <summary>
    /// Front Door takes the healthy origins of the first priority, of those the ones that are nearly as fast as the fastest, and goes by
    /// weight only among them.
    /// </summary>
    /// <seealso href="https://learn.microsoft.com/azure/frontdoor/routing-methods"/>
    protected override async Task<Spread> SpreadAsync(
        FrontDoorRerouteParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken)
    {
        var unprobed = RoutePlan.Unprobed(routes, parameters, "the origin group has no health probes");
        if (parameters.Weight is null)
        {
            return new(null, unprobed);
        }

        var from = RoutePlan.Find(routes, parameters.From)!;
        var enabled = routes.Where(route => route.Id != from.Id && route.Now.Enabled && route.Priority == from.Priority).ToList();
        if (parameters.To is null ? !enabled.Exists(route => route.Healthy) : RoutePlan.Find(enabled, parameters.To) is null)
        {
            var who = parameters.To is not null
                ? $"'{parameters.To}' does not have"
                : $"no other {(enabled.Count == 0 ? "enabled" : "healthy")} one has";
            return new($"Front Door goes by weight only among origins of one priority, and {who} the priority {from.Priority} of "
                + $"'{from.Name}'. Leave 'weight' out to disable '{from.Name}', or give them one priority.");
        }

        var properties = (await Arm.GetAsync(Target(group), cancellationToken)).Properties;
        var latency = (int?)properties["loadBalancingSettings"]?["additionalLatencyInMilliseconds"];
        if (latency == 0)
        {
            return new($"{DisplayName(group)} has the latency sensitivity 0 ms, so everything goes to the fastest origin, "
                + $"whatever its weight. Leave 'weight' out to disable '{from.Name}', or give the group a latency sensitivity.");
        }

        var within = latency is null ? "the latency sensitivity" : $"{latency} ms";
        return new(null, $" Weights count only among origins whose latency is within {within} of the fastest one's.{unprobed}");
    }

    // The resource does not show whether an origin is healthy. Front Door's probes do, as a metric for each origin.
    private Task<MetricAnswer> HealthAsync(string group, TimeProvider time, CancellationToken cancellationToken) => metrics.ReadAsync(
        Target(group[..group.IndexOf("/originGroups/", StringComparison.OrdinalIgnoreCase)]),
        new MetricQuestion(
            "OriginHealthPercentage",
            MetricAggregation.Average,
            TimeSpan.FromMinutes(10),
            TimeSpan.FromMinutes(1),
            Filter: $"OriginGroup eq '{Target(group).Name}' and Origin eq '*'"),
        time,
        cancellationToken);

    private static Route Read(string group, JsonObject origin, IReadOnlyList<MetricSeries> health, DateTimeOffset now)
    {
        var (name, properties) = ((string)origin["name"]!, origin["properties"]!);
        var host = (string?)properties["hostName"] ?? name;
        // The metric names the origin by its host, followed by the port.
        var seen = health.FirstOrDefault(series =>
            series.Dimensions.GetValueOrDefault("Origin") is { } measured
                && measured.Split(':')[0].Equals(host, StringComparison.OrdinalIgnoreCase));
        var (share, isStale) = (seen?.Points[^1].Value, seen?.IsStaleAt(now) == true);
        return new Route(
            $"{group}/origins/{name}",
            name,
            new RouteSetting((string?)properties["enabledState"] == "Enabled", (int?)properties["weight"]),
            share >= HealthyFrom && !isStale,
            share is null ? "of unknown health"
                : isStale ? $"of unknown health: Front Door has told nothing of it for {Measurement.Age(seen!.AgeAt(now))}"
                : $"healthy by only {NumberText.Format(share.Value)} % of Front Door's probes")
        {
            Priority = (int?)properties["priority"],
            Delay = FrontDoorText.Delay,
        };
    }

    protected override ArmTarget Target(string id) => new(id, "2025-04-15", Role);
}

public sealed record TrafficManagerRerouteParameters : RerouteParameters
{
    [Required, ArmResourceId("Microsoft.Network/trafficManagerProfiles")]
    [Description("The Traffic Manager profile.")]
    public required string Profile { get; init; }
}

internal sealed class TrafficManagerReroute(ArmResources arm, ResourceLease lease, HeldValues held)
    : RerouteAction<TrafficManagerRerouteParameters>(
        arm,
        lease,
        held,
        "trafficManager.reroute",
        "Disables an endpoint of a Traffic Manager profile, or lowers its weight, so that the others take its traffic.")
{
    public override string Role => "Traffic Manager Contributor";

    protected override string StateProperty => "endpointStatus";

    protected override string GroupOf(TrafficManagerRerouteParameters parameters) => parameters.Profile;

    protected override string DisplayName(string group) => $"Traffic Manager {Target(group).Name}";

    protected override async Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken)
    {
        var profile = await Arm.GetAsync(Target(group), cancellationToken);
        var (byPriority, delay) = (profile.Text("trafficRoutingMethod") == "Priority", Delay(profile.Properties));
        return
        [
            .. (profile.Properties["endpoints"] as JsonArray ?? [])
                .OfType<JsonObject>()
                .Select(endpoint => Read(group, endpoint, byPriority, delay)),
        ];
    }

    protected override async Task<string?> CheckPermissionsAsync(
        TrafficManagerRerouteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var endpoint = RoutePlan.Find(await ReadAsync(parameters.Profile, context.Time, cancellationToken), parameters.From);
        return endpoint is null
            ? null
            : await Arm.CheckPermissionsAsync(
                Target(endpoint.Id), $"Microsoft.Network/trafficManagerProfiles/{KindOf(endpoint)}/write", cancellationToken);
    }

    /// <summary>Only one of the routing methods looks at weights, and two give each user one endpoint that no other replaces.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/traffic-manager/traffic-manager-routing-methods"/>
    /// <seealso href="https://learn.microsoft.com/azure/traffic-manager/traffic-manager-monitoring"/>
    protected override async Task<Spread> SpreadAsync(
        TrafficManagerRerouteParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken)
    {
        var profile = await Arm.GetAsync(Target(group), cancellationToken);
        var method = profile.Text("trafficRoutingMethod") ?? "unknown";
        return new(method switch
        {
            "Geographic" or "Subnet" => $"{DisplayName(group)} has the routing method {method}: "
                + $"the users of '{parameters.From}' would get no answer, and not another endpoint. "
                + "Make it an endpoint of a nested profile, and reroute in that one.",
            not "Weighted" when parameters.Weight is not null => $"{DisplayName(group)} has the routing method {method}, "
                + $"which does not look at weights. Leave 'weight' out to disable '{parameters.From}', "
                + "or give the profile the routing method Weighted.",
            _ => null,
        }, RoutePlan.Unprobed(routes, parameters, "Always Serve"));
    }

    /// <summary>Users ask the DNS for their endpoint, and keep its answer for as long as the profile says.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/traffic-manager/traffic-manager-how-it-works"/>
    private static string Delay(JsonObject profile) =>
        profile["dnsConfig"]?["ttl"] is JsonValue ttl && ttl.TryGetValue<int>(out var seconds) && seconds > 0
            ? $" Users follow as their DNS answers run out, within {DurationText.Format(TimeSpan.FromSeconds(seconds))} as a rule; "
                + "open connections stay."
            : " Users follow as their DNS answers run out; open connections stay.";

    private static Route Read(string profile, JsonObject endpoint, bool byPriority, string delay)
    {
        var (name, kind) = ((string)endpoint["name"]!, ((string)endpoint["type"]!).Split('/')[^1]);
        var properties = endpoint["properties"]!;
        var unprobed = (string?)properties["alwaysServe"] == "Enabled";
        var monitored = (string?)properties["endpointMonitorStatus"] ?? "unknown";
        return new Route(
            $"{profile}/{kind}/{name}",
            name,
            new RouteSetting((string?)properties["endpointStatus"] == "Enabled", (int?)properties["weight"]),
            // An endpoint that is always served is not probed: it is called Unmonitored, and gets its share all the same.
            monitored == "Online" || unprobed,
            $"{monitored} by Traffic Manager's probes")
        {
            IsUnprobed = unprobed,
            Priority = byPriority ? (int?)properties["priority"] : null,
            Delay = delay,
        };
    }

    private static string KindOf(Route endpoint) => endpoint.Id.Split('/')[^2];

    protected override ArmTarget Target(string id) => new(id, "2022-04-01", Role);
}

/// <seealso href="https://learn.microsoft.com/azure/frontdoor/front-door-faq"/>
internal static class FrontDoorText
{
    /// <summary>When a change takes effect; a sentence that begins with a blank.</summary>
    public const string Delay = " Front Door takes some minutes, at times twenty, until a change is in force everywhere.";
}
