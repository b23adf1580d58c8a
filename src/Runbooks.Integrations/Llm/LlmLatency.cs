using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Prometheus;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Llm;

/// <summary>What users feel of a vLLM server: how long the first token takes, and how fast the others follow.</summary>
internal sealed class LlmLatency(PrometheusClient prometheus)
    : Check<LlmLatencyParameters>("llm.latency", "Holds the time to the first token, or the tokens a second, of vLLM servers against a threshold.")
{
    private const string FirstToken = "vllm:time_to_first_token_seconds_bucket";
    private const string Tokens = "vllm:generation_tokens_total";

    public override string Role => $"{PrometheusClient.AzureRole} on the Azure Monitor workspace; none for a Prometheus of your own";

    protected override async Task<CheckResult> AskAsync(LlmLatencyParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var of = new WorkloadSeries(parameters.Namespace, parameters.Pod);
        var around = $"rate({{0}}[{PromDuration.Of(parameters.Window)}])";
        var (metric, query, unit) = parameters.Measure == LatencyMeasure.FirstToken
            ? (FirstToken, FormattableString.Invariant($"histogram_quantile({parameters.Quantile}, sum by (le) ({of.Of(FirstToken, around)}))"), "s")
            : (Tokens, $"sum({of.Of(Tokens, around)})", "tokens/s");
        try
        {
            var found = await prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
            if (found.Count == 0)
            {
                return CheckResult.Unknown($"Prometheus '{prometheus.Find(parameters.Endpoint).Name}' has no series {metric} {of.Words} over {PromDuration.Words(parameters.Window)}: is vLLM scraped?") with
                {
                    Threshold = parameters.Failing.ToString(),
                };
            }

            var value = found[0].Values[^1];
            // Of no request at all there is no quantile: that is neither slow nor fast.
            var result = double.IsNaN(value)
                ? CheckResult.Unknown($"No request {of.Words} got its first token within {PromDuration.Words(parameters.Window)}, so it says nothing.")
                : Measurement.Judge(parameters.Failing, Math.Round(value, 3), unit, parameters.Measure == LatencyMeasure.FirstToken ? FormattableString.Invariant($" ({parameters.Quantile * 100:0.#} % of first tokens come sooner)") : "");
            return await prometheus.DrawAsync(result, parameters.Endpoint, query, context.Time, cancellationToken);
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = parameters.Failing.ToString() };
        }
    }
}

public sealed record LlmLatencyParameters
{
    [Required, KubernetesName]
    [Description("The namespace of the pods.")]
    public required string Namespace { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("The pod; all of the namespace together when left out.")]
    public string? Pod { get; init; }

    [Description("The time to the first token in seconds, or the tokens that are generated in a second.")]
    public LatencyMeasure Measure { get; init; } = LatencyMeasure.FirstToken;

    [Required]
    [Description("When the value is bad: '> 3' seconds to the first token, '< 50' tokens a second.")]
    public required FailingWhen Failing { get; init; }

    [Range(0.01, 0.999)]
    [Description("Which part of the requests has to be faster, for the first token.")]
    public double Quantile { get; init; } = 0.95;

    [Range(typeof(TimeSpan), "00:00:30", "01:00:00")]
    [Description("Over how long; at least four times the scrape interval.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}

public enum LatencyMeasure { FirstToken, TokensPerSecond }
