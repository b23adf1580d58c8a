using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>Of Hugging Face's Text Generation Inference. Its tokens are counted when a request ends, its batches as they are worked on.</summary>
/// <seealso href="https://huggingface.co/docs/text-generation-inference/reference/metrics"/>
/// <seealso href="https://github.com/huggingface/text-generation-inference/blob/v3.3.6/backends/v3/src/backend.rs"/>
internal sealed class TgiHealth(PrometheusClient prometheus)
    : ModelServerHealth(prometheus, s_server, "tgi.health", "Looks whether Text Generation Inference servers have work and finish no batch, or let too many requests wait.")
{
    private static readonly ModelServer s_server = new("TGI", "tgi_batch_current_size", "tgi_queue_size", "tgi_batch_inference_success", "batches/s", "no batch was finished")
    {
        Engine = "server", Rate = "sum without (method) ({0})",
    };
}
