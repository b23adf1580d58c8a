namespace Runbooks.Integrations.Kubernetes;

/// <summary>Finds and awaits the pod that a controller puts in the place of one that goes.</summary>
internal sealed class PodReplacement(ClusterPods pods, string ns, string name, string oldUid, StepContext context)
{
    private const int MaxFailures = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private V1OwnerReference? _owner;
    private HashSet<string> _before = [];

    public static V1OwnerReference? Controller(V1Pod pod) =>
        pod.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true);

    /// <summary>Notes who is there before the pod goes, so that a sibling is not taken for its replacement.</summary>
    public async Task RememberAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        _owner = Controller(pod);
        if (!KeepsName(_owner))
        {
            _before = [.. (await pods.ListAsync(ns, cancellationToken)).Select(each => each.Metadata.Uid)];
        }
    }

    /// <summary>The replacement, once it is ready. The step's time limit comes through the token.</summary>
    public async Task<V1Pod> WaitAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        context.Progress.Report($"pod {ns}/{name} (uid {oldUid}) was removed, and there is no replacement yet");
        while (true)
        {
            try
            {
                if (await FindAsync(cancellationToken) is { } pod)
                {
                    var signs = new PodSigns(pod);
                    if (signs.IsReady)
                    {
                        return pod;
                    }

                    context.Progress.Report($"pod {ns}/{name} (uid {oldUid}) was removed, and its replacement is not ready: {pod.Metadata.Name}: {signs.Words}; {signs.Trouble}");
                }

                failures = 0;
            }
            catch (ClusterException) when (++failures < MaxFailures)
            {
                // The pod is on its way whether or not this one look at it succeeds.
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
