using Runbooks.Catalog.Problems;
using Runbooks.Integrations.Prometheus;

namespace Runbooks.Integrations.Llm;

internal sealed class LlmLatency(PrometheusClient prometheus)
    : PrometheusCheck<LlmLatencyParameters>(
        prometheus, "llm.latency", "Holds the time to the first token, or the tokens a second, of vLLM servers against a threshold.")
{
    /// <summary>Nobody waits longer than ten minutes for a first token.</summary>
    private const int MostSeconds = 600;
    private const int MostNamed = 5;

    /// <summary>Two scrape jobs, or two replicas of Prometheus, have each engine twice. Two servers in one pod differ in their port.</summary>
    private const string OncePerEngine = "max by (pod, exported_pod, instance, engine, model_name)";
    private const string FirstToken = "vllm:time_to_first_token_seconds_bucket";
    private const string FirstTokens = "vllm:time_to_first_token_seconds_count";

    /// <summary>Azure and OpenTelemetry give this time in milliseconds, so a limit may be written in those.</summary>
    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with)
    {
        var isFirstToken = WithText.Choice(with, "measure", LatencyMeasure.FirstToken) == LatencyMeasure.FirstToken;
        return isFirstToken && WithText.Failing(with) is { IsAbsent: false } failing && !failing.HoldsWithin(0, MostSeconds)
            ? [new(
                WarningCodes.ThresholdRange,
                "failing",
                $"is '{failing}', and the time to the first token is in seconds: it never fails.",
                "Write seconds, for example '> 3'.")]
            : [];
    }

    public override bool MayFindNothing(JsonElement with) => true;

    // Earlier slow first tokens are still in the window.
    public override TimeSpan? LookBackOf(JsonElement with) => WithText.Duration(with, "window", WorkloadParameters.DefaultWindow);

    protected override TimeSpan? WindowOf(LlmLatencyParameters parameters) => parameters.Window;

    protected override string Limit(LlmLatencyParameters parameters) => parameters.Failing.ToString();

    protected override async Task<CheckResult> MeasureAsync(
        LlmLatencyParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var of = await parameters.Series.FollowAsync(Prometheus, parameters.Endpoint, VllmHealth.Running, cancellationToken);
        var around = $"rate({{0}}[{PromDuration.Of(parameters.Window)}])";
        var (metric, query, unit) = parameters.Measure == LatencyMeasure.FirstToken
            ? (FirstToken, $"histogram_quantile({parameters.Quantile}, sum by (le) ({of.Of(FirstToken, around)}))", "s")
            : (VllmHealth.Tokens, $"sum({OncePerEngine} ({of.Of(VllmHealth.Tokens, around)}))", "tokens/s");
        var found = await Prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
        if (found.Count == 0)
        {
            return CheckResult.Unknown($"Prometheus '{Prometheus.Find(parameters.Endpoint).Name}' has no series {metric} {of.Text} over "
                + $"{PromDuration.Format(parameters.Window)}: is vLLM scraped?") with
            {
                Threshold = Limit(parameters),
            };
        }

        var result = await JudgeAsync(parameters, found[0].Values[^1], unit, of, cancellationToken);
        result = result with { Threshold = Limit(parameters), Summary = of.Prefix(result.Summary) };
        return await Prometheus.DrawAsync(result, parameters.Endpoint, query, context.Time, cancellationToken);
    }

    /// <summary>
    /// Without a request there is no quantile, and servers that are asked little generate little, so neither is slow or fast.
    /// A server that hangs is missing from every figure, so the figures of the others are no sign of health.
    /// </summary>
    private async Task<CheckResult> JudgeAsync(
        LlmLatencyParameters parameters, double value, string unit, WorkloadSeries of, CancellationToken cancellationToken)
    {
        var over = PromDuration.Format(parameters.Window);
        if (double.IsNaN(value))
        {
            return CheckResult.Unknown($"No request {of.Text} got its first token within {over}, so it says nothing.");
        }

        var share = parameters.Measure == LatencyMeasure.FirstToken
            ? $" ({parameters.Quantile * 100:0.#} % of first tokens come sooner)"
            : "";
        var judged = Measurement.Judge(parameters.Failing, Math.Round(value, 3), unit, share);
        return judged.Verdict switch
        {
            Verdict.Failing when parameters.Measure == LatencyMeasure.TokensPerSecond
                && !await IsAlwaysBusyAsync(parameters, of, cancellationToken) =>
                judged with { Verdict = Verdict.Unknown, Summary = $"{judged.Summary.TrimEnd('.')}; "
                    + $"but nothing was asked {of.Text}, or nothing reported, for a part of {over}, so its tokens say nothing." },
            Verdict.Passing when await StuckAsync(parameters, of, cancellationToken) is { Count: > 0 } stuck =>
                judged with { Verdict = Verdict.Unknown, Summary = $"{judged.Summary.TrimEnd('.')}; "
                    + $"but {CountText.Names(stuck, MostNamed)} had work and gave no first token within "
                    + $"{PromDuration.Format(parameters.LatelyOf(Prometheus))}." },
            _ => judged,
        };
    }

    private async Task<bool> IsAlwaysBusyAsync(LlmLatencyParameters parameters, WorkloadSeries of, CancellationToken cancellationToken)
    {
        var requests = $"(sum({of.Of(VllmHealth.Running)}) + sum({of.Of(VllmHealth.Waiting)}))";
        var least = await Prometheus.QueryAsync(
            parameters.Endpoint, $"min_over_time({requests}[{PromDuration.Of(parameters.Window)}:15s])", cancellationToken);
        if (!least.Any(series => series.Values[^1] > 0))
        {
            return false;
        }

        var reported = await Coverage.AskAsync(
            Prometheus,
            parameters.Endpoint,
            Coverage.Around(parameters.Window).Replace("{0}", requests, StringComparison.Ordinal),
            cancellationToken);
        return Coverage.IsEnough(Coverage.Of(reported is [var all, ..] ? all.Values[^1] : null, parameters.Window), parameters.Window);
    }

    /// <summary>Tokens from before a server hung stay in the window, so only a shorter, newer time is asked about.</summary>
    /// <returns>The pods that gave no first token lately, although requests waited all the time, or work went on without a token.</returns>
    private async Task<IReadOnlyList<string>> StuckAsync(
        LlmLatencyParameters parameters, WorkloadSeries of, CancellationToken cancellationToken)
    {
        var lately = PromDuration.Of(parameters.LatelyOf(Prometheus));
        var (least, rate) = ($"min_over_time({{0}}[{lately}])", $"rate({{0}}[{lately}])");
        var stuck = await Prometheus.QueryAsync(
            parameters.Endpoint,
            $"({of.Of(VllmHealth.Waiting, least)} > 0 or ({of.Of(VllmHealth.Running, least)} > 0 unless {of.Of(VllmHealth.Tokens, rate)} "
                + $"> 0)) unless {of.Of(FirstTokens, rate)} > 0",
            cancellationToken);
        return [.. stuck.Select(ModelServer.PodOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}

public sealed record LlmLatencyParameters : WorkloadParameters
{
    [Description("The time to the first token in seconds, or the tokens that are generated in a second.")]
    public LatencyMeasure Measure { get; init; } = LatencyMeasure.FirstToken;

    [Required]
    [Description("When the value is bad: '> 3' seconds to the first token, '< 50' tokens a second.")]
    public required FailingWhen Failing { get; init; }

    [Range(0.01, 0.999)]
    [Description("Which part of the requests has to be faster, for the first token.")]
    public double Quantile { get; init; } = 0.95;
}

public enum LatencyMeasure { FirstToken, TokensPerSecond }
