using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>The events a pod has left: killed, created, and readiness that came late.</summary>
internal static class PodEvents
{
    private const string InvolvedName = "involvedObject.name=";

    public static IEnumerable<Corev1Event> Of(PracticeCluster? cluster, DateTimeOffset now, string? fieldSelector)
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

    private static Corev1Event Event(PracticePod pod, PodLife life, DateTimeOffset? at, string reason, string message) => new()
    {
        ApiVersion = "v1",
        Kind = "Event",
        Metadata = new V1ObjectMeta { Name = $"{pod.Name}.{life.Uid[..8]}.{reason}", NamespaceProperty = PracticeCluster.Namespace, CreationTimestamp = at?.UtcDateTime },
        InvolvedObject = new V1ObjectReference { Kind = "Pod", Name = pod.Name, NamespaceProperty = PracticeCluster.Namespace, Uid = life.Uid },
        Reason = reason,
        Message = message,
        Type = "Normal",
        FirstTimestamp = at?.UtcDateTime,
        LastTimestamp = at?.UtcDateTime,
        Count = 1,
    };
}
