using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

/// <summary>Of vLLM.</summary>
/// <seealso href="https://docs.vllm.ai/en/v0.10.1/usage/metrics.html"/>
internal sealed class VllmHealth(PrometheusClient prometheus)
    : ModelServerHealth(prometheus, s_server, "vllm.health", "Looks whether vLLM engines have work and generate no token, or let too many requests wait.")
{
    public const string Running = "vllm:num_requests_running";
    public const string Waiting = "vllm:num_requests_waiting";
    public const string Tokens = "vllm:generation_tokens_total";

    private static readonly ModelServer s_server = new("vLLM", Running, Waiting, Tokens, "tokens/s", "no token was generated") { PartLabel = "engine" };
}
