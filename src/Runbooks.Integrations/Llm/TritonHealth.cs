using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Of Triton. It has a gauge of what waits for a model and none of what runs, so a request that hangs while nobody waits behind
/// it is not seen. TensorRT-LLM takes requests before it works on them: for it ask <c>nv_trt_llm_request_metrics</c>.
/// </summary>
/// <seealso href="https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md"/>
internal sealed class TritonHealth(PrometheusClient prometheus)
    : ModelServerHealth(prometheus, s_server, "triton.health", "Looks whether requests wait for a model of Triton while none of its batches is executed, or too many wait.")
{
    private static readonly ModelServer s_server = new("Triton", null, "nv_inference_pending_request_count", "nv_inference_exec_count", "batches/s", "no batch was executed")
    {
        Engine = "model", PartLabel = "model",
    };
}
