using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Azure.Routing;

public sealed record FrontDoorRerouteParameters : RerouteParameters
{
    [Required, ArmResourceId("Microsoft.Cdn/profiles")]
    [Description("The Front Door profile (Standard or Premium).")]
    public required string Profile { get; init; }

    [Required, TextPattern("^[A-Za-z0-9][A-Za-z0-9-]{0,88}[A-Za-z0-9]$", "a name of 2 to 90 letters, digits and dashes, beginning and ending with a letter or digit")]
    [Description("The origin group that both origins belong to.")]
    public required string OriginGroup { get; init; }
}

/// <summary>Takes traffic away from one origin of a Front Door origin group.</summary>
internal sealed class FrontDoorReroute(ArmResources arm, ResourceLease lease, AzureMetrics metrics) : RerouteAction<FrontDoorRerouteParameters>(
    arm, lease, "frontDoor.reroute", "Disables an origin of a Front Door origin group, or lowers its weight, so that the others take its traffic.")
{
    private const double HealthyFrom = 50;

    public override string Role => "CDN Profile Contributor, and Monitoring Reader for the health of the origins";

    protected override string StateProperty => "enabledState";

    protected override string GroupOf(FrontDoorRerouteParameters parameters) => $"{parameters.Profile}/originGroups/{parameters.OriginGroup}";

    protected override string Words(string group) => $"Front Door's origin group {Target(group).Name}";

    protected override async Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken)
    {
        // One that is not among them is of unknown health, and takes no traffic.
        var health = (await HealthAsync(group, time, cancellationToken)).Series;
        return [.. (await OriginsAsync(group, cancellationToken)).Select(origin => Read(group, origin, health, time.GetUtcNow()))];
    }

    protected override async Task<IReadOnlyList<Route>> ReadSettingsAsync(string group, TimeProvider time, CancellationToken cancellationToken) =>
        [.. (await OriginsAsync(group, cancellationToken)).Select(origin => Read(group, origin, [], time.GetUtcNow()))];

    protected override Task<string?> CheckPermissionsAsync(FrontDoorRerouteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Arm.CheckPermissionsAsync(
            Target($"{GroupOf(parameters)}/origins/{parameters.From}"), "Microsoft.Cdn/profiles/originGroups/origins/write", cancellationToken);

    private Task<IReadOnlyList<JsonObject>> OriginsAsync(string group, CancellationToken cancellationToken) => Arm.ListAsync(Target($"{group}/origins"), cancellationToken);

    /// <summary>Front Door takes the healthy origins of the first priority, of those the ones that are nearly as fast as the fastest, and only among them goes by weight.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/frontdoor/routing-methods"/>
    protected override async Task<Spread> SpreadAsync(FrontDoorRerouteParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken)
    {
        if (parameters.Weight is null)
        {
            return new(null);
        }

        var from = RoutePlan.Find(routes, parameters.From)!;
        var enabled = routes.Where(route => route.Id != from.Id && route.Now.Enabled && route.Priority == from.Priority).ToList();
        if (parameters.To is null ? !enabled.Exists(route => route.Healthy) : RoutePlan.Find(enabled, parameters.To) is null)
        {
            var who = parameters.To is not null ? $"'{parameters.To}' does not have" : $"no other {(enabled.Count == 0 ? "enabled" : "healthy")} one has";
            return new($"Front Door goes by weight only among origins of one priority, and {who} the priority {from.Priority} of '{from.Name}'. Leave 'weight' out to disable '{from.Name}', or give them one priority.");
        }

        var latency = (int?)(await Arm.GetAsync(Target(group), cancellationToken)).Properties["loadBalancingSettings"]?["additionalLatencyInMilliseconds"];
        return latency == 0
            ? new($"{Words(group)} has the latency sensitivity 0 ms, so everything goes to the fastest origin, whatever its weight. Leave 'weight' out to disable '{from.Name}', or give the group a latency sensitivity.")
            : new(null, $" Weights count only among origins whose latency is within {(latency is null ? "the latency sensitivity" : FormattableString.Invariant($"{latency} ms"))} of the fastest one's.");
    }

    // The resource does not tell whether an origin is healthy; Front Door's probes do, as a metric for each origin.
    private Task<MetricAnswer> HealthAsync(string group, TimeProvider time, CancellationToken cancellationToken) => metrics.ReadAsync(
        Target(group[..group.IndexOf("/originGroups/", StringComparison.OrdinalIgnoreCase)]),
        new MetricQuestion(
            "OriginHealthPercentage", MetricAggregation.Average, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1), Filter: $"OriginGroup eq '{Target(group).Name}' and Origin eq '*'"),
        time,
        cancellationToken);

    private static Route Read(string group, JsonObject origin, IReadOnlyList<MetricSeries> health, DateTimeOffset now)
    {
        var (name, properties) = ((string)origin["name"]!, origin["properties"]!);
        var host = (string?)properties["hostName"] ?? name;
        // The metric names the origin by its host, with the port behind it.
        var seen = health.FirstOrDefault(series =>
            series.Dimensions.GetValueOrDefault("Origin") is { } measured && measured.Split(':')[0].Equals(host, StringComparison.OrdinalIgnoreCase));
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
        };
    }

    protected override ArmTarget Target(string id) => new(id, "2025-04-15", Role);
}
