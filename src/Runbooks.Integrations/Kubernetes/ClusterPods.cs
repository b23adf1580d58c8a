using k8s;
using Runbooks.Catalog.Templates;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class ClusterPods(ClusterCalls calls)
{
    public const string Role = "Azure Kubernetes Service RBAC Writer, or a Kubernetes role with: "
        + "get and list pods, get pods/log, create pods/eviction, delete pods";

    public string Cluster => calls.Cluster;

    public string? Link => calls.Link;

    public Task<V1Pod?> FindAsync(string ns, string name, CancellationToken cancellationToken) => calls.FindAsync(
        $"get pod {ns}/{name}",
        client => client.CoreV1.ReadNamespacedPodAsync(name, ns, cancellationToken: cancellationToken),
        cancellationToken);

    public Task<IReadOnlyList<V1Pod>> ListAsync(string ns, CancellationToken cancellationToken) => calls.ListAsync<V1PodList, V1Pod>(
        $"list pods in {ns}",
        (client, limit, next) => client.CoreV1.ListNamespacedPodAsync(
            ns, limit: limit, continueParameter: next, cancellationToken: cancellationToken),
        onStatus: null,
        cancellationToken);

    /// <returns>
    /// The end of the log, each line with its time, at most <paramref name="lines"/> lines and about 8 MiB; null when there is none.
    /// </returns>
    public Task<Stream?> LogAsync(
        string ns, string name, string container, bool previous, int lines, CancellationToken cancellationToken) => calls.SendAsync<Stream?>(
        $"get the log of pod {ns}/{name}",
        async client => await client.CoreV1.ReadNamespacedPodLogAsync(
            name,
            ns,
            container: container,
            previous: previous,
            timestamps: true,
            tailLines: lines,
            limitBytes: 8 * 1024 * 1024,
            cancellationToken: cancellationToken),
        // 400: the container has no such log, because it never ran or never ran before.
        onStatus: status => status is 400 or 404 ? () => null : null,
        cancellationToken);

    public Task<EvictionOutcome> EvictAsync(
        string ns, string name, V1DeleteOptions exactly, CancellationToken cancellationToken) => RemoveAsync(
        "evict", ns, name, exactly,
        client => client.CoreV1.CreateNamespacedPodEvictionAsync(
            new V1Eviction
            {
                ApiVersion = "policy/v1",
                Kind = "Eviction",
                Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
                DeleteOptions = exactly,
            },
            name,
            ns,
            cancellationToken: cancellationToken),
        cancellationToken);

    /// <summary>Deletes exactly the pod with this UID, whatever disruption budgets say.</summary>
    public Task<EvictionOutcome> DeleteAsync(
        string ns, string name, V1DeleteOptions exactly, CancellationToken cancellationToken) => RemoveAsync(
        "delete", ns, name, exactly,
        client => client.CoreV1.DeleteNamespacedPodAsync(name, ns, exactly, cancellationToken: cancellationToken),
        cancellationToken);

    private async Task<EvictionOutcome> RemoveAsync<T>(
        string what, string ns, string name, V1DeleteOptions exactly, Func<IKubernetes, Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            return await calls.SendAsync<EvictionOutcome>(
                $"{what} pod {ns}/{name}",
                async client =>
                {
                    await send(client);
                    return EvictionOutcome.Accepted;
                },
                status => status switch
                {
                    404 => () => EvictionOutcome.Gone,
                    429 => () => EvictionOutcome.Budget,
                    _ => null,
                },
                cancellationToken);
        }
        catch (ClusterException conflict) when (conflict.Status == 409)
        {
            // Another UID is a conflict, and so is a change at the same moment.
            var now = (await FindAsync(ns, name, cancellationToken))?.Metadata.Uid;
            if (now == exactly.Preconditions.Uid)
            {
                throw;
            }

            return now is null ? EvictionOutcome.Gone : EvictionOutcome.Replaced;
        }
    }

    /// <summary>Asks whether this identity may evict the pod, or delete it where evicting is not enough.</summary>
    public async Task<string?> CheckPermissionsAsync(string ns, string name, bool delete, CancellationToken cancellationToken)
    {
        if (!await calls.MayAsync("create", new("", "pods", "eviction", ns, name), cancellationToken))
        {
            return calls.MissingPermission($"evict pod {ns}/{name}");
        }

        return delete && !await calls.MayAsync("delete", new("", "pods", null, ns, name), cancellationToken)
            ? calls.MissingPermission($"delete pod {ns}/{name}")
            : null;
    }
}

internal enum EvictionOutcome
{
    Accepted,

    Gone,

    Replaced,

    Budget,
}

internal sealed class PodReplacement(ClusterPods pods, string ns, string name, string oldUid, StepContext context)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Containers are killed when their time is over; after this long more, something keeps the pod.</summary>
    private static readonly TimeSpan s_stuckAfter = TimeSpan.FromMinutes(1);

    /// <summary>Drivers may take some minutes to let a process go. What has not ended by then is for people.</summary>
    private static readonly TimeSpan s_longestStuck = TimeSpan.FromMinutes(5);

    private V1OwnerReference? _owner;
    private HashSet<string> _before = [];

    /// <summary>The pod itself, where it was still there when it was last looked for.</summary>
    private V1Pod? _old;

    public static V1OwnerReference? Controller(V1Pod pod) =>
        pod.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true);

    /// <returns>
    /// When its deletion was asked for; null while nobody has. Kubernetes notes when it should be gone, its grace included.
    /// </returns>
    public static DateTime? DeletionAskedFor(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp?.AddSeconds(-(pod.Metadata.DeletionGracePeriodSeconds ?? 0));

    /// <summary>
    /// Notes which pods are there before the pod goes, so that a sibling is not taken for its replacement. If the pod is being deleted
    /// already, its controller has already made the replacement: a replica set does not wait until the old one is gone.
    /// </summary>
    public async Task RememberAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        _owner = Controller(pod);
        if (!KeepsName(_owner))
        {
            var since = DeletionAskedFor(pod);
            _before = [.. (await pods.ListAsync(ns, cancellationToken))
                .Where(each => since is null || each.Metadata.CreationTimestamp < since)
                .Select(each => each.Metadata.Uid)];
        }
    }

    /// <summary>A process that waits for a GPU may survive its kill. To complete "the pod …"; null where it is gone, or may still end.</summary>
    public string? Stuck => Late > s_stuckAfter ? $"has not ended {Measurement.Age(Late.Value)} after its time: {PodRoom.WhyStuck}" : null;

    private TimeSpan? Late => context.Time.GetUtcNow().UtcDateTime - _old?.Metadata.DeletionTimestamp;

    /// <summary>The replacement, once it is ready. The token carries the step's time limit.</summary>
    /// <param name="foundSo">The pod was told to end before this step, so the step has done nothing.</param>
    public async Task<V1Pod> WaitAsync(bool foundSo, CancellationToken cancellationToken)
    {
        var pod = $"pod {ns}/{name} (uid {oldUid})";
        var known = $"{pod} was told to end";
        while (true)
        {
            var fresh = await context.LookAsync(known, () => FindAsync(cancellationToken), cancellationToken);
            var done = _old is null ? $"{pod} is gone" : $"{pod} {Stuck ?? "was told to end"}";
            if (fresh is null && WaitsForTheOld(_owner) is { } controller && Late > s_longestStuck)
            {
                throw new StepRefusedException(
                    $"{CleanText.Capital(done)}. Its {controller} makes no other pod before it is gone: look at its machine, and restart that.")
                {
                    NothingDone = foundSo,
                };
            }

            if (fresh is null)
            {
                known = $"{done}; there is no replacement yet";
            }
            else if (new PodSigns(fresh) is { IsReady: false } signs)
            {
                known = $"{done}; its replacement is not ready: {fresh.Metadata.Name}: {signs.Text}; {signs.Trouble}";
            }
            else
            {
                return fresh;
            }

            context.Progress.Report(known);
            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }

    private async Task<V1Pod?> FindAsync(CancellationToken cancellationToken)
    {
        var same = await pods.FindAsync(ns, name, cancellationToken);
        _old = same?.Metadata.Uid == oldUid ? same : null;
        if (same is not null)
        {
            return _old is null ? same : await YoungestSiblingAsync(_old, cancellationToken);
        }

        return KeepsName(_owner) ? null : await YoungestSiblingAsync(null, cancellationToken);
    }

    private async Task<V1Pod?> YoungestSiblingAsync(V1Pod? old, CancellationToken cancellationToken)
    {
        var owner = _owner ?? (old is null ? null : Controller(old));
        if (KeepsName(owner))
        {
            return null;
        }

        return (await pods.ListAsync(ns, cancellationToken))
            .Where(pod => pod.Metadata.Uid != oldUid && !_before.Contains(pod.Metadata.Uid) && IsSibling(pod, owner))
            .MaxBy(pod => pod.Metadata.CreationTimestamp);
    }

    // After a crash the owner may be known only from the name that it generated for its pod.
    private bool IsSibling(V1Pod pod, V1OwnerReference? owner) =>
        owner is not null ? Controller(pod)?.Uid == owner.Uid : GeneratedPodName.AreSiblings(name, pod.Metadata.Name);

    private static bool KeepsName(V1OwnerReference? owner) => owner?.Kind == "StatefulSet";

    /// <returns>The controller in words. A daemon set may be told to make the new pod first; then there is one long before.</returns>
    private static string? WaitsForTheOld(V1OwnerReference? owner) => owner?.Kind switch
    {
        "StatefulSet" => "stateful set",
        "DaemonSet" => "daemon set",
        _ => null,
    };
}
