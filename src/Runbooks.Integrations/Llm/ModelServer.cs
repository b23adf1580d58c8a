using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>The metrics by which one kind of model server tells of its work.</summary>
/// <param name="Running">A gauge of the requests that it works on; null where it has none.</param>
/// <param name="Progress">A counter of what comes of them.</param>
internal sealed record ModelServer(string Name, string? Running, string Waiting, string Progress, string Unit, string Nothing)
{
    /// <summary>The word for what hangs, beside <see cref="PartLabel"/>.</summary>
    public string Engine { get; init; } = "engine";

    /// <summary>The label that tells several engines in one pod apart.</summary>
    public string? PartLabel { get; init; }

    public static string PodOf(PrometheusSeries series) =>
        series.Labels.GetValueOrDefault("exported_pod") ?? series.Labels.GetValueOrDefault("pod", "?");

    /// <returns>Null where there is only one in a pod.</returns>
    public string? PartOf(PrometheusSeries series) => PartLabel is null ? null : series.Labels.GetValueOrDefault(PartLabel, "0");

    public string NameOf(PrometheusSeries series) => $"{PodOf(series)}{(PartOf(series) is { } part ? $" ({Engine} {part})" : "")}";

    /// <summary>
    /// A counter of what it has read, in the same unit, for servers with no such output: a vLLM of an embedding model generates no
    /// token. A request is counted when its first output is there.
    /// </summary>
    public string? Reading { get; init; }

    /// <summary>
    /// A label that only some series of an engine have. They are summed over it, so that all series of one engine have the same labels.
    /// </summary>
    public string? SplitBy { get; init; }

    /// <param name="query">For one metric: <c>rate({0}[5m])</c>.</param>
    public string Whole(string query) => SplitBy is null ? query : $"sum without ({SplitBy}) ({query})";

    /// <summary>Like <see cref="Whole"/>, for a figure that is the same in all parts.</summary>
    public string Once(string query) => SplitBy is null ? query : $"max without ({SplitBy}) ({query})";
}

/// <seealso href="https://docs.vllm.ai/en/v0.10.1/usage/metrics.html"/>
/// <seealso href="https://github.com/vllm-project/vllm/blob/v0.10.1/vllm/v1/metrics/stats.py"/>
internal sealed class VllmHealth(PrometheusClient prometheus)
    : ModelServerHealth(
        prometheus, s_server, "vllm.health", "Looks whether vLLM engines have work and generate no token, or let too many requests wait.")
{
    public const string Running = "vllm:num_requests_running";
    public const string Waiting = "vllm:num_requests_waiting";
    public const string Tokens = "vllm:generation_tokens_total";

    private static readonly ModelServer s_server =
        new("vLLM", Running, Waiting, Tokens, "tokens/s", "no token was generated")
        {
            PartLabel = "engine", Reading = "vllm:prompt_tokens_total",
        };
}

/// <summary>TGI counts tokens when a request ends, and batches while it works on them.</summary>
/// <seealso href="https://huggingface.co/docs/text-generation-inference/reference/metrics"/>
/// <seealso href="https://github.com/huggingface/text-generation-inference/blob/v3.3.6/backends/v3/src/backend.rs"/>
internal sealed class TgiHealth(PrometheusClient prometheus)
    : ModelServerHealth(
        prometheus,
        s_server,
        "tgi.health",
        "Looks whether Text Generation Inference servers have work and finish no batch, or let too many requests wait.")
{
    private static readonly ModelServer s_server = new(
        "TGI", "tgi_batch_current_size", "tgi_queue_size", "tgi_batch_inference_success", "batches/s", "no batch was finished")
    {
        Engine = "server", SplitBy = "method",
    };
}

/// <summary>
/// Triton has a gauge of what waits for a model and none of what runs, so a request that hangs while nobody waits behind it is
/// not seen. TensorRT-LLM takes requests before it works on them: for it ask <c>nv_trt_llm_request_metrics</c>.
/// A model on a GPU has each series twice: executions are counted for its GPU (<c>gpu_uuid</c>), waiting requests for the model.
/// </summary>
/// <seealso href="https://github.com/triton-inference-server/core/blob/main/src/metric_model_reporter.cc"/>
/// <seealso href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md"/>
internal sealed class TritonHealth(PrometheusClient prometheus)
    : ModelServerHealth(
        prometheus,
        s_server,
        "triton.health",
        "Looks whether requests wait for a model of Triton while none of its batches is executed, or too many wait.")
{
    private static readonly ModelServer s_server = new(
        "Triton", null, "nv_inference_pending_request_count", "nv_inference_exec_count", "batches/s", "no batch was executed")
    {
        Engine = "model", PartLabel = "model", SplitBy = "gpu_uuid",
    };
}

/// <summary>
/// Servers that reported a while ago and do not now. A server that Prometheus scrapes without an answer is down, however many
/// others there are. A server that it no longer scrapes may have been lost or scaled down, and Prometheus cannot tell which: it
/// counts if fewer report than at the beginning of the window. If as many report, it was a rollout. A server that loads its model
/// does not answer either: it counts as down only after the time that loading may take. A server that never reported may be the new one
/// in place of a pod that was recycled, so there it keeps the others from passing.
/// </summary>
/// <param name="Down">Prometheus still scrapes them, and has had no answer for longer than loading may take.</param>
/// <param name="Silent">Prometheus has had no answer for some minutes: they are gone, or load.</param>
/// <param name="Remembered">How long a server that is down is known by what it reported.</param>
internal sealed record GoneServers(
    IReadOnlyList<string> Down, IReadOnlyList<string> Silent, IReadOnlyList<string> NotScraped, TimeSpan Remembered)
{
    private const int MostNamed = 5;

    private static readonly TimeSpan s_remembered = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_silentFor = TimeSpan.FromMinutes(2);
    private static readonly GoneServers s_none = new([], [], [], s_remembered);

    public static async Task<GoneServers> FindAsync(
        PrometheusClient prometheus,
        ModelServer server,
        ModelServerParameters parameters,
        WorkloadSeries of,
        IReadOnlyList<PrometheusSeries> now,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var here = now.Select(server.NameOf).ToHashSet(StringComparer.Ordinal);
        // Elsewhere a pod that never reported may be of another program.
        var areAllServers = of.IsReplaced || of.Deployment is not null;

        // Twice as long as loading may take; otherwise a server would be forgotten before it counts as down.
        var remembered = TimeSpan.FromTicks(Math.Max(s_remembered.Ticks, 2 * parameters.LoadsFor.Ticks));
        var gone = await LostWithinAsync(remembered);

        // One failed scrape does not make a server gone: scrapes have to fail for longer. A server whose scrape failed is still scraped.
        var asked = gone.Count > 0 || areAllServers ? await PodsAsync("{0} == 0") : [];
        if (gone.Count + asked.Count == 0)
        {
            return s_none;
        }

        var (longer, loads) = (PromDuration.Of(s_silentFor), PromDuration.Of(parameters.LoadsFor));
        var silent = asked.Count == 0
            ? []
            : await PodsAsync($"{{0}} == 0 and max_over_time({{0}}[{longer}]) == 0 and count_over_time({{0}}[{longer}]) > 1");
        // A new target has not been scraped for that long, so it is not down yet.
        var down = silent.Count == 0
            ? []
            : await PodsAsync($"{{0}} == 0 and max_over_time({{0}}[{loads}]) == 0 and {{0}} offset {loads} == 0");
        var notScraped = (await LostWithinAsync(parameters.Window)).Where(series => !asked.Contains(ModelServer.PodOf(series))).ToList();
        if (notScraped.Count > 0)
        {
            var begin = time.GetUtcNow() - parameters.Window;
            var atBegin = await prometheus.RangeAsync(
                parameters.Endpoint, of.Of(server.Waiting), begin, begin, TimeSpan.FromSeconds(15), cancellationToken);
            if (here.Count >= Names(atBegin).Count)
            {
                notScraped = [];
            }
        }

        // A server in place of one that was replaced counts at once, a new one of a deployment only when it should have loaded.
        // What was down already a long time ago is not the new one: it would keep the others from passing without end.
        var knownPods = now.Concat(gone).Select(ModelServer.PodOf);
        var candidates = (of.IsReplaced ? silent : areAllServers ? down : []).Except(knownPods).ToList();
        var old = candidates.Count == 0 ? [] : await PodsAsync($"{{0}} offset {PromDuration.Of(remembered)} == 0");
        var neverReported = candidates.Except(old);
        return new(
            Among(down), [.. Among([.. silent.Except(down)]), .. neverReported.Order(StringComparer.Ordinal)], Names(notScraped), remembered);

        List<string> Among(HashSet<string> pods) => Names(gone.Where(series => pods.Contains(ModelServer.PodOf(series))));

        async Task<List<PrometheusSeries>> LostWithinAsync(TimeSpan over)
        {
            var query = of.Of(server.Waiting, $"present_over_time({{0}}[{PromDuration.Of(over)}])");
            var present = await prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
            return [.. present.Where(series => !here.Contains(server.NameOf(series)))];
        }

        async Task<HashSet<string>> PodsAsync(string query)
        {
            var up = await prometheus.QueryAsync(parameters.Endpoint, of.Of("up", query), cancellationToken);
            return up.Select(ModelServer.PodOf).ToHashSet(StringComparer.Ordinal);
        }

        List<string> Names(IEnumerable<PrometheusSeries> servers) => [.. servers
            .Select(server.NameOf)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
    }

    public CheckResult? Beside(CheckResult? others, string over) => others switch
    {
        { Verdict: Verdict.Failing } => others,
        _ when Down.Count > 0 => CheckResult.Failing($"{CountText.Names(Down, MostNamed)} reported within "
            + $"{PromDuration.Format(Remembered)} and {(Down.Count == 1 ? "does" : "do")} not answer any more."),
        _ when Silent.Count > 0 => Unknown(
            others,
            $"{CountText.Names(Silent, MostNamed)} {(Silent.Count == 1 ? "does" : "do")} not answer: "
                + $"gone, or loading {(Silent.Count == 1 ? "its" : "their")} model."),
        { Verdict: Verdict.Passing } when NotScraped.Count > 0 => Unknown(
            others,
            $"{CountText.Names(NotScraped, MostNamed)} {CountText.Are(NotScraped.Count)} gone, and fewer report than {over} ago: "
                + $"lost, or scaled down. This is said for {over}."),
        _ => others,
    };

    private static CheckResult Unknown(CheckResult? others, string words) =>
        others is null
            ? CheckResult.Unknown(words)
            : others with { Verdict = Verdict.Unknown, Summary = $"{others.Summary.TrimEnd('.')}; but {words}" };
}

/// <summary>
/// For how much of a time there were series: <c>min_over_time</c> and <c>rate</c> answer from two samples on, however new they are
/// and however long nobody answered between them.
/// </summary>
internal static class Coverage
{
    private const int Moments = 20;

    /// <summary>One failed scrape, or what is missing before the first one, is no reason for doubt.</summary>
    private const double Enough = 0.75;

    public static string Around(TimeSpan window) => $"count_over_time({{0}}[{PromDuration.Of(window)}:{PromDuration.Of(StepOf(window))}])";

    /// <returns>Empty where this Prometheus cannot answer such a question: then the other answers have to do.</returns>
    public static async Task<IReadOnlyList<PrometheusSeries>> AskAsync(
        PrometheusClient prometheus, string? endpoint, string query, CancellationToken cancellationToken)
    {
        try
        {
            return await prometheus.QueryAsync(endpoint, query, cancellationToken);
        }
        catch (PrometheusException)
        {
            return [];
        }
    }

    /// <param name="moments">As <see cref="Around"/> counts them; null where they are not known.</param>
    public static TimeSpan Of(double? moments, TimeSpan window) =>
        moments is { } counted && counted * StepOf(window).TotalSeconds < window.TotalSeconds ? counted * StepOf(window) : window;

    public static bool IsEnough(TimeSpan covered, TimeSpan window) => covered >= window * Enough;

    private static TimeSpan StepOf(TimeSpan window) => TimeSpan.FromSeconds(Math.Max(1, Math.Round(window.TotalSeconds / Moments)));
}
