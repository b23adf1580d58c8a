using System.Globalization;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>A pod as the API shows it at a moment.</summary>
internal static class PodView
{
    private static readonly string[] ConditionTypes = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];

    public static V1Pod Of(SandboxPod pod, PodLife life, DateTimeOffset now)
    {
        var ready = life.IsReady(now);
        var gpu = pod.Owner?.Kind == "StatefulSet";
        return new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                Name = pod.Name,
                NamespaceProperty = SandboxCluster.Namespace,
                Uid = life.Uid,
                ResourceVersion = Version(life, now),
                GenerateName = pod.Owner is null ? null : pod.Owner.Name + "-",
                CreationTimestamp = life.CreatedAt.UtcDateTime,
                DeletionTimestamp = life.DeletedAt?.UtcDateTime,
                Labels = Labels(pod),
                OwnerReferences = pod.Owner is null ? null : [Owner(pod.Owner)],
            },
            Spec = new V1PodSpec
            {
                NodeName = gpu ? "gpu-pool-0" : "pool-0",
                Containers = [new V1Container
                {
                    Name = pod.Container,
                    Image = gpu ? "practice/vllm:1" : "practice/main:1",
                    Resources = gpu ? new V1ResourceRequirements { Limits = Gpu, Requests = Gpu } : null,
                }],
            },
            Status = new V1PodStatus
            {
                Phase = ready ? "Running" : "Pending",
                StartTime = life.CreatedAt.UtcDateTime,
                Conditions = [.. ConditionTypes.Select(type => Condition(type, life, ready))],
                ContainerStatuses = [Container(pod, life, ready)],
            },
        };
    }

    public static Dictionary<string, string> Labels(SandboxPod pod) => new()
    {
        ["app"] = pod.Owner?.Kind == "StatefulSet" ? pod.Owner.Name : pod.Name.Split('-')[0],
    };

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

    private static V1PodCondition Condition(string type, PodLife life, bool ready) => new()
    {
        Type = type,
        Status = ready || type is "Initialized" or "PodScheduled" ? "True" : "False",
        LastTransitionTime = (ready ? life.ReadyAt : life.CreatedAt).UtcDateTime,
    };

    private static V1ContainerStatus Container(SandboxPod pod, PodLife life, bool ready) => new()
    {
        Name = pod.Container,
        Ready = ready,
        Started = ready,
        RestartCount = 0,
        Image = "practice",
        ImageID = "practice",
        State = ready
            ? new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = life.ReadyAt.UtcDateTime } }
            : new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ContainerCreating" } },
    };

    // Moves on with every change that can be seen, as clients expect of it.
    private static string Version(PodLife life, DateTimeOffset now)
    {
        var changed = new[] { life.CreatedAt, life.ReadyAt, life.DeletedAt }.Where(at => at <= now).Max() ?? life.CreatedAt;
        return changed.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Label and field selectors of a list request: equality and inequality, comma for "and", a bare label for "has it".</summary>
internal static class PodSelector
{
    public static bool Matches(V1Pod pod, string? labelSelector, string? fieldSelector) =>
        Terms(labelSelector).All(term => Holds(term, key => pod.Metadata.Labels.TryGetValue(key, out var value) ? value : null))
        && Terms(fieldSelector).All(term => Holds(term, key => Field(pod, key)));

    private static string[] Terms(string? selector) =>
        (selector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool Holds(string term, Func<string, string?> read)
    {
        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            return read(term) is not null;
        }

        var wanted = term[(at + 1)..].TrimStart('=').Trim();
        return term[at - 1] == '!'
            ? read(term[..(at - 1)].Trim()) != wanted
            : read(term[..at].Trim()) == wanted;
    }

    private static string? Field(V1Pod pod, string key) => key switch
    {
        "metadata.name" => pod.Metadata.Name,
        "metadata.namespace" => pod.Metadata.NamespaceProperty,
        "status.phase" => pod.Status.Phase,
        "spec.nodeName" => pod.Spec.NodeName,
        _ => null,
    };
}

/// <summary>The events a pod has left: killed, created, and readiness that came late.</summary>
internal static class PodEvents
{
    private const string InvolvedName = "involvedObject.name=";

    public static IEnumerable<Corev1Event> Of(SandboxCluster? cluster, DateTimeOffset now, string? fieldSelector)
    {
        var name = (fieldSelector ?? "").Split(',').FirstOrDefault(term => term.StartsWith(InvolvedName, StringComparison.Ordinal))?[InvolvedName.Length..];
        return from pod in cluster?.Pods() ?? []
               where name is null || pod.Name == name
               from life in pod.Lives
               from happened in Happened(life)
               where happened.At <= now
               select Event(pod, life, happened.At, happened.Reason, happened.Message);
    }

    private static IEnumerable<(DateTimeOffset? At, string Reason, string Message)> Happened(PodLife life)
    {
        yield return (life.CreatedAt, "Scheduled", "Successfully assigned the pod to a node");
        yield return (life.ReadyAt, "Started", "Started container");
        yield return (life.DeletedAt, "Killing", "Stopping container");
    }

    private static Corev1Event Event(SandboxPod pod, PodLife life, DateTimeOffset? at, string reason, string message) => new()
    {
        ApiVersion = "v1",
        Kind = "Event",
        Metadata = new V1ObjectMeta { Name = $"{pod.Name}.{life.Uid[..8]}.{reason}", NamespaceProperty = SandboxCluster.Namespace, CreationTimestamp = at?.UtcDateTime },
        InvolvedObject = new V1ObjectReference { Kind = "Pod", Name = pod.Name, NamespaceProperty = SandboxCluster.Namespace, Uid = life.Uid },
        Reason = reason,
        Message = message,
        Type = "Normal",
        FirstTimestamp = at?.UtcDateTime,
        LastTimestamp = at?.UtcDateTime,
        Count = 1,
    };
}
