using Runbooks.Sandbox.Apis.Kubernetes;

namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>
/// What a Triton without GPUs exposes of one model by default: names, labels and help as in its <c>src/metrics.cc</c> and
/// <c>src/metric_model_reporter.cc</c>, in their order, written as prometheus-cpp writes them.
/// </summary>
/// <seealso href="https://github.com/triton-inference-server/core/blob/main/src/metrics.cc"/>
internal sealed class TritonExporter(SandboxPod pod, PodLife life, EngineTraffic traffic)
{
    private const string Model = "ranker";
    private const double Memory = 16d * 1024 * 1024 * 1024;
    private static readonly KeyValuePair<string, string>[] s_labels = [new("model", Model), new("version", "1")];
    private static readonly string[] s_reasons = ["REJECTED", "CANCELED", "BACKEND", "OTHER"];

    /// <param name="wanted">Only families that have a series of this name; all when null.</param>
    public IEnumerable<MetricFamily> Families(string? wanted) =>
    [
        .. Counter(wanted, "nv_inference_request_success", "Number of successful inference requests, all batch sizes", 1),
        .. !MetricFamily.MayHold("nv_inference_request_failure", wanted) ? Array.Empty<MetricFamily>() :
        [
            new MetricFamily("nv_inference_request_failure", "counter", "Number of failed inference requests, all batch sizes",
                [.. s_reasons.Select(reason => new ExposedSeries("nv_inference_request_failure", [s_labels[0], new("reason", reason), s_labels[1]], _ => 0))]),
        ],
        .. Counter(wanted, "nv_inference_count", "Number of inferences performed (does not include cached requests)", 1),
        .. Counter(wanted, "nv_inference_exec_count", "Number of model executions performed (does not include cached requests)", 0.25),
        .. Counter(wanted, "nv_inference_request_duration_us", "Cumulative inference request duration in microseconds (includes cached requests)", 260_000),
        .. Counter(wanted, "nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds (includes cached requests)", 40_000),
        .. Counter(wanted, "nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds (does not include cached requests)", 2_000),
        .. Counter(wanted, "nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds (does not include cached requests)", 210_000),
        .. Counter(wanted, "nv_inference_compute_output_duration_us", "Cumulative inference compute output duration in microseconds (does not include cached requests)", 1_000),
        .. Gauge(wanted, "nv_inference_pending_request_count", "Instantaneous number of pending requests awaiting execution per-model.", s_labels, at => Now(at)?.Waiting),
        .. Gauge(wanted, "nv_model_load_duration_secs", "Model load time in seconds", s_labels, _ => 4.2),
        .. Gauge(wanted, "nv_pinned_memory_pool_total_bytes", "Pinned memory pool total memory size, in bytes", [], _ => 268435456),
        .. Gauge(wanted, "nv_pinned_memory_pool_used_bytes", "Pinned memory pool used memory size, in bytes", [], _ => 0),
        .. Gauge(wanted, "nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]", [], at => Now(at) is { Rate: > 0 } ? 0.61 : 0.02),
        .. Gauge(wanted, "nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes", [], _ => Memory),
        .. Gauge(wanted, "nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes", [], _ => Memory * 0.4),
    ];

    private Stretch? Now(DateTimeOffset at) => traffic.Of(pod, life, at).LastOrDefault(stretch => stretch.From <= at);

    private IEnumerable<MetricFamily> Counter(string? wanted, string name, string help, double perRequest) => !MetricFamily.MayHold(name, wanted) ? [] :
    [
        new MetricFamily(name, "counter", help, [new ExposedSeries(name, s_labels, at => Math.Floor(traffic.Of(pod, life, at).Sum(stretch => stretch.TotalSeconds(at) * stretch.Rate * perRequest)))]),
    ];

    private static IEnumerable<MetricFamily> Gauge(string? wanted, string name, string help, KeyValuePair<string, string>[] labels, Func<DateTimeOffset, double?> value) =>
        MetricFamily.MayHold(name, wanted) ? [new MetricFamily(name, "gauge", help, [new ExposedSeries(name, labels, value)])] : [];
}
