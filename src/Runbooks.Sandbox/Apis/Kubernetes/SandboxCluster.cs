using System.Security.Cryptography;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>
/// One cluster as AKS runs them. The namespace <c>inference</c> has the GPU pods <c>llm-{cluster}-N</c> of a stateful set, a
/// stateless <c>tokenizer</c> of a deployment, and a <c>debug-shell</c> without a controller. In <c>lab</c> small models run on TGI
/// and Triton, and one pod of each hangs. A change works out at once what controllers and scheduler will do; the objects show it when
/// its time comes.
/// </summary>
internal sealed partial class SandboxCluster(string name, SandboxOptions options, SandboxChanges changes) : IRemembered
{
    public const string Namespace = "inference";
    private static readonly TimeSpan s_hungFor = TimeSpan.FromMinutes(9);
    private static readonly TimeSpan s_age = TimeSpan.FromHours(149);

    private readonly Lock _lock = new();
    private Dictionary<string, SandboxPod> _pods = new(StringComparer.Ordinal);
    private List<SandboxNode> _nodes = [];
    private List<Workload> _workloads = [];
    private int _ips;

    public string Name => name;

    public AiRouteStore AiRoutes { get; } = new(name, options.Time, changes);

    string IRemembered.Key => $"kubernetes/{name}";

    public int Deletions { get; private set; }

    private DateTimeOffset Now => options.Time.GetUtcNow();

    /// <summary>The pod of that name as it is now. GPU pods are created when somebody first asks for them.</summary>
    public SandboxPod? Find(string ns, string podName) => Locked(() =>
    {
        if (ns == Namespace
            && !_pods.ContainsKey(Key(ns, podName))
            && GpuPodName().Match(podName) is { Success: true } match
            && match.Groups[1].Value == name)
        {
            var llm = _workloads.First(workload => workload.Kind == WorkloadKind.StatefulSet);
            // Not kept: the next request would create the same pod.
            var life = Aged(llm, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), hung: match.Groups[2].Value != "1");
            Add(
                llm,
                podName,
                life with { Uid = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{llm.Uid}/{podName}")).AsSpan(0, 16)).ToString() },
                asked: true);
        }

        return _pods.TryGetValue(Key(ns, podName), out var pod) && pod.At(Now) is not null ? pod : null;
    });

    public IReadOnlyList<SandboxPod> Pods() =>
        Locked(() => _pods.Values.Where(pod => pod.At(Now) is not null)
            .OrderBy(pod => Key(pod.Namespace, pod.Name), StringComparer.Ordinal)
            .ToList());

    /// <summary>Deleted ones too, since Prometheus still has their measurements.</summary>
    public IReadOnlyList<SandboxPod> PodsEver() => Locked(() => _pods.Values.ToList());

    public IReadOnlyList<SandboxNode> Nodes() => Locked(() => _nodes);

    public IReadOnlyList<Workload> Workloads() => Locked(() => _workloads);

    public SandboxNode? FindNode(string node) => Nodes().FirstOrDefault(one => one.Name == node);

    public Workload? FindWorkload(WorkloadKind kind, string ns, string workload) =>
        Workloads().FirstOrDefault(one => one.Kind == kind && one.Namespace == ns && one.Name == workload);

    public Workload? WorkloadOf(SandboxPod pod) => Workloads().FirstOrDefault(one => one.Namespace == pod.Namespace && one.App == pod.App);

    public void Delete(SandboxPod pod) => Locked(() =>
    {
        if (pod.At(Now) is { } life && !life.IsDeleted(Now))
        {
            Deletions++;
            End(pod);
            Reconcile();
        }

        return true;
    });

    /// <returns>False where there is no such pod.</returns>
    public bool Hang(string ns, string podName) => Live(ns, podName, life => life with { HungAt = Now - s_hungFor });

    public void Revive(string ns, string podName) => Live(ns, podName, life => life with { HungAt = null });

    private bool Live(string ns, string podName, Func<PodLife, PodLife> change) => Find(ns, podName) is { } pod && Locked(() =>
    {
        pod.Change(pod.Last, change(pod.Last));
        changes.Touch();
        return true;
    });

    public void LoseGpu() => Change(Nodes()[BrokenNode], node => node with { Fault = GpuFault.Lost(Now - s_hungFor) });

    public void GiveGpuBack()
    {
        foreach (var node in Nodes().Where(node => node.Fault is not null))
        {
            Change(node, one => one with { Fault = null });
        }
    }

    public SandboxNode Change(SandboxNode node, Func<SandboxNode, SandboxNode> change) => Locked(() =>
    {
        var changed = change(_nodes.First(one => one.Name == node.Name)) with { ChangedAt = Now };
        _nodes = [.. _nodes.Select(one => one.Name == node.Name ? changed : one)];
        foreach (var pod in _pods.Values
            .Where(pod => RunsOn(pod, node) && (pod.Last.IsDeleted(Now) || changed.Taints.Any(taint => taint.Effect == "NoExecute")))
            .ToList())
        {
            End(pod);
        }

        Reconcile();
        return changed;
    });

    public void Reimage(SandboxNode node) => Locked(() =>
    {
        _nodes = [.. _nodes.Select(one => one.Name == node.Name ? Started(one) : one)];
        foreach (var pod in _pods.Values.Where(pod => RunsOn(pod, node)).ToList())
        {
            End(pod);
        }

        Reconcile();
        return true;
    });

    // The kubelet's last status stays for a while, since nobody notices at once that it has stopped.
    private SandboxNode Started(SandboxNode node) => node with
    {
        Former = new FormerBoot(node.BootId, node.ReadyAt, node.Fault, Now + (options.ReadyAfter / 2)),
        BootId = Guid.NewGuid().ToString(),
        Fault = null,
        Taints = [.. node.Taints.Where(taint => taint.Key != SandboxNode.Unreachable)],
        ChangedAt = Now,
        ReadyAt = Now + options.ReadyAfter,
    };

    private bool RunsOn(SandboxPod pod, SandboxNode node) => pod.Lives.Any(life => life.Node == node.Name && !(life.EndsAt <= Now));

    public Workload Scale(Workload workload, int replicas) => Change(workload, one => one with { Replicas = replicas });

    /// <summary>Replaces the pods, as <c>kubectl rollout restart</c> does.</summary>
    public Workload Restart(Workload workload, string restartedAt) => Change(workload, one => one with
    {
        RestartedAt = restartedAt,
        Revisions = one.Kind == WorkloadKind.Deployment ? [.. one.Revisions, NewRevision(one, restartedAt)] : [],
    });

    public void Reset() => Locked(() =>
    {
        (_pods, _nodes, _workloads, Deletions) = (new(StringComparer.Ordinal), [], [], 0);
        AiRoutes.Reset();
        return true;
    });

    JsonNode? IRemembered.Save() => Locked(() => JsonSerializer.SerializeToNode(
        new SavedCluster(
            Deletions,
            _ips,
            _nodes,
            _workloads,
            [.. _pods.Values.Where(pod => !pod.IsAsAsked).Select(pod => pod.Save())]), SandboxMemory.Json));

    void IRemembered.Load(JsonNode saved)
    {
        var state = saved.Deserialize<SavedCluster>(SandboxMemory.Json)!;
        (Deletions, _ips, _nodes, _workloads) = (state.Deletions, state.Ips, [.. state.Nodes], [.. state.Workloads]);
        _pods = state.Pods.Select(SandboxPod.Of).ToDictionary(pod => Key(pod.Namespace, pod.Name), StringComparer.Ordinal);
    }

    private Workload Change(Workload workload, Func<Workload, Workload> change) => Locked(() =>
    {
        var changed = change(_workloads.First(one => one.Uid == workload.Uid));
        changed = changed with { Generation = changed.Generation + 1, ChangedAt = Now };
        _workloads = [.. _workloads.Select(one => one.Uid == workload.Uid ? changed : one)];
        Reconcile();
        return changed;
    });

    private T Locked<T>(Func<T> what)
    {
        lock (_lock)
        {
            if (_nodes.Count == 0)
            {
                Furnish();
            }

            return what();
        }
    }

    private static string Key(string ns, string pod) => $"{ns}/{pod}";

    [GeneratedRegex("^llm-([a-z0-9]{1,20})-(0|[1-9][0-9]{0,5})$", RegexOptions.NonBacktracking)]
    private static partial Regex GpuPodName();

    private sealed record SavedCluster(
        int Deletions, int Ips, IReadOnlyList<SandboxNode> Nodes, IReadOnlyList<Workload> Workloads, IReadOnlyList<SavedPod> Pods);
}

internal sealed class SandboxClusters(SandboxOptions options, SandboxChanges changes)
{
    public IReadOnlyList<SandboxCluster> All { get; } = [new("b", options, changes)];

    public SandboxCluster? Find(string name) => All.FirstOrDefault(cluster => cluster.Name == name);

    /// <summary>The node of this scale set instance. Ids ignore case.</summary>
    public (SandboxCluster Cluster, SandboxNode Node)? FindNode(string resourceId) =>
        (from cluster in All
         from node in cluster.Nodes()
         where node.ResourceId.Equals(resourceId, StringComparison.OrdinalIgnoreCase)
         select ((SandboxCluster, SandboxNode)?)(cluster, node)).FirstOrDefault();
}
