using k8s;

namespace Runbooks.Integrations.Kubernetes;

public sealed record AiGatewayRouteParameters : ClusterParameters, IValidatableObject
{
    [Required, KubernetesName]
    [Description("The route's namespace.")]
    public required string Namespace { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The AIGatewayRoute.")]
    public required string Route { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The backend whose share is changed, in every rule of the route that names it.")]
    public required string Backend { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("Only in the rule of this name.")]
    public string? Rule { get; init; }

    [Range(0, 1_000_000)]
    [Description("Its weight among those of the same priority; 0 sends it nothing. "
        + "In releases before 0.5, 0 breaks the other backends of the rule: write 1 there, or a priority.")]
    public int? Weight { get; init; }

    [Range(0, 100)]
    [Description("Its priority; those with the smallest number are used as long as one of them can be.")]
    public int? Priority { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Priority is null && Weight is null ? [new AnyValueResult("Say 'weight', 'priority' or both.", nameof(Weight))] : [];
}

/// <summary>
/// Changes how Envoy AI Gateway spreads requests over the backends of a route. A list in a custom resource is written whole, so the
/// patch carries the version that was read, and the cluster refuses it if that has changed since.
/// </summary>
/// <seealso href="https://github.com/envoyproxy/ai-gateway/blob/v1.1.0/manifests/charts/ai-gateway-crds-helm/templates/aigateway.envoyproxy.io_aigatewayroutes.yaml"/>
internal sealed class AiGatewayRoute(Clusters clusters, HeldValues held)
    : HeldValueAction<AiGatewayRouteParameters, AiGatewayRoute.Change, IReadOnlyList<RouteBackend>>(
        held, "envoyAiGateway.route", "Changes the weight or the priority of a backend in a route of Envoy AI Gateway.")
{
    public override string Role => ClusterAiRoutes.Role;

    protected override async Task<Preparation> PrepareAsync(
        AiGatewayRouteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var routes = clusters.AiRoutes(parameters.Cluster);
        var route = await routes.FindAsync(parameters.Namespace, parameters.Route, cancellationToken);
        var backends = route is null ? [] : RouteBackend.In(route);
        List<RouteBackend> before =
        [
            .. backends.Where(one => one.Name == parameters.Backend && (parameters.Rule is null || one.RuleName == parameters.Rule)),
        ];
        var after = before.ConvertAll(one => one with
        {
            Weight = parameters.Weight ?? one.Weight,
            Priority = parameters.Priority ?? one.Priority,
        });
        var rules = backends.GroupBy(one => one.Rule).Where(rule => rule.Intersect(before).Any()).ToList();
        var change = new Change(
            parameters.Cluster, parameters.Namespace, parameters.Route, (string?)route?["metadata"]?["uid"] ?? "", before, after);
        var wanted = string.Join(" and ", Lines.Of(
            parameters.Weight is { } weight ? $"weight {weight}" : null,
            parameters.Priority is { } priority ? $"priority {priority}" : null));
        var nowText = before.Count == 0 ? "" : $" (now {Text(before)})";
        var sharesText = string.Concat(rules.Select(rule => $" {SharesText(rule, after)}"));
        var shares = rules.SelectMany(rule => rule).Select(one => $"{one.Name} {one.Share} in {one.DisplayName}");
        return new Preparation
        {
            PlannedEffect = $"Give {parameters.Backend} {wanted} in the AI gateway route {change.DisplayName}{nowText}.{sharesText}"
                + ObjectKeeper.Remark(route is null ? null : KubernetesJson.Deserialize<V1ObjectMeta>(route["metadata"]!.ToJsonString())),
            // What a share means depends on the shares of the others.
            Identity = $"{change.Uid}: {string.Join("; ", shares)}",
            IsSo = before.Count > 0 && before.SequenceEqual(after),
            Undo = $"Give it {Text(before)} again.",
            UndoState = JsonSerializer.SerializeToElement(change),
            Refusal = route is null
                ? $"There is no AI gateway route {change.DisplayName} on cluster {routes.Cluster}."
                : Refusal(parameters, backends, before, after),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        AiGatewayRouteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.AiRoutes(parameters.Cluster).CheckPermissionsAsync(parameters.Namespace, parameters.Route, cancellationToken);

    protected override HeldValue Held(Change change) => new(
        $"The share of {change.Backend} in {string.Join(" and ", change.Before.Select(one => one.DisplayName))} of the AI gateway route "
            + $"{change.DisplayName} on cluster {clusters.AiRoutes(change.Cluster).Cluster}");

    protected override async Task<IReadOnlyList<RouteBackend>> ReadAsync(Change change, CancellationToken cancellationToken) =>
        await clusters.AiRoutes(change.Cluster).FindAsync(change.Namespace, change.Route, cancellationToken) is { } route
            ? RouteBackend.In(route)
            : [];

    protected override bool Shows(IReadOnlyList<RouteBackend> value, IReadOnlyList<RouteBackend> now) => value.All(now.Contains);

    protected override string WasText(Change change) => $"{change.Backend} had {Text(change.After)}";

    protected override string IsText(Change change, IReadOnlyList<RouteBackend> before) => $"{change.Backend} has {Text(before)}";

    protected override string ChangedText(Change change, IReadOnlyList<RouteBackend> now)
    {
        List<RouteBackend> own = [.. now.Where(one => one.Name == change.Backend)];
        var state = own.Count == 0 ? "is gone" : $"has {Text(own)}";
        return $"The AI gateway route {change.DisplayName} was changed by somebody else in the meantime: "
            + $"{change.Backend} {state}. Nothing was overwritten.";
    }

    protected override async Task<string?> SetAsync(
        Change change,
        IReadOnlyList<RouteBackend> from,
        IReadOnlyList<RouteBackend> to,
        bool back,
        StepContext context,
        CancellationToken cancellationToken)
    {
        var routes = clusters.AiRoutes(change.Cluster);
        var route = await routes.FindAsync(change.Namespace, change.Route, cancellationToken);
        if (route is null || (string?)route["metadata"]?["uid"] != change.Uid)
        {
            throw new StepRefusedException($"The AI gateway route {change.DisplayName} is gone, "
                + "or is another by now. Nothing was changed.") { NothingDone = true };
        }

        var now = RouteBackend.In(route);
        if (!IsToBeSet(change, now, from, to))
        {
            return null;
        }

        if (NobodyLeft(now, to) is { } rule)
        {
            throw new ChangedSinceException($"Nobody would be left in {rule.DisplayName}: "
                + "all the others have the weight 0 by now. Nothing was changed.") { NothingDone = true };
        }

        if (!await routes.PatchAsync(route, RouteBackend.With(route, to), $"give {change.Backend} {Text(to)} in", cancellationToken))
        {
            throw new ClusterException($"The AI gateway route {change.DisplayName} is being changed by somebody else at this "
                + "moment. Nothing was written.") { NothingDone = true };
        }

        var (seen, confirmed) = await routes.SettledAsync(route, change.Namespace, change.Route, context.Time, cancellationToken);
        if (seen is null || !to.All(RouteBackend.In(seen).Contains))
        {
            throw new ClusterException($"The AI gateway route {change.DisplayName} was changed by somebody else at the same moment: "
                + "it does not hold what was written. Look at it.");
        }

        var (again, asBefore) = back ? (" again", ", as before") : ("", "");
        var unconfirmed = confirmed ? "" : " The gateway's controller has not said yet that it took it.";
        return $"{change.Backend} has {Text(to)}{again} in the AI gateway route {change.DisplayName}{asBefore}.{unconfirmed}";
    }

    private static string? Refusal(
        AiGatewayRouteParameters parameters, IReadOnlyList<RouteBackend> backends, List<RouteBackend> before, List<RouteBackend> after)
    {
        if (before.Count == 0)
        {
            return $"{(parameters.Rule is null ? "No rule of it" : $"No rule {parameters.Rule} of it")} names the backend "
                + $"{parameters.Backend}. There are: "
                + $"{string.Join(", ", backends.Select(one => one.Name).Distinct(StringComparer.Ordinal))}.";
        }

        // Weights count only among backends of one priority. A weight of 0 means to be out, whatever the others have.
        var isOfWeight = parameters.Weight > 0
            && after.Zip(before).All(pair => pair.First.Priority == pair.Second.Priority && pair.Second.Weight is not 0);
        foreach (var rule in after.GroupBy(one => one.Rule))
        {
            var others = backends.Where(one => one.Rule == rule.Key && one.Name != parameters.Backend).ToList();
            if (!others.Exists(other => !isOfWeight || rule.Any(one => one.Priority == other.Priority)))
            {
                return $"{parameters.Backend} is the only backend of "
                    + $"{rule.First().DisplayName}{(others.Count == 0 ? "" : $" with the priority {rule.First().Priority}")}: "
                    + "its share changes nothing.";
            }
        }

        return NobodyLeft(backends, after) is { } last
            ? $"Nobody would be left in {last.DisplayName}: all the others have the weight 0."
            : null;
    }

    private static RouteBackend? NobodyLeft(IReadOnlyList<RouteBackend> now, IReadOnlyList<RouteBackend> then) =>
        then.FirstOrDefault(one => now.Where(other => other.Rule == one.Rule).All(other => Then(other, then).Weight == 0));

    private static RouteBackend Then(RouteBackend one, IReadOnlyList<RouteBackend> then) =>
        then.FirstOrDefault(changed => (changed.Rule, changed.At) == (one.Rule, one.At)) ?? one;

    private static string SharesText(IEnumerable<RouteBackend> rule, List<RouteBackend> after)
    {
        List<RouteBackend> now = [.. rule];
        var then = now.ConvertAll(one => Then(one, after));
        return WeightedTraffic.Describe($"traffic of {now[0].DisplayName}", now.ConvertAll(Member), then.ConvertAll(Member));

        static TrafficMember Member(RouteBackend one) => new(one.Name, one.Priority, one.Weight);
    }

    private static string Text(IReadOnlyList<RouteBackend> backends) =>
        backends.Select(one => one.Share).Distinct(StringComparer.Ordinal).Count() == 1
        ? backends[0].Share
        : string.Join(", ", backends.Select(one => $"{one.Share} in {one.DisplayName}"));

    internal sealed record Change(
        string? Cluster,
        string Namespace,
        string Route,
        string Uid,
        IReadOnlyList<RouteBackend> Before,
        IReadOnlyList<RouteBackend> After) : IHeldChange<IReadOnlyList<RouteBackend>>
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public string Backend => Before[0].Name;

        [System.Text.Json.Serialization.JsonIgnore]
        public string DisplayName => $"{Namespace}/{Route}";
    }
}

/// <summary>A backend in one rule of a route. What the rule leaves out has the default of the resource's schema.</summary>
internal sealed record RouteBackend(int Rule, string? RuleName, int At, string Name, int Weight, int Priority)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public string Share => $"weight {Weight} and priority {Priority}";

    [System.Text.Json.Serialization.JsonIgnore]
    public string DisplayName => RuleName is null ? $"rule {Rule + 1}" : $"the rule {RuleName}";

    public static IReadOnlyList<RouteBackend> In(JsonObject route) =>
    [
        .. from rule in (route["spec"]?["rules"] as JsonArray ?? []).Select((rule, index) => (Json: rule as JsonObject, Index: index))
           from backend in (rule.Json?["backendRefs"] as JsonArray ?? []).Select(
               (backend, index) => (Json: backend as JsonObject, Index: index))
           where backend.Json is not null
           select new RouteBackend(
               rule.Index,
               (string?)rule.Json!["name"],
               backend.Index,
               (string?)backend.Json["name"] ?? "",
               (int?)backend.Json["weight"] ?? 1,
               (int?)backend.Json["priority"] ?? 0),
    ];

    public static JsonArray With(JsonObject route, IEnumerable<RouteBackend> shares)
    {
        var rules = route["spec"]!["rules"]!.DeepClone().AsArray();
        foreach (var share in shares)
        {
            var backend = rules[share.Rule]!["backendRefs"]![share.At]!;
            (backend["weight"], backend["priority"]) = (share.Weight, share.Priority);
        }

        return rules;
    }
}
