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
        string name, string type, string help, params IReadOnlyList<ExposedSeries> series) => new(name, type, help, series);

    private IEnumerable<MetricFamily> Gauge(string? wanted, string name, string help, Func<DateTimeOffset, double?> value) =>
        MetricFamily.MayHold(name, wanted) ? [Family(name, "gauge", help, new ExposedSeries(name, _labels, value))] : [];

    private IEnumerable<MetricFamily> Counter(
        string? wanted, string name, string help, Func<Stretch, double> perRequest) => !MetricFamily.MayHold(name, wanted) ? [] :
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
                        $"{name}_total", With(one.Reason), at => Math.Floor(traffic.Finished(at, _ => one.Share)))),
                ]),
            Created(name, help, [.. reasons.Select(one => With(one.Reason))]),
        ];
    }

    /// <param name="value">The median of a request at that time.</param>
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
