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
