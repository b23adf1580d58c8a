using System.Globalization;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>A pod as the API shows it at a moment.</summary>
internal static class PodView
{
    private static readonly string[] ConditionTypes = ["Initialized", "Ready", "ContainersReady", "PodScheduled"];

    public static V1Pod Of(PracticePod pod, PodLife life, DateTimeOffset now)
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
                NamespaceProperty = PracticeCluster.Namespace,
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

    public static Dictionary<string, string> Labels(PracticePod pod) => new()
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

    private static V1ContainerStatus Container(PracticePod pod, PodLife life, bool ready) => new()
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
