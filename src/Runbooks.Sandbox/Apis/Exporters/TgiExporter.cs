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
