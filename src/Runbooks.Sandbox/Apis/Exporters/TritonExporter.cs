namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>
/// The default metrics of a Triton for one model on a GPU: names, labels and help as in its <c>src/metrics.cc</c> and
/// <c>src/metric_model_reporter.cc</c>, in their order, written as prometheus-cpp writes them. Every series of a model exists twice: its
/// instances report what they execute, with their GPU, and the model reports what waits, without one.
/// </summary>
/// <seealso href="https://github.com/triton-inference-server/core/blob/main/src/metrics.cc"/>
internal sealed class TritonExporter(PodTraffic traffic)
{
    private const string Model = "ranker";
    private const double Memory = 16d * 1024 * 1024 * 1024;
    private const double GpuMemory = 15d * 1024 * 1024 * 1024;
    private static readonly KeyValuePair<string, string>[] s_gpu = [new("gpu_uuid", "GPU-4f1d7c52-9f0e-6a1b-8c3d-2b7e5a90c614")];
    private static readonly KeyValuePair<string, string>[] s_model = [new("model", Model), new("version", "1")];
    private static readonly KeyValuePair<string, string>[] s_instance = [.. s_gpu, .. s_model];
    private static readonly string[] s_reasons = ["REJECTED", "CANCELED", "BACKEND", "OTHER"];

    public IEnumerable<MetricFamily> Families(string? wanted) =>
    [
        .. Counter(wanted, "nv_inference_request_success", "Number of successful inference requests, all batch sizes", 1),
        .. !MetricFamily.MayHold("nv_inference_request_failure", wanted) ? Array.Empty<MetricFamily>() :
        [
            new MetricFamily("nv_inference_request_failure", "counter", "Number of failed inference requests, all batch sizes",
                [
                    .. s_reasons.SelectMany(
                        _ => new[] { s_instance, s_model },
                        (reason, labels) => new ExposedSeries(
                            "nv_inference_request_failure", [.. labels[..^1], new("reason", reason), labels[^1]], _ => 0)),
                ]),
        ],
        .. Counter(wanted, "nv_inference_count", "Number of inferences performed (does not include cached requests)", 1),
        .. Counter(wanted, "nv_inference_exec_count", "Number of model executions performed (does not include cached requests)", 0.25),
        .. Counter(
            wanted,
            "nv_inference_request_duration_us",
            "Cumulative inference request duration in microseconds (includes cached requests)",
            260_000),
        .. Counter(
            wanted,
            "nv_inference_queue_duration_us",
            "Cumulative inference queuing duration in microseconds (includes cached requests)",
            40_000),
        .. Counter(
            wanted,
            "nv_inference_compute_input_duration_us",
            "Cumulative compute input duration in microseconds (does not include cached requests)",
            2_000),
        .. Counter(
            wanted,
            "nv_inference_compute_infer_duration_us",
            "Cumulative compute inference duration in microseconds (does not include cached requests)",
            210_000),
        .. Counter(
            wanted,
            "nv_inference_compute_output_duration_us",
            "Cumulative inference compute output duration in microseconds (does not include cached requests)",
            1_000),
        .. Gauge(
            wanted,
            "nv_inference_pending_request_count",
            "Instantaneous number of pending requests awaiting execution per-model.",
            s_model,
            at => traffic.At(at)?.Waiting,
            s_instance),
        .. Gauge(wanted, "nv_model_load_duration_secs", "Model load time in seconds", s_model, _ => 4.2, s_instance),
        .. Gauge(wanted, "nv_pinned_memory_pool_total_bytes", "Pinned memory pool total memory size, in bytes", [], _ => 268435456),
        .. Gauge(wanted, "nv_pinned_memory_pool_used_bytes", "Pinned memory pool used memory size, in bytes", [], _ => 0),
        .. Gauge(wanted, "nv_gpu_utilization", "GPU utilization rate [0.0 - 1.0)", s_gpu, at => traffic.At(at) is { Rate: > 0 } ? 0.72 : 0),
        .. Gauge(wanted, "nv_gpu_memory_total_bytes", "GPU total memory, in bytes", s_gpu, _ => GpuMemory),
        .. Gauge(wanted, "nv_gpu_memory_used_bytes", "GPU used memory, in bytes", s_gpu, _ => GpuMemory * 0.6),
        .. Gauge(wanted, "nv_gpu_power_usage", "GPU power usage in watts", s_gpu, at => traffic.At(at) is { Rate: > 0 } ? 61 : 12),
        .. Gauge(wanted, "nv_gpu_power_limit", "GPU power management limit in watts", s_gpu, _ => 70),
        .. Family(
            wanted,
            "nv_energy_consumption",
            "counter",
            "GPU energy consumption in joules since the Triton Server started",
            s_gpu,
            Total(10),
            twin: null),
        .. Gauge(wanted, "nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]", [], at => traffic.At(at) is { Rate: > 0 } ? 0.61 : 0.02),
        .. Gauge(wanted, "nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes", [], _ => Memory),
        .. Gauge(wanted, "nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes", [], _ => Memory * 0.4),
    ];

    private IEnumerable<MetricFamily> Counter(string? wanted, string name, string help, double perRequest) =>
        Family(wanted, name, "counter", help, s_instance, Total(perRequest), s_model);

    private Func<DateTimeOffset, double?> Total(double perRequest) => at => Math.Floor(traffic.Finished(at, _ => perRequest));

    private static IEnumerable<MetricFamily> Gauge(
        string? wanted,
        string name,
        string help,
        KeyValuePair<string, string>[] labels,
        Func<DateTimeOffset, double?> value,
        KeyValuePair<string, string>[]? twin = null) =>
        Family(wanted, name, "gauge", help, labels, value, twin);

    /// <param name="twin">The labels of a second series that stays at 0; null for none.</param>
    private static IEnumerable<MetricFamily> Family(
        string? wanted, string name, string type, string help, KeyValuePair<string, string>[] labels, Func<DateTimeOffset, double?> value, KeyValuePair<string, string>[]? twin) =>
        !MetricFamily.MayHold(name, wanted) ? [] :
        [
            new MetricFamily(
                name,
                type,
                help,
                [new ExposedSeries(name, labels, value), .. twin is null ? [] : new[] { new ExposedSeries(name, twin, _ => 0) { IsUnused = true } }]),
        ];
}
