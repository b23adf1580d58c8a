namespace Runbooks.Integrations.Kubernetes;

/// <summary>Evicts what runs on a cordoned node, as disruption budgets allow, within the step's time.</summary>
internal sealed class DrainNode(Clusters clusters)
    : RunbookAction<DrainNodeParameters>("kubernetes.drainNode", "Evicts the pods of a cordoned node as disruption budgets allow, and waits until they are gone. Pods of daemon sets stay, and those that cannot end.")
{
    private const int MostNamed = 20;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    public override string Role => ClusterNodes.Role;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("evicted", "How many pods were evicted."),
        new("pending", "The pods in place of the evicted ones that had no node when the drain ended, with commas between them; 'none' where there were none."),
        new("stuck", "The pods that did not end and were left, with blanks between them; empty where there were none."),
    ];

    // A machine that came back under the same name is not the one that was approved.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(DrainNodeParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        List<V1Pod> moving = node is null ? [] : [.. (await nodes.PodsAsync(parameters.Node, cancellationToken)).Where(Moves)];
        var alone = moving.FindAll(pod => PodReplacement.Controller(pod) is null).ConvertAll(NameOf);
        return new Preparation
        {
            PlannedEffect = $"Drain node {parameters.Node} on cluster {nodes.Cluster}: evict its pods as disruption budgets allow, and wait until they are gone. Pods of daemon sets stay."
                + await CostAsync(moving, parameters, cancellationToken)
                + (parameters.StuckFor > TimeSpan.Zero ? $" A pod that has not ended {DurationText.Format(parameters.StuckFor)} after its time is not waited for: its node may not answer." : ""),
            Identity = node?.Metadata.Uid,
            Refusal = node is null ? $"There is no node {parameters.Node} on cluster {nodes.Cluster}."
                : alone.Count > 0 ? $"Nothing would bring back {string.Join(", ", alone)}: no controller owns {(alone.Count == 1 ? "it" : "them")}. Move {(alone.Count == 1 ? "it" : "them")} by hand first."
                : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(DrainNodeParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Nodes(parameters.Cluster).CheckEvictionAsync(parameters.Node, cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        DrainNodeParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var (nodes, pods) = (clusters.Nodes(parameters.Cluster), clusters.Pods(parameters.Cluster, Role));
        if (await nodes.FindAsync(parameters.Node, cancellationToken) is not { } node || node.Metadata.Uid != preparation.Identity)
        {
            throw new StepRefusedException($"Node {parameters.Node} is no longer the one that was approved. Nothing was evicted.");
        }

        // What is evicted would come straight back.
        if (!new NodeSigns(node).IsCordoned)
        {
            throw new StepRefusedException($"Node {parameters.Node} is not cordoned, so its pods would come back to it. Put a step kubernetes.cordonNode before this one.");
        }

        var (evicted, gone) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        var owners = new HashSet<(string Namespace, string? Owner)>();
        IReadOnlyList<string> stuck;
        while (true)
        {
            var there = (await context.LookAsync(Done(), () => nodes.PodsAsync(parameters.Node, cancellationToken), cancellationToken)).Where(Moves).ToLookup(IsStuck);
            stuck = [.. there[true].Select(NameOf).Order(StringComparer.Ordinal)];
            List<V1Pod> left = [.. there[false]];
            if (left.Count == 0)
            {
                break;
            }

            string? held = null;
            foreach (var pod in left.Where(pod => pod.Metadata.DeletionTimestamp is null))
            {
                var exactly = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid } };
                try
                {
                    switch (await pods.EvictAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, exactly, cancellationToken))
                    {
                        case EvictionOutcome.Budget:
                            held = $"a disruption budget holds {NameOf(pod)}";
                            break;
                        case EvictionOutcome.Accepted:
                            evicted.Add(NameOf(pod));
                            owners.Add((pod.Metadata.NamespaceProperty, PodReplacement.Controller(pod)?.Uid));
                            break;
                        default:
                            gone.Add(NameOf(pod));
                            break;
                    }
                }
                catch (ClusterException failed)
                {
                    // It is evicted in the next round, if it is still there.
                    held = $"{NameOf(pod)} could not be evicted: {failed.Message.TrimEnd('.')}";
                }
            }

            context.Progress.Report($"{Done()}, and {held ?? $"{NameOf(left[0])} is still there"}");
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }

        var pending = await PendingAsync(pods, owners, cancellationToken);
        var others = gone.Except(evicted).Count();
        return new ActionResult((evicted.Count == 0
            ? $"Node {parameters.Node} had no pods to evict."
            : $"Evicted {CountText.Format(evicted.Count, "pod")} from node {parameters.Node}: {CountText.Names([.. evicted.Order(StringComparer.Ordinal)], MostNamed)}.")
            + (others == 0 ? "" : $" {CountText.Format(others, "pod")} left by {(others == 1 ? "itself" : "themselves")} meanwhile.")
            + (pending.Count == 0 ? "" : $" No other node has taken {CountText.Format(pending.Count, "pod")} so far: {CountText.Names(pending, MostNamed)}.")
            + (stuck.Count == 0 ? "" : $" Left {CountText.Format(stuck.Count, "pod")} there that {(stuck.Count == 1 ? "does" : "do")} not end: {CountText.Names(stuck, MostNamed)}. The node does not answer, a process cannot be killed, or a finalizer keeps it."))
        {
            Outputs = new Dictionary<string, string> { ["evicted"] = FormattableString.Invariant($"{evicted.Count}"), ["pending"] = pending.Count == 0 ? "none" : CountText.Names(pending, MostNamed), ["stuck"] = string.Join(' ', stuck) },
        };

        string Done() => $"{CountText.Format(evicted.Count, "pod")} {(evicted.Count == 1 ? "was" : "were")} evicted from node {parameters.Node}";

        // The timestamp is when it should be gone, its grace included. It goes when the node's kubelet says so, and that may be dead.
        bool IsStuck(V1Pod pod) => parameters.StuckFor > TimeSpan.Zero && pod.Metadata.DeletionTimestamp is { } due && context.Time.GetUtcNow().UtcDateTime - due > parameters.StuckFor;
    }

    // Pods of daemon sets and static pods belong to the node; what has ended needs no place.
    private static bool Moves(V1Pod pod) =>
        PodReplacement.Controller(pod)?.Kind is not ("DaemonSet" or "Node") && pod.Status?.Phase is not ("Succeeded" or "Failed");

    /// <summary>What the drain takes away until the pods run elsewhere.</summary>
    /// <returns>A sentence or two that begin with a blank.</returns>
    private async Task<string> CostAsync(List<V1Pod> moving, DrainNodeParameters parameters, CancellationToken cancellationToken)
    {
        if (moving.Count == 0)
        {
            return " It has no pods to evict now.";
        }

        var pods = clusters.Pods(parameters.Cluster, Role);
        var ready = new HashSet<string?>(StringComparer.Ordinal);
        foreach (var ns in moving.Select(pod => pod.Metadata.NamespaceProperty).Distinct())
        {
            ready.UnionWith((await pods.ListAsync(ns, cancellationToken)).Where(pod => pod.Spec.NodeName != parameters.Node && new PodSigns(pod).IsReady).Select(pod => PodReplacement.Controller(pod)?.Uid));
        }

        var last = moving.FindAll(pod => !ready.Contains(PodReplacement.Controller(pod)?.Uid)).ConvertAll(NameOf);
        var gpus = moving.Sum(pod => new PodSigns(pod).Gpus);
        var with = gpus > 0 ? string.Create(CultureInfo.InvariantCulture, $" with {gpus:0.##} GPU{(gpus == 1 ? "" : "s")}") : "";
        return $" Now that is {CountText.Format(moving.Count, "pod")}{with}, for which other nodes need room."
            + (last.Count == 0 ? "" : $" The controllers of these have no ready pod on another node: {CountText.Names(last, MostNamed)}.");
    }

    /// <summary>An evicted pod is not one that has moved: where no node has room, the one in its place waits.</summary>
    private static async Task<List<string>> PendingAsync(ClusterPods pods, HashSet<(string Namespace, string? Owner)> owners, CancellationToken cancellationToken)
    {
        var pending = new List<string>();
        foreach (var ns in owners.GroupBy(one => one.Namespace, one => one.Owner))
        {
            pending.AddRange((await pods.ListAsync(ns.Key, cancellationToken)).Where(pod => string.IsNullOrEmpty(pod.Spec.NodeName) && ns.Contains(PodReplacement.Controller(pod)?.Uid)).Select(NameOf));
        }

        return pending;
    }

    private static string NameOf(V1Pod pod) => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
}

public sealed record DrainNodeParameters : NodeParameters
{
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    [Description("How long after its time a pod that does not end is still waited for; `0s` to wait for it whatever happens. Pods end when their node's kubelet says so, and that of a dead node says nothing.")]
    public TimeSpan StuckFor { get; init; } = TimeSpan.FromMinutes(2);
}
