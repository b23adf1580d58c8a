using System.Globalization;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>A pod as the API shows it at a moment.</summary>
internal static class PodView
{
    private static readonly string[] ConditionTypes = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];

    public static V1Pod Of(SandboxCluster cluster, SandboxPod pod, PodLife life, DateTimeOffset now)
    {
        var ready = life.IsReady(now);
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
                DeletionTimestamp = life.IsDeleted(now) ? life.DeletedAt?.UtcDateTime : null,
                DeletionGracePeriodSeconds = life.IsDeleted(now) ? 30 : null,
                Labels = Labels(pod, workload),
                Annotations = life.RestartedAt is { } restarted ? new Dictionary<string, string> { [WorkloadView.RestartedAt] = restarted } : null,
                OwnerReferences = pod.Owner is null ? null : [Owner(pod.Owner)],
            },
            Spec = new V1PodSpec
            {
                NodeName = life.Node,
                ServiceAccountName = "default",
                RestartPolicy = "Always",
                TerminationGracePeriodSeconds = 30,
                Containers = [ContainerSpec(workload)],
            },
            Status = new V1PodStatus
            {
                Phase = ready ? "Running" : "Pending",
                StartTime = life.CreatedAt.UtcDateTime,
                PodIP = ready ? life.Ip : null,
                QosClass = "BestEffort",
                Conditions = [.. ConditionTypes.Select(type => Condition(type, life, ready))],
                ContainerStatuses = life.Node is null ? null : [Container(workload, life, ready)],
            },
        };
    }

    public static V1Container ContainerSpec(Workload? workload) => new()
    {
        Name = workload?.Container ?? "main",
        Image = workload?.Image ?? "practice/main:1",
        Resources = workload?.UsesGpu == true ? new V1ResourceRequirements { Limits = Gpu, Requests = Gpu } : null,
    };

    /// <summary>Moves on with every change that can be seen, as clients expect of it.</summary>
    public static string Version(DateTimeOffset now, params IEnumerable<DateTimeOffset?> changes) =>
        (changes.Where(at => at <= now).Max() ?? now).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    private static string Version(PodLife life, DateTimeOffset now) => Version(now, life.CreatedAt, life.ReadyAt, life.DeletedAt);

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

    private static V1PodCondition Condition(string type, PodLife life, bool ready)
    {
        var unscheduled = life.Node is null && type == "PodScheduled";
        return new()
        {
            Type = type,
            Status = ready || (life.Node is not null && type is "Initialized" or "PodScheduled") ? "True" : "False",
            Reason = unscheduled ? "Unschedulable" : null,
            Message = unscheduled ? "0/4 nodes are available: no node of its pool takes new pods." : null,
            LastTransitionTime = (ready ? life.ReadyAt : life.CreatedAt).UtcDateTime,
        };
    }

    private static V1ContainerStatus Container(Workload? workload, PodLife life, bool ready) => new()
    {
        Name = workload?.Container ?? "main",
        Ready = ready,
        Started = ready,
        RestartCount = 0,
        Image = workload?.Image ?? "practice/main:1",
        ImageID = "practice",
        State = ready
            ? new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = life.ReadyAt.UtcDateTime } }
            : new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ContainerCreating" } },
    };
}

/// <summary>The events that pods and nodes have left.</summary>
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
            yield return Event($"{node.Name}.xid", about, "default", fault.Since, ("XIDErrors", $"NVRM: Xid (PCI:0000:c1:00): {fault.Xid}, GPU has fallen off the bus."), "Warning");
        }
    }

    private static IEnumerable<(DateTimeOffset? At, string Reason, string Message)> Happened(PodLife life)
    {
        yield return (life.Node is null ? null : life.CreatedAt, "Scheduled", $"Successfully assigned the pod to {life.Node}");
        yield return (life.ReadyAt, "Started", "Started container");
        yield return (life.DeletedAt, "Killing", "Stopping container");
    }

    private static Corev1Event PodEvent(SandboxPod pod, PodLife life, DateTimeOffset? at, string reason, string message) => Event(
        $"{pod.Name}.{life.Uid[..8]}.{reason.ToLowerInvariant()}",
        new V1ObjectReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Name, NamespaceProperty = pod.Namespace, Uid = life.Uid },
        pod.Namespace,
        at,
        (reason, message),
        "Normal");

    private static Corev1Event Event(string name, V1ObjectReference about, string ns, DateTimeOffset? at, (string Reason, string Message) what, string type) => new()
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
