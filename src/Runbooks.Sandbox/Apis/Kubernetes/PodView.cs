namespace Runbooks.Sandbox.Apis.Kubernetes;

internal static class PodView
{
    private const int GraceSeconds = 30;

    private static readonly string[] s_conditionTypes = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];

    public static V1Pod Of(SandboxCluster cluster, SandboxPod pod, PodLife life, DateTimeOffset now)
    {
        var (started, ready) = (life.IsStarted(now), life.IsReady(now));
        var workload = cluster.WorkloadOf(pod);
        return new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                Name = pod.Name,
                NamespaceProperty = pod.Namespace,
                Uid = life.Uid,
                ResourceVersion = Version(life, now),
                GenerateName = pod.Owner is null ? null : pod.Owner.Name + "-",
                CreationTimestamp = life.CreatedAt.UtcDateTime,
                DeletionTimestamp = life.IsDeleted(now) ? life.DeletedAt?.UtcDateTime.AddSeconds(GraceSeconds) : null,
                DeletionGracePeriodSeconds = life.IsDeleted(now) ? GraceSeconds : null,
                Labels = Labels(pod, workload),
                Annotations = life.RestartedAt is { } restarted ? new Dictionary<string, string> { [WorkloadView.RestartedAt] = restarted } : null,
                OwnerReferences = pod.Owner is null ? null : [Owner(pod.Owner)],
            },
            Spec = new V1PodSpec
            {
                NodeName = life.Node,
                ServiceAccountName = "default",
                RestartPolicy = "Always",
                TerminationGracePeriodSeconds = GraceSeconds,
                Containers = [ContainerSpec(workload)],
            },
            Status = new V1PodStatus
            {
                Phase = started ? "Running" : "Pending",
                StartTime = life.Node is null ? null : life.CreatedAt.UtcDateTime,
                PodIP = started ? life.Ip : null,
                QosClass = "BestEffort",
                Conditions =
                [
                    .. s_conditionTypes
                        .Where(type => life.Node is not null || type == "PodScheduled")
                        .Select(type => Condition(type, cluster, workload, life, ready, now)),
                ],
                ContainerStatuses = life.Node is null ? null : [Container(workload, life, started, ready)],
            },
        };
    }

    public static V1Container ContainerSpec(Workload? workload) => new()
    {
        Name = workload?.Container ?? "main",
        Image = workload?.Image ?? "practice/main:1",
        Resources = workload?.UsesGpu == true ? new V1ResourceRequirements { Limits = Gpu, Requests = Gpu } : null,
    };

    /// <summary>Grows with every change that can be seen, as clients expect.</summary>
    public static string Version(DateTimeOffset now, params IEnumerable<DateTimeOffset?> changes) =>
        (changes.Where(at => at <= now).Max() ?? now).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    private static string Version(PodLife life, DateTimeOffset now) => Version(now, life.CreatedAt, life.StartedAt, life.ReadyAt, life.DeletedAt);

    private static Dictionary<string, string> Labels(SandboxPod pod, Workload? workload)
    {
        var labels = new Dictionary<string, string> { ["app"] = pod.App };
        if (workload is { Kind: WorkloadKind.Deployment } && workload.Revisions.FirstOrDefault(one => one.Name == pod.Owner?.Name) is { } revision)
        {
            labels["pod-template-hash"] = revision.Hash;
        }

        return labels;
    }

    private static Dictionary<string, ResourceQuantity> Gpu => new() { ["nvidia.com/gpu"] = new ResourceQuantity("1") };

    private static V1OwnerReference Owner(PodOwner owner) => new()
    {
        ApiVersion = "apps/v1",
        Kind = owner.Kind,
        Name = owner.Name,
        Uid = owner.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    private static V1PodCondition Condition(string type, SandboxCluster cluster, Workload? workload, PodLife life, bool ready, DateTimeOffset now)
    {
        var (reason, message) = life.Node is null && type == "PodScheduled" ? ("Unschedulable", NoNode(cluster.Nodes(), now))
            : !ready && type is ("Ready" or "ContainersReady") ? (
                "ContainersNotReady",
                $"containers with unready status: [{workload?.Container ?? "main"}]")
            : ((string?)null, (string?)null);
        return new()
        {
            Type = type,
            Status = ready || (life.Node is not null && type is "Initialized" or "PodScheduled") ? "True" : "False",
            Reason = reason,
            Message = message,
            LastTransitionTime = (ready ? life.ReadyAt : life.CreatedAt).UtcDateTime,
        };
    }

    private static string NoNode(IReadOnlyList<SandboxNode> nodes, DateTimeOffset now)
    {
        var why = nodes.GroupBy(node => node.Unschedulable ? "node(s) were unschedulable"
            : node.Taints.FirstOrDefault(taint => taint.Effect != "PreferNoSchedule") is { } taint ? $"node(s) had untolerated taint {{{taint.Key}: {taint.Value}}}"
            : node.ReadyAt > now ? "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
            : "node(s) didn't match Pod's node affinity/selector").Select(same => $"{same.Count()} {same.Key}").Order(StringComparer.Ordinal);
        return $"0/{nodes.Count} nodes are available: {string.Join(", ", why)}. preemption: "
            + $"0/{nodes.Count} nodes are available: {nodes.Count} Preemption is not helpful for scheduling.";
    }

    private static V1ContainerStatus Container(Workload? workload, PodLife life, bool started, bool ready) => new()
    {
        Name = workload?.Container ?? "main",
        Ready = ready,
        Started = started,
        RestartCount = 0,
        Image = workload?.Image ?? "practice/main:1",
        ImageID = "practice",
        State = started
            ? new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = life.StartedAt.UtcDateTime } }
            : new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ContainerCreating" } },
    };
}

internal static class ClusterEvents
{
    public static IEnumerable<Corev1Event> Of(SandboxCluster cluster, DateTimeOffset now) =>
        (from pod in cluster.PodsEver()
         from life in pod.Lives
         from happened in Happened(life)
         where happened.At <= now
         select PodEvent(pod, life, happened.At, happened.Reason, happened.Message))
        .Concat(cluster.Nodes().SelectMany(NodeEvents));

    private static IEnumerable<Corev1Event> NodeEvents(SandboxNode node)
    {
        if (node.Fault is { } fault)
        {
            var about = new V1ObjectReference { ApiVersion = "v1", Kind = "Node", Name = node.Name, Uid = node.Name };
            yield return Event(
                $"{node.Name}.xid",
                about,
                "default",
                fault.Since,
                ("XIDErrors", $"NVRM: Xid (PCI:0000:c1:00): {fault.Xid}, GPU has fallen off the bus."),
                "Warning");
        }
    }

    private static IEnumerable<(DateTimeOffset? At, string Reason, string Message)> Happened(PodLife life)
    {
        yield return (life.Node is null ? null : life.CreatedAt, "Scheduled", $"Successfully assigned the pod to {life.Node}");
        yield return (life.StartedAt, "Started", "Started container");
        yield return (life.DeletedAt, "Killing", "Stopping container");
    }

    private static Corev1Event PodEvent(SandboxPod pod, PodLife life, DateTimeOffset? at, string reason, string message) => Event(
        $"{pod.Name}.{life.Uid[..8]}.{reason.ToLowerInvariant()}",
        new V1ObjectReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Name, NamespaceProperty = pod.Namespace, Uid = life.Uid },
        pod.Namespace,
        at,
        (reason, message),
        "Normal");

    private static Corev1Event Event(
        string name, V1ObjectReference about, string ns, DateTimeOffset? at, (string Reason, string Message) what, string type) => new()
    {
        ApiVersion = "v1",
        Kind = "Event",
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = ns,
            Uid = name,
            CreationTimestamp = at?.UtcDateTime,
            ResourceVersion = at?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        },
        InvolvedObject = about,
        Reason = what.Reason,
        Message = what.Message,
        Type = type,
        Source = new V1EventSource { Component = about.Kind == "Node" ? "custom-plugin-monitor" : "kubelet" },
        FirstTimestamp = at?.UtcDateTime,
        LastTimestamp = at?.UtcDateTime,
        Count = 1,
    };
}

/// <summary>The log of a life so far. It is made from the life's times, so nothing is kept.</summary>
internal static class PodLog
{
    private const int LinesKept = 400;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    private static readonly string[] s_lastWords =
    [
        "WARNING KV cache is 97% full, preempting sequence group",
        "ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB, 312.00 MiB is free",
        "WARNING engine loop has not advanced for 10 s, 48 requests waiting",
    ];

    public static IEnumerable<(DateTimeOffset At, string Text)> Lines(PodLife life, DateTimeOffset now)
    {
        if (life.ReadyAt > now)
        {
            if (life.IsStarted(now))
            {
                yield return (life.StartedAt, "INFO loading model weights");
            }

            yield break;
        }

        var end = new[] { now, life.HungAt ?? now, life.DeletedAt ?? now }.Min();
        var last = (long)((end - life.ReadyAt) / s_pause);
        var first = Math.Max(0, last - LinesKept + 1);
        if (first == 0)
        {
            yield return (life.StartedAt, "INFO loading model weights");
            yield return (life.ReadyAt, "INFO model loaded, ready to serve");
        }

        for (var i = Math.Max(1, first); i <= last; i++)
        {
            var at = life.ReadyAt + (i * s_pause);
            var fromEnd = (int)Math.Min(last - i, int.MaxValue);
            yield return (at, life.IsHung(now) && fromEnd < s_lastWords.Length ? s_lastWords[^(fromEnd + 1)] : Served(i));
        }
    }

    /// <summary>With the time first, as <c>timestamps=true</c> writes it.</summary>
    public static string Stamped((DateTimeOffset At, string Text) line) =>
        line.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00Z", CultureInfo.InvariantCulture) + " " + line.Text;

    private static string Served(long i) =>
        $"INFO POST /v1/completions 200 tokens={40 + (i * 37 % 400)} ms={220 + (i * 53 % 700)}";
}

/// <summary>The log subresource with <c>container</c>, <c>previous</c>, <c>tailLines</c>, <c>limitBytes</c> and <c>timestamps</c>.</summary>
internal static class PodLogEndpoint
{
    public static IResult Read(HttpRequest request, SandboxCluster cluster, SandboxPod pod, PodLife life, DateTimeOffset now)
    {
        var query = request.Query;
        var main = PodView.ContainerSpec(cluster.WorkloadOf(pod)).Name;
        if (query["container"].ToString() is { Length: > 0 } container && container != main)
        {
            return KubernetesStatus.Error(400, "BadRequest", $"container {container} is not valid for pod {pod.Name}");
        }

        if (query["previous"] == "true")
        {
            if (pod.Before(life) is not { } before)
            {
                return KubernetesStatus.Error(400, "BadRequest", $"previous terminated container \"{main}\" in pod \"{pod.Name}\" not found");
            }

            life = before;
        }

        var lines = PodLog.Lines(life, now).ToList();
        if (Number(query["tailLines"]) is { } tail)
        {
            lines = [.. lines.TakeLast((int)Math.Min(tail, int.MaxValue))];
        }

        var text = string.Concat(lines.Select(line => (query["timestamps"] == "true" ? PodLog.Stamped(line) : line.Text) + "\n"));
        var bytes = Encoding.UTF8.GetBytes(text);
        var limit = (int)Math.Min(Number(query["limitBytes"]) ?? bytes.Length, bytes.Length);
        return Results.Bytes(bytes.AsMemory(0, limit), "text/plain");
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
