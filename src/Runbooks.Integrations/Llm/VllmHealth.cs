using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Prometheus;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Llm;

/// <summary>
/// Tells a hung vLLM engine from a busy and from an idle one: requests wait or run all the time, and not one token comes.
/// Its HTTP server answers all the same then, so asking it proves nothing.
/// </summary>
/// <seealso href="https://docs.vllm.ai/en/v0.10.1/usage/metrics.html"/>
internal sealed class VllmHealth(PrometheusClient prometheus)
    : PrometheusCheck<VllmHealthParameters>(prometheus, "vllm.health", "Looks whether vLLM engines have work and generate no token, or let too many requests wait.")
{
    public const string Running = "vllm:num_requests_running";
    public const string Waiting = "vllm:num_requests_waiting";
    public const string Tokens = "vllm:generation_tokens_total";
    private const string Requests = "requests";

    protected override async Task<CheckResult> LookAsync(VllmHealthParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var of = new WorkloadSeries(parameters.Namespace, parameters.Pod);
        var window = PromDuration.Of(parameters.Window);
        var tokens = of.Of(Tokens, $"rate({{0}}[{window}])");
        Task<IReadOnlyList<PrometheusSeries>> Ask(string query) => Prometheus.QueryAsync(parameters.Endpoint, query, cancellationToken);
        var answers = await Task.WhenAll(
            Ask(of.Of(Running)), Ask(of.Of(Waiting)), Ask(tokens), Ask(of.Of(Running, $"min_over_time({{0}}[{window}])")), Ask(of.Of(Waiting, $"min_over_time({{0}}[{window}])")));
        var engines = Engines(answers);
        if (engines.Count == 0)
        {
            var query = answers[0].Count == 0 ? of.Of(Running) : of.Of(Waiting);
            var missing = await MissingSeries.FindAsync(Prometheus, parameters.Endpoint, query, cancellationToken);
            return CheckResult.Unknown($"Prometheus '{Prometheus.Find(parameters.Endpoint).Name}' has no series {(answers[0].Count == 0 ? Running : Waiting)} {of.Words}"
                + (missing.Count > 0 ? ", nor for any other: is vLLM scraped?" : ": is the pod scraped, and do its labels say namespace and pod?"));
        }

        var result = Judge(parameters, engines);
        var drawn = result.Unit == Requests ? $"max({of.Of(Waiting)})" : $"sum({tokens})";
        return await Prometheus.DrawAsync(result, parameters.Endpoint, drawn, context.Time, cancellationToken);
    }

    private static CheckResult Judge(VllmHealthParameters parameters, List<Engine> engines)
    {
        var over = $"{PromDuration.Words(parameters.Window)}";
        if (engines.Find(engine => engine.IsStuck) is { } stuck)
        {
            return Result(Verdict.Failing, $"{Named(stuck, engines)}{Work(stuck)}, and no token was generated for {over}: the engine hangs.", stuck, "== 0");
        }

        var longest = engines.MaxBy(engine => engine.Waiting)!;
        CheckResult Queue(Verdict verdict, string summary) => new(verdict, summary) { Value = FailingWhen.Number(longest.Waiting), Threshold = $"> {parameters.MaxWaiting}", Unit = Requests };
        if (longest.Waiting > parameters.MaxWaiting)
        {
            return Queue(Verdict.Failing, $"{Named(longest, engines)}{Work(longest)}; at most {parameters.MaxWaiting} may wait.");
        }

        if (engines.Find(engine => engine is { HasWork: true, TokenRate: null }) is { } unmeasured)
        {
            return CheckResult.Unknown($"{Named(unmeasured, engines)}{Work(unmeasured)}, but there is no rate of {Tokens} over {over} yet: the pod is new, or that series is missing.");
        }

        var busiest = engines.MaxBy(engine => engine.Running + engine.Waiting)!;
        var summary = busiest.HasWork ? $"{Named(busiest, engines)}{Work(busiest)}, {FailingWhen.Number(Math.Round(busiest.TokenRate ?? 0, 1))} tokens/s." : $"{Named(busiest, engines)}Nothing runs or waits: idle.";
        return parameters.MaxWaiting is null ? Result(Verdict.Passing, summary, busiest, "== 0") : Queue(Verdict.Passing, summary);
    }

    private static CheckResult Result(Verdict verdict, string summary, Engine engine, string threshold) =>
        new(verdict, summary) { Value = engine.TokenRate is { } rate ? FailingWhen.Number(Math.Round(rate, 1)) : null, Threshold = threshold, Unit = "tokens/s" };

    private static string Work(Engine engine) => FormattableString.Invariant($"{engine.Running:0} run, {engine.Waiting:0} wait");

    private static string Named(Engine engine, List<Engine> engines) => engines.Count == 1 ? "" : $"{engine.Pod} (engine {engine.Index}, the worst of {engines.Count}): ";

    // Every series of one engine has the same labels but for its name.
    private static List<Engine> Engines(IReadOnlyList<PrometheusSeries>[] answers)
    {
        static string Key(PrometheusSeries series) => string.Join(',', series.Labels.Where(label => label.Key != "__name__").OrderBy(label => label.Key, StringComparer.Ordinal));
        var by = answers.Select(answer => answer.GroupBy(Key).ToDictionary(group => group.Key, group => group.First().Values[^1])).ToArray();
        double? Find(int answer, string key) => by[answer].TryGetValue(key, out var value) ? value : null;
        return
        [
            .. from series in answers[0]
               let key = Key(series)
               let waiting = Find(1, key)
               where waiting is not null
               select new Engine(
                   series.Labels.GetValueOrDefault("exported_pod") ?? series.Labels.GetValueOrDefault("pod", "?"),
                   series.Labels.GetValueOrDefault("engine", "0"),
                   series.Values[^1],
                   waiting.Value,
                   Find(2, key),
                   (Find(3, key) ?? 0) + (Find(4, key) ?? 0)),
        ];
    }

    /// <param name="TokenRate">Tokens a second; null while that is not known.</param>
    /// <param name="AlwaysAtLeast">How much work there was at least during the whole window: one request that has just come in hangs nobody.</param>
    private sealed record Engine(string Pod, string Index, double Running, double Waiting, double? TokenRate, double AlwaysAtLeast)
    {
        public bool HasWork => Running + Waiting > 0;

        public bool IsStuck => HasWork && AlwaysAtLeast > 0 && TokenRate == 0;
    }
}

public sealed record VllmHealthParameters : WorkloadParameters
{
    [Range(0, 1_000_000)]
    [Description("More requests waiting than this count as failing too; left out, a long queue is none of this check's business.")]
    public int? MaxWaiting { get; init; }
}
