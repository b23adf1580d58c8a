namespace Runbooks.Integrations.Kubernetes;

internal sealed class RecyclePod(Clusters clusters)
    : RunbookAction<RecyclePodParameters>(
        "kubernetes.recyclePod", "Keeps a pod's last logs, evicts it, and waits until its replacement is ready.")
{
    public override string Role => ClusterPods.Role;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new(
            "newPod",
            "The name of the pod that stands in its place: the old name where a StatefulSet owns it, another one where a Deployment does.",
            "chat-7d9c5b6f4-x2k7p"),
        new("newUid", "Its uid.", "5d6f0c1e-8a43-4c0b-9a5e-1f2d3c4b5a69"),
        new(
            "logs",
            "References of the logs that were kept, with blanks between them; empty where none were.",
            "inc-1/chat-7d9c5b6f4-m4q9z-0f3b9c2e.log"),
    ];

    // An interrupted attempt may have removed the pod already: the plan stays what that set out to do.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(
        RecyclePodParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var pods = clusters.Pods(parameters.Cluster);
        var pod = await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Recycle pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}"
                + $": {(parameters.KeepLogs ? "keep its last logs, " : "")}evict it"
                + (parameters.OnBudget == OnBudget.Delete ? " (delete it if a disruption budget objects)" : "")
                + $" and wait until the replacement is ready. It needs a place{(pod is null ? "" : PodRoom.Gpus([pod]))}; {PodRoom.NotLookedAt}."
                + (pod is null ? "" : await PodRoom.CostOfOneAsync(pods, pod, cancellationToken))
                + (pod is not null && PodReplacement.DeletionAskedFor(pod) is { } since
                    ? $" Its deletion was asked for {Measurement.Age(context.Time.GetUtcNow() - since)} ago."
                    : ""),
            Identity = pod?.Metadata.Uid,
            Refusal = Refusal(parameters, pod),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        RecyclePodParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Pods(parameters.Cluster).CheckPermissionsAsync(
            parameters.Namespace, parameters.Pod, parameters.OnBudget == OnBudget.Delete, cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RecyclePodParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var pods = clusters.Pods(parameters.Cluster);
        var uid = preparation.Identity
            ?? throw new StepRefusedException($"There was no pod {parameters.Namespace}/{parameters.Pod} "
                + "when this step was prepared.") { NothingDone = true };
        var started = context.Time.GetTimestamp();

        var pod = await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken);
        var logs = new PodLogKeeper(pods, context, uid);
        var replacement = new PodReplacement(pods, parameters.Namespace, parameters.Pod, uid, context);
        var (did, foundSo) = ("", false);
        if (pod?.Metadata.Uid != uid)
        {
            if (context.Interrupted is null)
            {
                throw Moved(parameters, uid, pod?.Metadata.Uid);
            }

            did = "Gone when this attempt came to it, by an earlier attempt or by somebody else:";
            await logs.FindKeptAsync(parameters.Pod, cancellationToken);
        }
        else
        {
            if (parameters.KeepLogs)
            {
                await logs.KeepAsync(pod, parameters.Container, cancellationToken);
            }

            await replacement.RememberAsync(pod, cancellationToken);
            (did, foundSo) = pod.Metadata.DeletionTimestamp is not null
                ? ("Was being deleted already:", context.Interrupted is null)
                : await RemoveAsync(pods, parameters, uid, context, cancellationToken);
        }

        var fresh = await replacement.WaitAsync(foundSo, cancellationToken);
        var took = context.Time.GetElapsedTime(started);
        return new ActionResult((
            $"{did} pod {parameters.Namespace}/{parameters.Pod} (uid {Short(uid)}); its replacement {fresh.Metadata.Name} "
            + $"(uid {Short(fresh.Metadata.Uid)}) was ready after {took.TotalSeconds:0} s. {logs.Text}").TrimEnd()
            + (replacement.Stuck is { } stuck ? $" The old pod {stuck}." : ""))
        {
            Outputs = new Dictionary<string, string>
            {
                ["newPod"] = fresh.Metadata.Name,
                ["newUid"] = fresh.Metadata.Uid,
                ["logs"] = string.Join(' ', logs.Kept),
            },
            Evidence = logs.Kept,
            FoundSo = foundSo,
        };
    }

    private static async Task<(string Did, bool FoundSo)> RemoveAsync(
        ClusterPods pods, RecyclePodParameters parameters, string uid, StepContext context, CancellationToken cancellationToken)
    {
        var exactly = new V1DeleteOptions
        {
            Preconditions = new V1Preconditions { Uid = uid },
            GracePeriodSeconds = (long?)parameters.Grace?.TotalSeconds,
        };
        var outcome = await pods.EvictAsync(parameters.Namespace, parameters.Pod, exactly, cancellationToken);
        var did = "Evicted";
        if (outcome == EvictionOutcome.Budget)
        {
            if (parameters.OnBudget == OnBudget.Refuse)
            {
                throw new StepRefusedException(
                    $"A disruption budget forbids evicting pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}: "
                        + "too few of its kind are healthy. Nothing was removed. "
                        + "Set 'onBudget: delete' in the runbook to recycle it all the same.") { NothingDone = true };
            }

            outcome = await pods.DeleteAsync(parameters.Namespace, parameters.Pod, exactly, cancellationToken);
            did = "Deleted, against a disruption budget,";
        }

        return outcome switch
        {
            EvictionOutcome.Replaced => throw Moved(parameters, uid, null),
            EvictionOutcome.Gone => ("Was gone before it could be evicted:", context.Interrupted is null),
            _ => (did, false),
        };
    }

    // Enough to tell one from the other; the record has them whole.
    private static string Short(string uid) => uid.Split('-')[0];

    internal static string? Refusal(RecyclePodParameters parameters, V1Pod? pod) => pod switch
    {
        null => $"There is no pod {parameters.Namespace}/{parameters.Pod}: nothing to recycle.",
        _ when PodReplacement.Controller(pod) is null => "No controller owns this pod, so nothing would bring it back.",
        _ when PodReplacement.Controller(pod) is { Kind: "Node" } => "This is a static pod of its node; evicting it does not restart it.",
        { Status.Phase: "Pending", Spec.NodeName: null or "" } => "No machine has taken this pod yet, "
            + "and another one would wait in the same line.",
        _ => null,
    };

    private static StepRefusedException Moved(RecyclePodParameters parameters, string uid, string? now) => new(
        $"Pod {parameters.Namespace}/{parameters.Pod} is no longer the one that was approved (uid {uid}"
        + (now is null ? "" : $", now {now}") + "). Nothing was removed.")
    {
        NothingDone = true,
    };
}

public sealed record RecyclePodParameters : PodParameters
{
    [KubernetesName]
    [Description("The container whose logs are kept; the pod's default one when left out.")]
    public string? Container { get; init; }

    [Description("Keep the last logs as evidence before the pod goes.")]
    public bool KeepLogs { get; init; } = true;

    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    [Description("How long the pod may take to stop; its own grace period when left out.")]
    public TimeSpan? Grace { get; init; }

    [Description("What to do when a disruption budget forbids the eviction: refuse, or delete the pod all the same.")]
    public OnBudget OnBudget { get; init; } = OnBudget.Refuse;
}

public enum OnBudget { Refuse, Delete }

/// <summary>Keeps the end of a pod's logs as evidence, under names that a second attempt finds again.</summary>
internal sealed class PodLogKeeper(ClusterPods pods, StepContext context, string uid)
{
    private const int MaxLines = 5000;
    internal const int MaxBytes = 1024 * 1024;
    private readonly List<string> _kept = [];

    public IReadOnlyList<string> Kept => _kept;

    public string Text { get; private set; } = "";

    /// <summary>The recycling does not depend on the logs: when they cannot be read, that is said and it goes on.</summary>
    public async Task KeepAsync(V1Pod pod, string? container, CancellationToken cancellationToken)
    {
        var name = new PodSigns(pod).ContainerName(container);
        try
        {
            await KeepAsync(pod, name, previous: false, cancellationToken);
            await KeepAsync(pod, name, previous: true, cancellationToken);
            Text = _kept.Count == 0 ? "It had no logs to keep." : "Its last logs are kept.";
        }
        catch (Exception unread) when (unread is ClusterException or StepRefusedException)
        {
            Text = $"Its logs could not be kept: {unread.Message}";
        }
    }

    public async Task FindKeptAsync(string podName, CancellationToken cancellationToken)
    {
        foreach (var previous in new[] { false, true })
        {
            var reference = $"{context.IncidentId}/{FileName(podName, previous)}";
            await using var content = await context.Evidence.OpenAsync(reference, cancellationToken);
            if (content is not null)
            {
                _kept.Add(reference);
            }
        }

        Text = _kept.Count == 0 ? "" : "Its last logs are kept.";
    }

    private async Task KeepAsync(V1Pod pod, string container, bool previous, CancellationToken cancellationToken)
    {
        await using var log = await pods.LogAsync(
            pod.Metadata.NamespaceProperty, pod.Metadata.Name, container, previous, MaxLines, cancellationToken);
        if (log is null)
        {
            return;
        }

        using var all = new MemoryStream();
        await log.CopyToAsync(all, cancellationToken);
        if (all.Length > 0)
        {
            var start = StartOf(all.GetBuffer().AsSpan(0, (int)all.Length));
            using var content = new MemoryStream(all.GetBuffer(), start, (int)all.Length - start, writable: false);
            _kept.Add(
                await context.Evidence.SaveAsync(context.IncidentId, FileName(pod.Metadata.Name, previous), content, cancellationToken));
        }
    }

    /// <summary>
    /// The end matters most. A log that is too long loses its beginning, cut between two lines, and after a private key whose own
    /// beginning is missing.
    /// </summary>
    internal static int StartOf(ReadOnlySpan<byte> log)
    {
        var start = log.Length <= MaxBytes ? 0 : AfterLine(log, log.Length - MaxBytes);
        var (begin, end) = (log[start..].IndexOf("-----BEGIN "u8), log[start..].IndexOf("-----END "u8));
        return end >= 0
            && (begin < 0 || end < begin)
            && log.Slice(start + end, Math.Min(60, log.Length - start - end)).IndexOf("PRIVATE KEY"u8) >= 0
            ? AfterLine(log, start + end)
            : start;
    }

    private static int AfterLine(ReadOnlySpan<byte> log, int at) =>
        log[at..].IndexOf((byte)'\n') is var length and >= 0 ? at + length + 1 : at;

    // The store allows 100 characters; pod names may have 253.
    private string FileName(string podName, bool previous) =>
        $"{(podName.Length > 60 ? podName[..60] : podName)}-{uid[..Math.Min(8, uid.Length)]}{(previous ? "-previous" : "")}.log";
}
