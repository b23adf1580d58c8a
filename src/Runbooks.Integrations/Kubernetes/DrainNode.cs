namespace Runbooks.Integrations.Kubernetes;

internal sealed class DrainNode(Clusters clusters)
    : RunbookAction<DrainNodeParameters>(
        "kubernetes.drainNode",
        "Evicts the pods of a cordoned node as disruption budgets allow, and waits until they are gone. "
            + "Pods of daemon sets stay, those that cannot end, and those that come while it drains.")
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    public override string Role => ClusterNodes.Role;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("evicted", "How many pods were evicted.", "5"),
        new(
            "pending",
            "The pods in place of the evicted ones that had no node when the drain ended, with commas between them; "
                + "'none' where there were none.",
            "none"),
        new(
            "stuck",
            "The pods that did not end and were left, as namespace/name, with blanks between them; empty where there were none.",
            "chat/chat-7d9c5b6f4-m4q9z"),
    ];

    // A machine that came back under the same name is not the one that was approved.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(
        DrainNodeParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var nodes = clusters.Nodes(parameters.Cluster);
        var node = await nodes.FindAsync(parameters.Node, cancellationToken);
        List<V1Pod> moving = node is null ? [] : [.. (await nodes.PodsAsync(parameters.Node, cancellationToken)).Where(PodRoom.Moves)];
        var alone = PodRoom.Alone(moving);
        var cost = node is null
            ? ""
            : await PodRoom.CostAsync(
                clusters.Pods(parameters.Cluster, Role), parameters.Node, moving, " It has no pods to evict now.", cancellationToken);
        var stuck = parameters.StuckFor > TimeSpan.Zero
            ? $" A pod that has not ended {DurationText.Format(parameters.StuckFor)} after its time is not waited for: "
                + "its node may not answer."
            : "";
        return new Preparation
        {
            PlannedEffect = $"Drain node {parameters.Node} on cluster {nodes.Cluster}: evict its pods as disruption budgets allow, "
                + $"and wait until they are gone. Pods of daemon sets stay.{cost}{stuck}",
            Identity = node?.Metadata.Uid,
            Refusal = node is null ? nodes.Missing(parameters.Node) : RefusalOf(alone),
        };
    }

    private static string? RefusalOf(List<string> alone)
    {
        var them = alone.Count == 1 ? "it" : "them";
        return alone.Count == 0
            ? null
            : $"Nothing would bring back {string.Join(", ", alone)}: no controller owns {them}. Move {them} by hand first.";
    }

    protected override Task<string?> CheckPermissionsAsync(
        DrainNodeParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Nodes(parameters.Cluster).CheckEvictionAsync(parameters.Node, cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        DrainNodeParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var evicted = await EvictedPods.OfAsync(context, cancellationToken);
        var (nodes, pods) = (clusters.Nodes(parameters.Cluster), clusters.Pods(parameters.Cluster, Role));
        var drain = new Drain(nodes, pods, parameters, preparation.Identity, context, evicted);
        while (await drain.ReadLeftAsync(cancellationToken) is { Count: > 0 } left)
        {
            drain.EnsureNotAllRefused(left);
            string? held = null;
            foreach (var pod in left.Where(drain.MayEvict))
            {
                held = await drain.EvictAsync(pod, cancellationToken) ?? held;
            }

            drain.Report(left, held);
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }

        return await drain.ResultAsync(cancellationToken);
    }

    private sealed class Drain(
        ClusterNodes nodes, ClusterPods pods, DrainNodeParameters parameters, string? uid, StepContext context, EvictedPods evicted)
    {
        private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);

        private readonly HashSet<string> _gone = new(StringComparer.Ordinal);
        private HashSet<string>? _first;
        private List<string> _stuck = [];
        private List<string> _came = [];
        private bool _mayBeEvicted;
        private string? _lastRound;

        private string Done =>
            $"{CountText.Format(evicted.Names.Count, "pod")} {CountText.Were(evicted.Names.Count)} evicted from node {parameters.Node}";

        /// <summary>An eviction that nobody answered may have been carried out.</summary>
        private bool NothingDone => evicted.Names.Count == 0 && !_mayBeEvicted;

        /// <summary>What was done, and since the first round what holds the other pods.</summary>
        private string Known => _lastRound ?? Done;

        private string DoneByName => $"{Done} ({Named(evicted.Names)})";

        public async Task<List<V1Pod>> ReadLeftAsync(CancellationToken cancellationToken)
        {
            await EnsureApprovedAsync(cancellationToken);
            var all = await context.LookAsync(Known, () => nodes.PodsAsync(parameters.Node, cancellationToken), cancellationToken);
            var there = all.Where(PodRoom.Moves).ToList();
            var first = _first ??= await ReadFirstAsync(there, cancellationToken);
            _came = Names(there.Where(pod => !first.Contains(pod.Metadata.Uid) && !IsEnding(pod)));
            var waitedFor = there.Where(pod => first.Contains(pod.Metadata.Uid)).ToLookup(IsStuck);
            _stuck = Names(waitedFor[true]);
            return [.. waitedFor[false]];
        }

        public void EnsureNotAllRefused(List<V1Pod> left)
        {
            if (left.TrueForAll(pod => !IsEnding(pod) && _refused.ContainsKey(pod.Metadata.Uid)))
            {
                var why = _refused[left[0].Metadata.Uid];
                throw new StepRefusedException(
                    evicted.Names.Count == 0
                        ? why
                        : $"{DoneByName}, and {Named(left.ConvertAll(PodRoom.NameOf))} could not be: {why}") { NothingDone = NothingDone };
            }
        }

        public bool MayEvict(V1Pod pod) => !IsEnding(pod) && !_refused.ContainsKey(pod.Metadata.Uid);

        /// <returns>What holds the pod, to be asked again in the next round. Null where it is settled.</returns>
        public async Task<string?> EvictAsync(V1Pod pod, CancellationToken cancellationToken)
        {
            await context.EnsureNotPausedAsync(evicted.Names.Count == 0 ? null : DoneByName, cancellationToken);
            var exactly = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid } };
            try
            {
                switch (await pods.EvictAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, exactly, cancellationToken))
                {
                    case EvictionOutcome.Budget:
                        return $"a disruption budget holds {PodRoom.NameOf(pod)}";
                    case EvictionOutcome.Accepted:
                        await evicted.AddAsync(pod);
                        return null;
                    default:
                        _gone.Add(PodRoom.NameOf(pod));
                        return null;
                }
            }
            catch (ClusterException failed)
            {
                _mayBeEvicted |= !failed.NothingDone;
                return $"{PodRoom.NameOf(pod)} could not be evicted: {failed.Message.TrimEnd('.')}";
            }
            catch (StepRefusedException no)
            {
                // The others are still evicted.
                _refused[pod.Metadata.Uid] = no.Message;
                return null;
            }
        }

        public void Report(List<V1Pod> left, string? held)
        {
            var waitsFor = held ?? $"{PodRoom.NameOf(left[0])} is still there";
            var refused = _refused.Count == 0 ? "" : $"; {_refused.Values.First().TrimEnd('.')}";
            _lastRound = $"{Done}, and {waitsFor}{refused}";
            context.Progress.Report(_lastRound);
        }

        public async Task<ActionResult> ResultAsync(CancellationToken cancellationToken)
        {
            var pending = await context.LookAsync(Done, () => PendingAsync(pods, evicted.Owners, cancellationToken), cancellationToken);
            return new ActionResult(Summary(pending))
            {
                FoundSo = NothingDone && context.Interrupted is null,
                Outputs = new Dictionary<string, string>
                {
                    ["evicted"] = $"{evicted.Names.Count}",
                    ["pending"] = pending.Count == 0 ? "none" : Named(pending),
                    ["stuck"] = string.Join(' ', _stuck),
                },
                Evidence = evicted.Evidence,
            };
        }

        private string Summary(List<string> pending)
        {
            var others = _gone.Except(evicted.Names).Count();
            return string.Concat(
                evicted.Names.Count == 0
                    ? $"Node {parameters.Node} had no pods to evict."
                    : $"Evicted {CountText.Format(evicted.Names.Count, "pod")} from node {parameters.Node}: {Named(evicted.Names)}.",
                others == 0 ? "" : $" {CountText.Format(others, "pod")} left by {(others == 1 ? "itself" : "themselves")} meanwhile.",
                Sentence("No other node has taken", pending, "so far"),
                Sentence("Left", _stuck, $"there that {(_stuck.Count == 1 ? "does" : "do")} not end"),
                _stuck.Count == 0 ? "" : $" {CleanText.Capital(PodRoom.WhyStuck)}.",
                Sentence("Left", _came, "there that came while it was drained, though it is cordoned"));
        }

        private static string Sentence(string before, List<string> pods, string after) =>
            pods.Count == 0 ? "" : $" {before} {CountText.Format(pods.Count, "pod")} {after}: {Named(pods)}.";

        /// <summary>A person who uncordons the node meanwhile means to stop this, and a machine may be replaced at any time.</summary>
        private async Task EnsureApprovedAsync(CancellationToken cancellationToken)
        {
            var node = await context.LookAsync(Known, () => nodes.FindAsync(parameters.Node, cancellationToken), cancellationToken);
            if (Lapse(node, uid) is { } lapse)
            {
                var before = evicted.Names.Count == 0 ? "Nothing was evicted." : $"Before that, {DoneByName}; no further one was.";
                throw new StepRefusedException($"Node {parameters.Node} {lapse}. {before}") { NothingDone = NothingDone };
            }
        }

        /// <summary>
        /// The uids of the pods that were there when the first attempt looked. Only these are drained, as by kubectl: a pod that comes to a
        /// cordoned node afterwards usually tolerates that, and would come again.
        /// </summary>
        private async Task<HashSet<string>> ReadFirstAsync(List<V1Pod> there, CancellationToken cancellationToken)
        {
            var memory = new StepMemory(context, "drained");
            HashSet<string> first = [.. await memory.ReadAsync(cancellationToken)];
            if (first.Count == 0)
            {
                first.UnionWith(there.Select(pod => pod.Metadata.Uid));
                await memory.WriteAsync(first);
            }

            return first;
        }

        private static bool IsEnding(V1Pod pod) => pod.Metadata.DeletionTimestamp is not null;

        // The timestamp is when the pod should be gone, its grace included. It goes when the node's kubelet says so, and that may be dead.
        private bool IsStuck(V1Pod pod) =>
            parameters.StuckFor > TimeSpan.Zero
            && pod.Metadata.DeletionTimestamp is { } due && context.Time.GetUtcNow().UtcDateTime - due > parameters.StuckFor;

        private static List<string> Names(IEnumerable<V1Pod> pods) => [.. pods.Select(PodRoom.NameOf).Order(StringComparer.Ordinal)];

        private static string Named(IReadOnlyCollection<string> pods) => CountText.Names(pods, PodRoom.MostNamed);
    }

    /// <returns>Why the node is not to be drained, to complete "node x …"; null when it is.</returns>
    private static string? Lapse(V1Node? node, string? uid) =>
        node is null || node.Metadata.Uid != uid ? "is no longer the one that was approved"
        : !new NodeSigns(node).IsCordoned ? "is not cordoned, so its pods would come back to it"
        : null;

    /// <summary>An evicted pod has not moved yet: where no node has room, the pod in its place waits.</summary>
    private static async Task<List<string>> PendingAsync(
        ClusterPods pods, IEnumerable<(string Namespace, string? Owner)> owners, CancellationToken cancellationToken)
    {
        var pending = new List<string>();
        foreach (var ns in owners.GroupBy(one => one.Namespace, one => one.Owner))
        {
            var waiting = (await pods.ListAsync(ns.Key, cancellationToken))
                .Where(pod => string.IsNullOrEmpty(pod.Spec.NodeName) && ns.Contains(PodReplacement.Controller(pod)?.Uid));
            pending.AddRange(waiting.Select(PodRoom.NameOf));
        }

        return pending;
    }
}

public sealed record DrainNodeParameters : NodeParameters
{
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    [Description("How long after its time a pod that does not end is still waited for; `0s` to wait for it whatever happens. "
        + "Pods end when their node's kubelet says so, and that of a dead node says nothing.")]
    public TimeSpan StuckFor { get; init; } = TimeSpan.FromMinutes(2);
}
