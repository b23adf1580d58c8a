namespace Runbooks.Integrations.Kubernetes;

/// <summary>Finds and awaits the pod that a controller puts in the place of one that goes.</summary>
internal sealed class PodReplacement(ClusterPods pods, string ns, string name, string oldUid, StepContext context)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private V1OwnerReference? _owner;
    private HashSet<string> _before = [];

    public static V1OwnerReference? Controller(V1Pod pod) =>
        pod.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true);

    /// <returns>When its deletion was asked for; null while nobody has. What Kubernetes notes is when it should be gone, its grace included.</returns>
    public static DateTime? DeletionAskedFor(V1Pod pod) => pod.Metadata.DeletionTimestamp?.AddSeconds(-(pod.Metadata.DeletionGracePeriodSeconds ?? 0));

    /// <summary>
    /// Notes who is there before the pod goes, so that a sibling is not taken for its replacement. Where the pod is being deleted
    /// already, its controller has made the replacement already: a replica set does not wait until the old one is gone.
    /// </summary>
    public async Task RememberAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        _owner = Controller(pod);
        if (!KeepsName(_owner))
        {
            var since = DeletionAskedFor(pod);
            _before = [.. (await pods.ListAsync(ns, cancellationToken)).Where(each => since is null || each.Metadata.CreationTimestamp < since).Select(each => each.Metadata.Uid)];
        }
    }

    /// <summary>The replacement, once it is ready. The step's time limit comes through the token.</summary>
    public async Task<V1Pod> WaitAsync(CancellationToken cancellationToken)
    {
        var done = $"pod {ns}/{name} (uid {oldUid}) was removed";
        while (true)
        {
            if (await context.LookAsync(done, () => FindAsync(cancellationToken), cancellationToken) is { } pod)
            {
                var signs = new PodSigns(pod);
                if (signs.IsReady)
                {
                    return pod;
                }

                context.Progress.Report($"{done}, and its replacement is not ready: {pod.Metadata.Name}: {signs.Words}; {signs.Trouble}");
            }
            else
            {
                context.Progress.Report($"{done}, and there is no replacement yet");
            }

            await Task.Delay(Pause, context.Time, cancellationToken);
        }
    }

    private async Task<V1Pod?> FindAsync(CancellationToken cancellationToken)
    {
        var same = await pods.FindAsync(ns, name, cancellationToken);
        if (same is not null)
        {
            return same.Metadata.Uid == oldUid ? await YoungestSiblingAsync(same, cancellationToken) : same;
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

    // After a crash the owner may only be told from the name that it made up for its pod.
    private bool IsSibling(V1Pod pod, V1OwnerReference? owner) =>
        owner is not null ? Controller(pod)?.Uid == owner.Uid : GeneratedPodName.AreSiblings(name, pod.Metadata.Name);

    private static bool KeepsName(V1OwnerReference? owner) => owner?.Kind == "StatefulSet";
}
