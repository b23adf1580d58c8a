using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <param name="Api"><c>api/v1</c> or <c>apis/{group}/{version}</c>.</param>
internal sealed record ResourceType(
    string Api,
    string Plural,
    string Kind,
    bool Namespaced,
    string[] Short,
    string[] Verbs,
    TableColumn[] Columns,
    Func<SandboxCluster, DateTimeOffset, IEnumerable<IKubernetesObject<V1ObjectMeta>>> Objects)
{
    private static readonly string[] s_read = ["get", "list", "watch"];

    /// <summary>Subresources by name, with the group, version and kind of their bodies.</summary>
    public (string Name, string? Group, string? Version, string Kind, string[] Verbs)[] Subresources { get; init; } = [];

    public string ApiVersion => Api["api".Length..].TrimStart('s').TrimStart('/');

    public string Group => ApiVersion.Split('/') is [var group, _] ? group : "";

    public static readonly IReadOnlyList<ResourceType> All =
    [
        new("api/v1", "pods", "Pod", true, ["po"], [.. s_read, "delete"], Tables.Pods, (cluster, now) =>
            from pod in cluster.PodsEver()
                .OrderBy(pod => pod.Namespace, StringComparer.Ordinal)
                .ThenBy(
                    pod => pod.Name,
                    StringComparer.Ordinal) let life = pod.At(now) where life is not null select PodView.Of(cluster, pod, life, now))
        {
            Subresources = [("log", null, null, "Pod", ["get"]), ("eviction", "policy", "v1", "Eviction", ["create"])],
        },
        new(
            "api/v1",
            "nodes",
            "Node",
            false,
            ["no"],
            [.. s_read, "patch"],
            Tables.Nodes,
            (cluster, now) => cluster.Nodes().Select(node => NodeView.Of(node, now))),
        new("api/v1", "events", "Event", true, ["ev"], s_read, Tables.Events, (cluster, now) => ClusterEvents.Of(cluster, now)),
        new("api/v1", "namespaces", "Namespace", false, ["ns"], s_read, Tables.Namespaces, (cluster, _) => Namespaces(cluster)),
        new("apis/apps/v1", "deployments", "Deployment", true, ["deploy"], [.. s_read, "patch"], Tables.Deployments, (cluster, now) =>
            Of(cluster, WorkloadKind.Deployment).Select(workload => WorkloadView.Deployment(cluster, workload, now)))
        {
            Subresources = [("scale", "autoscaling", "v1", "Scale", ["get", "patch", "update"])],
        },
        new("apis/apps/v1", "replicasets", "ReplicaSet", true, ["rs"], s_read, Tables.ReplicaSets, (cluster, now) =>
            Of(cluster, WorkloadKind.Deployment).SelectMany(workload => WorkloadView.ReplicaSets(cluster, workload, now))),
        new("apis/apps/v1", "statefulsets", "StatefulSet", true, ["sts"], [.. s_read, "patch"], Tables.StatefulSets, (cluster, now) =>
            Of(cluster, WorkloadKind.StatefulSet).Select(workload => WorkloadView.StatefulSet(cluster, workload, now)))
        {
            Subresources = [("scale", "autoscaling", "v1", "Scale", ["get", "patch", "update"])],
        },
        new("apis/apps/v1", "daemonsets", "DaemonSet", true, ["ds"], s_read, Tables.DaemonSets, (cluster, now) =>
            Of(cluster, WorkloadKind.DaemonSet).Select(workload => WorkloadView.DaemonSet(cluster, workload, now))),
        new("apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", true, ["pdb"], s_read, Tables.Names, (_, _) => []),
        new("apis/autoscaling/v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true, ["hpa"], s_read, Tables.Names, (_, _) => []),
        new(
            $"apis/{AiGatewayRoutes.Group}/{AiGatewayRoutes.Version}",
            AiGatewayRoutes.Plural,
            AiGatewayRoutes.Kind,
            true,
            [],
            [.. s_read, "patch"],
            Tables.AiGatewayRoutes,
            (cluster, _) => cluster.AiRoutes.All().Select(AiGatewayRoutes.Of)),
        new(
            "apis/coordination.k8s.io/v1",
            "leases",
            "Lease",
            true,
            [],
            s_read,
            Tables.Names,
            (cluster, now) => cluster.Nodes().Select(node => Lease(node, now))),
    ];

    private static IEnumerable<Workload> Of(SandboxCluster cluster, WorkloadKind kind) =>
        cluster.Workloads().Where(workload => workload.Kind == kind);

    private static IEnumerable<V1Namespace> Namespaces(SandboxCluster cluster) =>
        cluster.Workloads().Select(workload => workload.Namespace).Append("default").Append("kube-system").Distinct().Order(StringComparer.Ordinal).Select(name => new V1Namespace
        {
            ApiVersion = "v1",
            Kind = "Namespace",
            Metadata = new V1ObjectMeta
            {
                Name = name,
                Uid = name,
                ResourceVersion = "1",
                CreationTimestamp = cluster.Workloads()[0].CreatedAt.UtcDateTime,
            },
            Status = new V1NamespaceStatus { Phase = "Active" },
        });

    private static V1Lease Lease(SandboxNode node, DateTimeOffset now) => new()
    {
        ApiVersion = "coordination.k8s.io/v1",
        Kind = "Lease",
        Metadata = new V1ObjectMeta
        {
            Name = node.Name,
            NamespaceProperty = "kube-node-lease",
            Uid = node.Name,
            ResourceVersion = "1",
            CreationTimestamp = node.CreatedAt.UtcDateTime,
        },
        Spec = new V1LeaseSpec { HolderIdentity = node.Name, LeaseDurationSeconds = 40, RenewTime = now.UtcDateTime },
    };
}

internal static class Discovery
{
    private static readonly string[] s_versions = ["v1"];
    private static readonly (string Group, string Version)[] s_groups =
        [
            ("apps", "v1"),
            ("policy", "v1"),
            ("autoscaling", "v1"),
            ("authorization.k8s.io", "v1"),
            ("coordination.k8s.io", "v1"),
            (AiGatewayRoutes.Group, AiGatewayRoutes.Version),
        ];

    public static object Core() => new { kind = "APIVersions", versions = s_versions };

    public static object Groups() => new
    {
        kind = "APIGroupList",
        apiVersion = "v1",
        groups = s_groups.Select(one => new
        {
            name = one.Group,
            versions = new[] { new { groupVersion = $"{one.Group}/{one.Version}", version = one.Version } },
            preferredVersion = new { groupVersion = $"{one.Group}/{one.Version}", version = one.Version },
        }),
    };

    /// <param name="api"><c>api/v1</c> or <c>apis/{group}/{version}</c>.</param>
    public static object? Resources(string api)
    {
        var types = ResourceType.All.Where(type => type.Api == api).ToList();
        var resources = types.SelectMany(type => type.Subresources
            .Select(sub => Resource($"{type.Plural}/{sub.Name}", "", type.Namespaced, sub.Kind, sub.Verbs, [], sub.Group, sub.Version))
            .Prepend(Resource(type.Plural, type.Kind.ToLowerInvariant(), type.Namespaced, type.Kind, type.Verbs, type.Short, null, null))).ToList();
        if (api == "apis/authorization.k8s.io/v1")
        {
            resources.Add(Resource(
                "selfsubjectaccessreviews", "selfsubjectaccessreview", false, "SelfSubjectAccessReview", ["create"], [], null, null));
            resources.Add(Resource("selfsubjectrulesreviews", "selfsubjectrulesreview", false, "SelfSubjectRulesReview", ["create"], [], null, null));
        }

        return resources.Count == 0
            ? null
            : new
            {
                kind = "APIResourceList",
                apiVersion = "v1",
                groupVersion = api.StartsWith("apis/", StringComparison.Ordinal) ? api["apis/".Length..] : "v1",
                resources,
            };
    }

    private static object Resource(
        string name,
        string singularName,
        bool namespaced,
        string kind,
        string[] verbs,
        string[] shortNames,
        string? group,
        string? version) =>
        new { name, singularName, namespaced, kind, verbs, shortNames, group, version };
}
