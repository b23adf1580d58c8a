namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>
/// The metrics of Text Generation Inference 3.3 without speculation and before it has joined batches: names, labels, buckets and help as
/// in its <c>router/src/server.rs</c> and <c>backends/v3</c>, written as metrics-exporter-prometheus writes them, sorted by name.
/// </summary>
/// <seealso href="https://github.com/huggingface/text-generation-inference/blob/v3.3.6/router/src/server.rs"/>
internal sealed class TgiExporter(PodTraffic traffic)
{
    private const double MaxInput = 3072;
    private const double MaxTotal = 4096;

    // Decode steps that a request takes part in, and how many requests are in one step.
    private const double StepsPerRequest = 15;

    private static readonly double[] s_durations = [.. Geometric().Take(35)];
    private static readonly double[] s_input = [.. Enumerable.Range(1, 100).Select(part => MaxInput / 100 * part)];
    private static readonly double[] s_total = [.. Enumerable.Range(1, 100).Select(part => MaxTotal / 100 * part)];
    private static readonly double[] s_sizes = [.. Enumerable.Range(1, 1024).Select(size => (double)size)];
    private static readonly string[] s_methods = ["decode", "prefill"];

    public IEnumerable<MetricFamily> Families(string? wanted) =>
    [
        .. Gauge(wanted, "tgi_batch_current_max_tokens", "Maximum tokens for the current batch", at => traffic.At(at)?.Running * 900),
        .. Gauge(wanted, "tgi_batch_current_size", "Current batch size", at => traffic.At(at)?.Running),
        .. Histogram(
            wanted,
            "tgi_batch_decode_duration",
            "Time spent decoding a batch per method (prefill or decode)",
            s_durations,
            _ => 0.0012,
            Steps,
            s_methods),
        .. Histogram(
            wanted,
            "tgi_batch_filter_duration",
            "Time spent filtering batches and sending generated tokens per method (prefill or decode)",
            s_durations,
            _ => 0.0003,
            Steps,
            s_methods),
        .. Histogram(
            wanted,
            "tgi_batch_forward_duration",
            "Batch forward duration per method (prefill or decode)",
            s_durations,
            _ => 0.02,
            Steps,
            s_methods),
        .. Counter(wanted, "tgi_batch_inference_count", "Inference calls per method (prefill or decode)", Steps, s_methods),
        .. Histogram(wanted, "tgi_batch_inference_duration", "Batch inference duration", s_durations, _ => 0.022, Steps, s_methods),
        .. Counter(wanted, "tgi_batch_inference_success", "Number of successful inference calls per method (prefill or decode)", Steps, s_methods),
        .. Histogram(wanted, "tgi_batch_next_size", "Batch size of the next batch", s_sizes, _ => 1.4, _ => 0.7),
        .. Gauge(wanted, "tgi_queue_size", "Current queue size", at => traffic.At(at)?.Waiting),
        .. Counter(wanted, "tgi_request_count", "Total number of requests", _ => 1),
        .. Histogram(
            wanted,
            "tgi_request_duration",
            "Total time spent processing the request",
            s_durations,
            stretch => stretch.FirstToken + 3.2,
            _ => 1),
        .. Histogram(wanted, "tgi_request_generated_tokens", "Generated tokens per request", s_total, _ => Stretch.AnswerTokens, _ => 1),
        .. Histogram(wanted, "tgi_request_inference_duration", "Request inference duration", s_durations, _ => 3.2, _ => 1),
        .. Histogram(wanted, "tgi_request_input_length", "Input token length per request", s_input, _ => Stretch.PromptTokens, _ => 1),
        .. Histogram(wanted, "tgi_request_max_new_tokens", "Maximum new tokens per request", s_total, _ => 512, _ => 1),
        .. Histogram(wanted, "tgi_request_mean_time_per_token_duration", "Mean time per token per request", s_durations, _ => 0.018, _ => 1),
        .. Histogram(
            wanted,
            "tgi_request_queue_duration",
            "Time spent in the queue per request",
            s_durations,
            stretch => Math.Max(0.01, stretch.FirstToken - 0.15),
            _ => 1),
        .. Counter(wanted, "tgi_request_success", "Number of successful requests", _ => 1),
        .. Histogram(wanted, "tgi_request_validation_duration", "Time spent validating the request", s_durations, _ => 0.0006, _ => 1),
    ];

    // Multiplied step by step, as in TGI: another order would round differently.
    private static IEnumerable<double> Geometric()
    {
        for (var value = 0.0001 * 1.5; ; value *= 1.5)
        {
            yield return value;
        }
    }

    private static double Steps(string? method) => method == "decode" ? StepsPerRequest : 0.7;

    private static IEnumerable<MetricFamily> Gauge(string? wanted, string name, string help, Func<DateTimeOffset, double?> value) =>
        MetricFamily.MayHold(name, wanted) ? [new MetricFamily(name, "gauge", help, [new ExposedSeries(name, [], value)])] : [];

    private IEnumerable<MetricFamily> Counter(
        string? wanted,
        string name,
        string help,
        Func<string?, double> perRequest,
        string[]? methods = null) => !MetricFamily.MayHold(name, wanted) ? [] :
    [
        new MetricFamily(
            name,
            "counter",
            help,
            [
                .. Each(methods).Select(method => new ExposedSeries(
                    name, Labels(method), at => Math.Floor(traffic.Finished(at, _ => perRequest(method))))),
            ]),
    ];

    /// <param name="value">The median of a request at that time.</param>
    private IEnumerable<MetricFamily> Histogram(
        string? wanted,
        string name,
        string help,
        double[] bounds,
        Func<Stretch, double> value,
        Func<string?, double> perRequest,
        string[]? methods = null) => !MetricFamily.MayHold(name, wanted) ? [] :
    [
        new MetricFamily(name, "histogram", help, [.. Each(methods).SelectMany(method => bounds.Append(double.PositiveInfinity)
            .Select(bound => new ExposedSeries(
                $"{name}_bucket",
                [.. Labels(method), new("le", Exposition.Number(bound))],
                at => Math.Floor(traffic.Finished(at, stretch => perRequest(method) * Stretch.ShareBelow(bound, value(stretch))))))
            .Append(new ExposedSeries(
                $"{name}_sum", Labels(method), at => Math.Round(traffic.Finished(at, stretch => perRequest(method) * value(stretch)), 3)))
            .Append(new ExposedSeries($"{name}_count", Labels(method), at => Math.Floor(traffic.Finished(at, _ => perRequest(method))))))]),
    ];

    private static string?[] Each(string?[]? methods) => methods ?? [null];

    private static KeyValuePair<string, string>[] Labels(string? method) => method is null ? [] : [new("method", method)];
}

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
