namespace Runbooks.Integrations.Kubernetes;

internal static class PodRoom
{
    public const int MostNamed = 20;

    /// <summary>
    /// Follows a semicolon. Only the scheduler can say whether a pod finds a place, from what every node has left and from affinities,
    /// taints and volumes; these steps need no right to look at other nodes.
    /// </summary>
    public const string NotLookedAt = "whether there is room is not looked at";

    /// <summary>Why a pod may still be there long after it should have ended.</summary>
    public const string WhyStuck = "the node does not answer, a process cannot be killed, or a finalizer keeps it";

    /// <summary>Pods of daemon sets and static pods belong to the node; a pod that has ended needs no place.</summary>
    public static bool Moves(V1Pod pod) => PodReplacement.Controller(pod)?.Kind is not ("DaemonSet" or "Node") && !HasEnded(pod);

    public static bool HasEnded(V1Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    public static string NameOf(V1Pod pod) => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";

    public static List<string> Alone(List<V1Pod> leaving) =>
        leaving.FindAll(pod => PodReplacement.Controller(pod) is null).ConvertAll(NameOf);

    /// <returns>The GPUs that the pods have and need again: <c> with 2 GPUs</c>; empty for none.</returns>
    public static string Gpus(IEnumerable<V1Pod> pods) => pods.Sum(pod => new PodSigns(pod).Gpus) is > 0 and var gpus
        ? $" with {gpus:0.##} GPU{(gpus == 1 ? "" : "s")}"
        : "";

    /// <summary>What is lost until the pods of a node run elsewhere.</summary>
    /// <returns>A sentence or two that begin with a blank.</returns>
    public static async Task<string> CostAsync(
        ClusterPods pods, string node, List<V1Pod> leaving, string none, CancellationToken cancellationToken)
    {
        if (leaving.Count == 0)
        {
            return none;
        }

        List<V1Pod> moving = leaving.FindAll(pod => PodReplacement.Controller(pod) is not null);
        var alone = Alone(leaving);
        var ready = new HashSet<string?>(StringComparer.Ordinal);
        foreach (var ns in moving.Select(pod => pod.Metadata.NamespaceProperty).Distinct())
        {
            ready.UnionWith((await pods.ListAsync(ns, cancellationToken))
                .Where(pod => pod.Spec.NodeName != node && new PodSigns(pod).IsReady)
                .Select(pod => PodReplacement.Controller(pod)?.Uid));
        }

        var ofJobs = moving.FindAll(IsOfAJob).ConvertAll(NameOf);
        var last = moving.FindAll(pod => !ready.Contains(PodReplacement.Controller(pod)?.Uid)).ConvertAll(NameOf);
        return (moving.Count == 0 ? ""
                : $" Now that is {CountText.Format(moving.Count, "pod")}{Gpus(moving)}, for which other nodes need room; {NotLookedAt}.")
            + (ofJobs.Count == 0 ? ""
                : " These belong to jobs: what they have done since their last checkpoint is lost, "
                    + $"and a job that has no try left may end as failed: {CountText.Names(ofJobs, MostNamed)}.")
            + (last.Count == 0 ? "" : $" The controllers of these have no ready pod on another node: {CountText.Names(last, MostNamed)}.")
            + (alone.Count == 0 ? "" : $" No controller owns these, so nothing brings them back: {CountText.Names(alone, MostNamed)}.");
    }

    /// <summary>What is lost when one pod goes, beside its place.</summary>
    /// <returns>A sentence or two that begin with a blank; empty for nothing.</returns>
    public static async Task<string> CostOfOneAsync(ClusterPods pods, V1Pod pod, CancellationToken cancellationToken)
    {
        var controller = PodReplacement.Controller(pod)?.Uid;
        var isLast = controller is not null
            && new PodSigns(pod).IsReady
            && !(await pods.ListAsync(pod.Metadata.NamespaceProperty, cancellationToken)).Any(IsReadySibling);
        var ofJob = IsOfAJob(pod)
            ? " It belongs to a job: what it has done since its last checkpoint is lost, and a job that has no try left may end as failed."
            : "";
        return ofJob + (isLast ? " Its controller has no other pod that is ready." : "");

        bool IsReadySibling(V1Pod other) =>
            other.Metadata.Uid != pod.Metadata.Uid
            && PodReplacement.Controller(other)?.Uid == controller
            && new PodSigns(other).IsReady;
    }

    /// <summary>A job counts an evicted pod as failed. Training operators name their kinds like this too: PyTorchJob, MPIJob.</summary>
    /// <seealso href="https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy"/>
    private static bool IsOfAJob(V1Pod pod) => PodReplacement.Controller(pod)?.Kind?.EndsWith("Job", StringComparison.Ordinal) == true;
}

/// <summary>The pods that a step has evicted, over all its attempts: a line for each, saved before the next one is evicted.</summary>
internal sealed class EvictedPods
{
    private readonly SortedDictionary<string, string?> _owners = new(StringComparer.Ordinal);
    private readonly StepMemory _memory;

    private EvictedPods(StepMemory memory) => _memory = memory;

    public IReadOnlyCollection<string> Names => _owners.Keys;

    public IEnumerable<(string Namespace, string? Owner)> Owners => _owners.Select(one => (one.Key.Split('/')[0], one.Value)).Distinct();

    public IReadOnlyList<string> Evidence => _owners.Count == 0 ? [] : [_memory.Reference];

    public static async Task<EvictedPods> OfAsync(StepContext context, CancellationToken cancellationToken)
    {
        var pods = new EvictedPods(new StepMemory(context, "evicted"));
        foreach (var words in (await pods._memory.ReadAsync(cancellationToken)).Select(line => line.Split(' ')))
        {
            pods._owners[words[0]] = words.ElementAtOrDefault(1);
        }

        return pods;
    }

    public Task AddAsync(V1Pod pod)
    {
        _owners[PodRoom.NameOf(pod)] = PodReplacement.Controller(pod)?.Uid;
        return _memory.WriteAsync(_owners.Select(one => $"{one.Key} {one.Value}".TrimEnd()));
    }
}
