namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>
/// The default metrics of vLLM 0.10.1: names, labels, types and help as in its <c>vllm/v1/metrics/loggers.py</c>, written as Python's
/// prometheus_client writes them.
/// </summary>
/// <seealso href="https://docs.vllm.ai/en/v0.10.1/usage/metrics.html"/>
internal sealed class VllmExporter(PodTraffic traffic)
{
    private const int MaxModelLength = 32768;

    private static readonly double[] s_firstToken =
    [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
        160.0, 640.0, 2560.0,
    ];
    private static readonly double[] s_perToken =
    [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    ];
    private static readonly double[] s_perPrefillToken = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
    private static readonly double[] s_latency =
    [
        0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
        1920.0, 7680.0,
    ];
    private static readonly double[] s_iteration = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
    private static readonly double[] s_few = [1, 2, 5, 10, 20];
    private static readonly double[] s_tokens =
    [
        .. Enumerable.Range(0, 5).SelectMany(power => new[] { 1, 2, 5 }.Select(m => m * Math.Pow(10, power))).Where(bound => bound <= MaxModelLength),
    ];

    // prometheus_client sorts the names of labels.
    private readonly KeyValuePair<string, string>[] _labels = [new("engine", "0"), new("model_name", Model(traffic.Pod))];

    /// <summary>Embeddings have no answer tokens.</summary>
    private double Answer => traffic.Pod.App == "embedder" ? 0 : Stretch.AnswerTokens;

    /// <param name="wanted">Only families that have a series of this name; all when null.</param>
    public IEnumerable<MetricFamily> Families(string? wanted) =>
    [
        .. Gauge(wanted, "vllm:num_requests_running", "Number of requests in model execution batches.", at => traffic.At(at)?.Running),
        .. Gauge(wanted, "vllm:num_requests_waiting", "Number of requests waiting to be processed.", at => traffic.At(at)?.Waiting),
        .. Gauge(
            wanted,
            "vllm:gpu_cache_usage_perc",
            "GPU KV-cache usage. 1 means 100 percent usage.DEPRECATED: Use vllm:kv_cache_usage_perc instead.",
            CacheUsage),
        .. Counter(
            wanted,
            "vllm:gpu_prefix_cache_queries",
            "GPU prefix cache queries, in terms of number of queriedtokens. DEPRECATED: Use vllm:prefix_cache_queries instead.",
            _ => Stretch.PromptTokens),
        .. Counter(
            wanted,
            "vllm:gpu_prefix_cache_hits",
            "GPU prefix cache hits, in terms of number of cached tokens. DEPRECATED: Use vllm:prefix_cache_hits instead.",
            _ => Stretch.PromptTokens / 3),
        .. Gauge(wanted, "vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", CacheUsage),
        .. Counter(wanted, "vllm:prefix_cache_queries", "Prefix cache queries, in terms of number of queried tokens.", _ => Stretch.PromptTokens),
        .. Counter(wanted, "vllm:prefix_cache_hits", "Prefix cache hits, in terms of number of cached tokens.", _ => Stretch.PromptTokens / 3),
        .. Counter(wanted, "vllm:num_preemptions", "Cumulative number of preemption from the engine.", stretch => stretch.Waiting > 0 ? 0.2 : 0),
        .. Counter(wanted, "vllm:prompt_tokens", "Number of prefill tokens processed.", _ => Stretch.PromptTokens),
        .. Counter(wanted, "vllm:generation_tokens", "Number of generation tokens processed.", _ => Answer),
        .. Counter(wanted, "vllm:request_success", "Count of successfully processed requests.", [("stop", 0.9), ("length", 0.08), ("abort", 0.02)]),
        .. Histogram(wanted, "vllm:request_prompt_tokens", "Number of prefill tokens processed.", s_tokens, _ => Stretch.PromptTokens),
        .. Histogram(wanted, "vllm:request_generation_tokens", "Number of generation tokens processed.", s_tokens, _ => Answer),
        .. Histogram(
            wanted,
            "vllm:iteration_tokens_total",
            "Histogram of number of tokens per engine_step.",
            s_iteration,
            _ => 24,
            perRequest: Stretch.AnswerTokens / 24),
        .. Histogram(
            wanted,
            "vllm:request_max_num_generation_tokens",
            "Histogram of maximum number of requested generation tokens.",
            s_tokens,
            _ => Answer),
        .. Histogram(wanted, "vllm:request_params_n", "Histogram of the n request parameter.", s_few, _ => 1),
        .. Histogram(
            wanted,
            "vllm:request_params_max_tokens",
            "Histogram of the max_tokens request parameter.",
            s_tokens,
            _ => 512,
            perRequest: Answer > 0 ? 1 : 0),
        .. Histogram(
            wanted,
            "vllm:time_to_first_token_seconds",
            "Histogram of time to first token in seconds.",
            s_firstToken,
            stretch => stretch.FirstToken),
        .. Histogram(
            wanted,
            "vllm:time_per_output_token_seconds",
            "Histogram of time per output token in seconds.",
            s_perToken,
            stretch => PerToken(stretch),
            perRequest: Math.Max(0, Answer - 1)),
        .. Histogram(
            wanted,
            "vllm:time_per_prefill_token_request_seconds",
            "Time spent per token during prefill  phase in seconds",
            s_perPrefillToken,
            _ => 0.0004),
        .. Histogram(
            wanted,
            "vllm:e2e_request_latency_seconds",
            "Histogram of e2e request latency in seconds.",
            s_latency,
            stretch => stretch.FirstToken + (PerToken(stretch) * Answer)),
        .. Histogram(
            wanted,
            "vllm:request_queue_time_seconds",
            "Histogram of time spent in WAITING phase for request.",
            s_latency,
            stretch => Math.Max(0.01, stretch.FirstToken - 0.15)),
        .. Histogram(
            wanted,
            "vllm:request_inference_time_seconds",
            "Histogram of time spent in RUNNING phase for request.",
            s_latency,
            stretch => 0.15 + (PerToken(stretch) * Answer)),
        .. Histogram(wanted, "vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", s_latency, _ => 0.15),
        .. Histogram(
            wanted,
            "vllm:request_decode_time_seconds",
            "Histogram of time spent in DECODE phase for request.",
            s_latency,
            stretch => PerToken(stretch) * Answer),
        .. !MetricFamily.MayHold("vllm:cache_config_info", wanted) ? Array.Empty<MetricFamily>() :
        [
            Family("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig", new ExposedSeries("vllm:cache_config_info",
                [
                    new("block_size", "16"),
                    new("cache_dtype", "auto"),
                    new("engine", "0"),
                    new("gpu_memory_utilization", "0.9"),
                    new("num_gpu_blocks", "27612"),
                ], _ => 1)),
        ],
    ];

    public static string Model(SandboxPod pod) => pod.App switch
    {
        "chat-vllm" => "practice-chat",
        "embedder" => "practice-embed",
        _ => "practice-large",
    };

    private static double PerToken(Stretch stretch) => stretch.Running > 14 ? 0.04 : 0.022;

    private double? CacheUsage(DateTimeOffset at) => traffic.At(at) is { } now
        ? Math.Round(Math.Min(0.99, (now.Running * 0.034) + (now.Waiting * 0.011)), 4)
        : null;

    private static MetricFamily Family(
        string name,
        string type,
        string help,
        params IReadOnlyList<ExposedSeries> series) => new(name, type, help, series);

    private IEnumerable<MetricFamily> Gauge(string? wanted, string name, string help, Func<DateTimeOffset, double?> value) =>
        MetricFamily.MayHold(name, wanted) ? [Family(name, "gauge", help, new ExposedSeries(name, _labels, value))] : [];

    private IEnumerable<MetricFamily> Counter(
        string? wanted,
        string name,
        string help,
        Func<Stretch, double> perRequest) => !MetricFamily.MayHold(name, wanted) ? [] :
    [
        Family($"{name}_total", "counter", help, new ExposedSeries($"{name}_total", _labels, at => Math.Floor(traffic.Finished(at, perRequest)))),
        Created(name, help, [_labels]),
    ];

    private IEnumerable<MetricFamily> Counter(string? wanted, string name, string help, (string Reason, double Share)[] reasons)
    {
        if (!MetricFamily.MayHold(name, wanted))
        {
            return [];
        }

        KeyValuePair<string, string>[] With(string reason) => [_labels[0], new("finished_reason", reason), _labels[1]];
        return
        [
            Family(
                $"{name}_total",
                "counter",
                help,
                [
                    .. reasons.Select(one => new ExposedSeries(
                        $"{name}_total",
                        With(one.Reason),
                        at => Math.Floor(traffic.Finished(at, _ => one.Share)))),
                ]),
            Created(name, help, [.. reasons.Select(one => With(one.Reason))]),
        ];
    }

    /// <param name="value">The median of a request at that time.</param>
    /// <param name="perRequest">How often each request is observed.</param>
    private IEnumerable<MetricFamily> Histogram(
        string? wanted,
        string name,
        string help,
        double[] bounds,
        Func<Stretch, double> value,
        double perRequest = 1) => !MetricFamily.MayHold(name, wanted) ? [] :
    [
        Family(
            name,
            "histogram",
            help,
            [
                .. bounds.Append(double.PositiveInfinity).Select(bound => new ExposedSeries(
                    $"{name}_bucket",
                    [_labels[0], new("le", double.IsInfinity(bound) ? "+Inf" : Python(bound)), _labels[1]],
                    at => Math.Floor(traffic.Finished(at, stretch => perRequest * Stretch.ShareBelow(bound, value(stretch)))))),
                new ExposedSeries($"{name}_count", _labels, at => Math.Floor(traffic.Finished(at, _ => perRequest))),
                new ExposedSeries($"{name}_sum", _labels, at => Math.Round(traffic.Finished(at, stretch => perRequest * value(stretch)), 3)),
            ]),
        Created(name, help, [_labels]),
    ];

    private MetricFamily Created(string name, string help, IReadOnlyList<KeyValuePair<string, string>[]> labels) =>
        Family(
            $"{name}_created",
            "gauge",
            help,
            [.. labels.Select(set => new ExposedSeries($"{name}_created", set, _ => traffic.Life.ReadyAt.ToUnixTimeMilliseconds() / 1000.0))]);

    private static string Python(double bound) => bound.ToString(bound == Math.Floor(bound) ? "0.0" : "R", CultureInfo.InvariantCulture);
}

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

    /// <param name="wanted">Only families that have a series of this name; all when null.</param>
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
                    name,
                    Labels(method),
                    at => Math.Floor(traffic.Finished(at, _ => perRequest(method))))),
            ]),
    ];

    /// <param name="value">The median of a request at that time.</param>
    /// <param name="perRequest">How often each request is observed.</param>
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
                $"{name}_sum",
                Labels(method),
                at => Math.Round(traffic.Finished(at, stretch => perRequest(method) * value(stretch)), 3)))
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

    /// <param name="wanted">Only families that have a series of this name; all when null.</param>
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
                            "nv_inference_request_failure",
                            [.. labels[..^1], new("reason", reason), labels[^1]],
                            _ => 0)),
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
