using Runbooks.Sandbox.Apis.Kubernetes;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>What an exporter would have measured on the GPU pods at any moment, worked out from the lives of the pods.</summary>
internal sealed class GpuMetrics(SandboxClusters clusters)
{
    private static readonly TimeSpan Climb = TimeSpan.FromMinutes(6);

    public static readonly IReadOnlyList<string> Names =
    [
        "up", "DCGM_FI_DEV_FB_USED_PERCENT", "DCGM_FI_DEV_GPU_UTIL", "kube_pod_status_ready",
        "vllm:num_requests_waiting", "vllm:num_requests_running", "inference_latency_p95_seconds",
    ];

    public void Ask(string pod)
    {
        foreach (var cluster in clusters.All)
        {
            cluster.Find(pod);
        }
    }

    /// <summary>One sample for each GPU pod that existed then.</summary>
    public IEnumerable<Sample> Read(string metric, DateTimeOffset at) =>
        from cluster in clusters.All
        from pod in cluster.Pods()
        where pod.Owner?.Kind == "StatefulSet"
        let life = pod.At(at)
        where life is not null
        let value = Value(metric, pod, life, at)
        where value is not null
        select new Sample(Labels(metric, cluster, pod), value.Value);

    private static double? Value(string metric, SandboxPod pod, PodLife life, DateTimeOffset at)
    {
        var ready = life.IsReady(at);
        // 0 while healthy, rising to 1 in the minutes before it hangs, and 1 from then on.
        var trouble = life.HungAt is { } hung ? Math.Clamp(1 - ((hung - at) / Climb), 0, 1) : 0;
        double? Between(double healthy, double hung, double wobble) => ready
            ? Math.Round(healthy + ((hung - healthy) * trouble) + (wobble * (1 - trouble) * Wave(pod.Name, at)), 3)
            : null;

        return metric switch
        {
            "up" or "kube_pod_status_ready" => ready ? 1 : 0,
            "DCGM_FI_DEV_FB_USED_PERCENT" => ready ? Between(41, 98.2, 1.5) : 3,
            "DCGM_FI_DEV_GPU_UTIL" => Between(62, 100, 8),
            "vllm:num_requests_waiting" => Between(0, 48, 0),
            "vllm:num_requests_running" => Between(12, 16, 3),
            "inference_latency_p95_seconds" => Between(1.1, 30, 0.2),
            _ => null,
        };
    }

    // The same at the same moment for everybody, so that a graph looks alive and a test can rely on it.
    private static double Wave(string name, DateTimeOffset at) => Math.Sin((at.ToUnixTimeSeconds() / 45.0) + name[^1]);

    private static Dictionary<string, string> Labels(string metric, SandboxCluster cluster, SandboxPod pod)
    {
        var labels = new Dictionary<string, string>
        {
            ["__name__"] = metric,
            ["cluster"] = cluster.Name,
            ["namespace"] = SandboxCluster.Namespace,
            ["pod"] = pod.Name,
        };
        if (metric.StartsWith("DCGM_", StringComparison.Ordinal))
        {
            labels["gpu"] = "0";
        }

        return labels;
    }
}
