using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

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
