using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class ClusterNodes(ClusterCalls calls)
{
    public const string Role = "Azure Kubernetes Service RBAC Cluster Admin, or a Kubernetes cluster role with: "
        + "get and patch nodes, list pods, create pods/eviction";

    public string Cluster => calls.Cluster;

    public string? Link => calls.Link;

    public Task<V1Node?> FindAsync(string node, CancellationToken cancellationToken) => calls.FindAsync(
        $"get node {node}", client => client.CoreV1.ReadNodeAsync(node, cancellationToken: cancellationToken), cancellationToken);

    public string Missing(string node) => $"There is no node {node} on cluster {Cluster}.";

    /// <returns>When the node's kubelet last renewed its lease; null where there is none, or this identity may not read it.</returns>
    public Task<DateTime?> LeaseRenewedAsync(string node, CancellationToken cancellationToken) => calls.SendAsync(
        $"get the lease of node {node}",
        async client =>
            (await client.CoordinationV1.ReadNamespacedLeaseAsync(node, "kube-node-lease", cancellationToken: cancellationToken))
                .Spec?.RenewTime,
        onStatus: status => status is 403 or 404 ? () => null : null,
        cancellationToken);

    public Task<IReadOnlyList<V1Pod>> PodsAsync(string node, CancellationToken cancellationToken) => calls.ListAsync<V1PodList, V1Pod>(
        $"list the pods of node {node}",
        (client, limit, next) => client.CoreV1.ListPodForAllNamespacesAsync(
            fieldSelector: $"spec.nodeName={node}", limit: limit, continueParameter: next, cancellationToken: cancellationToken),
        onStatus: null,
        cancellationToken);

    /// <summary>Changes exactly the node that was read: the cluster refuses it if the node has changed since.</summary>
    public Task<bool> PatchAsync(V1Node read, JsonObject spec, string what, CancellationToken cancellationToken)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = read.Metadata.Uid, ["resourceVersion"] = read.Metadata.ResourceVersion },
            ["spec"] = spec,
        };
        return calls.PatchAsync(
            $"{what} node {read.Metadata.Name}",
            patch,
            (client, body) => client.CoreV1.PatchNodeAsync(body, read.Metadata.Name, cancellationToken: cancellationToken),
            cancellationToken);
    }

    public async Task<string?> CheckPermissionsAsync(string node, string what, CancellationToken cancellationToken) =>
        await calls.MayAsync("patch", new("", "nodes", null, null, node), cancellationToken)
            ? null
            : calls.MissingPermission($"{what} node {node}");

    public async Task<string?> CheckEvictionAsync(string node, CancellationToken cancellationToken) =>
        await calls.MayAsync("create", new("", "pods", "eviction", null, ""), cancellationToken)
            ? null
            : calls.MissingPermission($"evict the pods of node {node}");
}

public abstract record NodeParameters : ClusterParameters
{
    [Required, KubernetesName(Subdomain = true)]
    [Description("The node.")]
    public required string Node { get; init; }
}

internal sealed record NodeSigns(V1Node Node)
{
    private const string Nvidia = "nvidia.com/";
    private const string NvidiaGpu = $"{Nvidia}gpu";

    /// <summary>How many GPUs it was found to have, as NVIDIA's GPU feature discovery writes it.</summary>
    private const string Counted = $"{Nvidia}gpu.count";

    private static readonly string[] s_vendors = [Nvidia, "amd.com/", "gpu.intel.com/"];

    /// <summary>Whole GPUs, by the names of the vendors' device plugins; Intel's is that of its driver.</summary>
    private static readonly string[] s_gpus = [NvidiaGpu, "amd.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe"];

    /// <summary>Conditions whose names end like this are good when they are true; all others are bad then.</summary>
    private static readonly string[] s_good = ["Ready", "Healthy"];

    /// <summary>
    /// Maintenance that Azure has announced for the machine: a freeze of some seconds, a restart, or the end of a spot machine.
    /// </summary>
    private static readonly string[] s_announced = ["VMEventScheduled", "PreemptionScheduled"];

    public bool IsCordoned => Node.Spec?.Unschedulable == true;

    public bool IsReady => Ready?.Status == "True";

    public DateTime? Heartbeat => Ready?.LastHeartbeatTime;

    /// <summary>Changes with each start of the machine.</summary>
    public string? Boot => Node.Status?.NodeInfo?.BootID;

    /// <summary>Everything that is wrong with it. Announced maintenance is no fault of the machine, and no reimage takes it away.</summary>
    public IReadOnlyList<string> Troubles =>
    [
        .. IsReady ? Array.Empty<string>() : [$"not ready ({Ready?.Message ?? "nobody has heard from it"})"],
        .. (Node.Status?.Conditions ?? []).Where(IsBad).Select(Words),
        .. GpuTrouble is { } trouble ? [trouble] : Array.Empty<string>(),
    ];

    public string Text => string.Join(", ", Lines.Of(
        IsReady ? "ready" : "not ready",
        IsCordoned ? "cordoned"
            : Closing is { Count: > 0 } taints ? $"takes only new pods that tolerate {string.Join(" and ", taints)}"
            : "takes new pods",
        Amount(Node.Status?.Capacity) is > 0 and var gpus ? $"{gpus:0} GPUs" : null,
        Announced));

    public string? Announced =>
        s_announced.Select(Condition).FirstOrDefault(condition => condition?.Status == "True") is { } coming
            ? $"Azure has announced maintenance ({coming.Message ?? coming.Reason})"
            : null;

    private List<string> Closing =>
        [.. (Node.Spec?.Taints ?? [])
            .Where(taint => taint.Effect is "NoSchedule" or "NoExecute")
            .Select(taint => $"{taint.Key}{(string.IsNullOrEmpty(taint.Value) ? "" : $"={taint.Value}")}:{taint.Effect}")];

    private string? GpuTrouble
    {
        get
        {
            var (all, left) = (Expected, Amount(Node.Status?.Allocatable));
            // For GPUs that a device plugin no longer offers the kubelet reports 0. In parts (MIG) they count under other names.
            if (left < all)
            {
                return $"{left:0} of {all:0} GPUs can be used";
            }

            return Offered is { Count: > 0 } offered && offered.All(amount => amount == 0)
                ? "its GPUs are not offered to pods: does its device plugin run?"
                : null;
        }
    }

    private IReadOnlyList<decimal> Offered =>
        [.. (Node.Status?.Capacity ?? new Dictionary<string, ResourceQuantity>())
            .Where(resource => s_vendors.Any(vendor => resource.Key.StartsWith(vendor, StringComparison.Ordinal)))
            .Select(resource => resource.Value.ToDecimal())];

    private decimal Expected => Math.Max(Amount(Node.Status?.Capacity), Discovered);

    // A device plugin that restarts after a GPU was lost counts those that are left as all there are: the label may know better.
    // Where the GPUs are given out in parts, or by another driver, they have other names and numbers, and the label says nothing
    // about those.
    private int Discovered
    {
        get
        {
            var areWhole = Node.Status?.Capacity?.Keys
                .Where(resource => resource.StartsWith(Nvidia, StringComparison.Ordinal))
                .SequenceEqual([NvidiaGpu]) == true;
            return areWhole
                && Node.Metadata?.Labels?.TryGetValue(Counted, out var counted) == true
                && int.TryParse(counted, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                    ? count
                    : 0;
        }
    }

    private static bool IsGood(V1NodeCondition condition) => s_good.Any(end => condition.Type.EndsWith(end, StringComparison.Ordinal));

    private static bool IsBad(V1NodeCondition condition) =>
        condition.Type != "Ready"
        && !s_announced.Contains(condition.Type)
        && condition.Status == (IsGood(condition) ? "False" : "True");

    private static string Words(V1NodeCondition condition) => $"{condition.Type} ({condition.Message ?? condition.Reason})";

    private V1NodeCondition? Ready => Condition("Ready");

    private V1NodeCondition? Condition(string type) => Node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);

    private static decimal Amount(IDictionary<string, ResourceQuantity>? resources) =>
        s_gpus.Sum(gpu => resources?.TryGetValue(gpu, out var amount) == true ? amount.ToDecimal() : 0);
}
