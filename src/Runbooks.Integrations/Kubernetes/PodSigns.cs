using System.Globalization;
using k8s.Models;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>What a pod's record says about its health, in words and as a verdict.</summary>
internal sealed record PodSigns(V1Pod Pod)
{
    private const string DefaultContainer = "kubectl.kubernetes.io/default-container";

    public bool IsReady => Pod.Metadata.DeletionTimestamp is null
        && Pod.Status?.Phase == "Running"
        && Pod.Status.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;

    public int Restarts => Pod.Status?.ContainerStatuses?.Sum(status => status.RestartCount) ?? 0;

    /// <summary>Why it is not ready, in a few words; null when it is.</summary>
    public string? Trouble => this switch
    {
        { Pod.Metadata.DeletionTimestamp: not null } => "being deleted",
        { IsReady: true } => null,
        _ when Waiting is { } reason => reason,
        { Pod.Status.Phase: "Running" } => "running but not ready",
        _ => Pod.Status?.Reason ?? $"in phase {Pod.Status?.Phase ?? "unknown"}",
    };

    public string ContainerName(string? asked) => asked
        ?? (Pod.Metadata.Annotations?.TryGetValue(DefaultContainer, out var name) == true ? name : Pod.Spec.Containers[0].Name);

    /// <summary>When the container that runs now was started.</summary>
    public DateTime? Started(string container) =>
        Pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == container)?.State?.Running?.StartedAt;

    /// <summary>For example <c>Running, ready, 2 restarts (last: OOMKilled), 1 GPU</c>.</summary>
    public string Words => string.Join(", ", new[]
    {
        Pod.Status?.Phase ?? "no phase",
        IsReady ? "ready" : "not ready",
        Restarts switch { 0 => "no restarts", 1 => "1 restart", var many => $"{many} restarts" } + (LastEnd is { } why ? $" (last: {why})" : ""),
        Gpus is { } gpus ? $"{gpus} GPU" : "",
    }.Where(part => part.Length > 0));

    private string? Waiting => Pod.Status?.ContainerStatuses?.Select(status => status.State?.Waiting?.Reason).FirstOrDefault(reason => reason is not null);

    private string? LastEnd => Pod.Status?.ContainerStatuses?.Select(status => status.LastState?.Terminated?.Reason).FirstOrDefault(reason => reason is not null);

    private string? Gpus
    {
        get
        {
            var gpus = Pod.Spec.Containers
                .SelectMany(container => container.Resources?.Limits ?? new Dictionary<string, ResourceQuantity>())
                .Where(limit => limit.Key.EndsWith("/gpu", StringComparison.Ordinal))
                .Sum(limit => limit.Value.ToDecimal());
            return gpus > 0 ? gpus.ToString("0.##", CultureInfo.InvariantCulture) : null;
        }
    }
}
