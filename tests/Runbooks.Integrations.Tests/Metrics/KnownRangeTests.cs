using System.Text.Json;
using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Tests.Metrics;

public sealed class KnownRangeTests
{
    [Theory]
    [InlineData("vllm:kv_cache_usage_perc", 1)]
    [InlineData("max(vllm:kv_cache_usage_perc{pod=\"{{ labels.pod }}\"})", 1)]
    [InlineData("100 * max by (pod) (vllm:kv_cache_usage_perc{pod=~\".*\"})", 100)]
    [InlineData("avg(avg_over_time(DCGM_FI_DEV_GPU_UTIL{gpu=\"0\"}[5m])) without (gpu)", 100)]
    [InlineData("quantile_over_time(0.95, (DCGM_FI_DEV_GPU_UTIL)[10m])", null)]
    [InlineData("quantile_over_time(0.95, DCGM_FI_DEV_GPU_UTIL[10m])", 100)]
    [InlineData("(DCGM_FI_PROF_SM_ACTIVE) * 100", 100)]
    [InlineData("sum(vllm:kv_cache_usage_perc)", null)]
    [InlineData("max(vllm:kv_cache_usage_perc) / min(up)", null)]
    [InlineData("(up) + (up)", null)]
    [InlineData("rate(up[5m])", null)]
    [InlineData("something_else", null)]
    public void RangeOfAQuery_IsThatOfItsMetricWhereNothingChangesIt(string query, int? most) => ((int?)KnownRange.OfPromQl(query)?.Most).ShouldBe(most);

    [Theory]
    [InlineData("> 95", "is '> 95', and it goes from 0 to 1: it can never fail.")]
    [InlineData("> 1", "is '> 1', and it goes from 0 to 1: it can never fail.")]
    [InlineData(">= 1", null)]
    [InlineData("< 0", "is '< 0', and it goes from 0 to 1: it can never fail.")]
    [InlineData(">= 0", "is '>= 0', and it goes from 0 to 1: it always fails.")]
    [InlineData("!= 5", "is '!= 5', and it goes from 0 to 1: it always fails.")]
    [InlineData("== 2", "is '== 2', and it goes from 0 to 1: it can never fail.")]
    [InlineData("== 0", null)]
    [InlineData("> 0.95", null)]
    [InlineData("absent", null)]
    public void ThresholdOutsideTheRange_IsDoubted(string failing, string? problem) =>
        (new KnownRange(0, 1).WarningOf(FailingWhen.Parse(failing, null), "it")?.Problem).ShouldBe(problem);

    [Fact]
    public void ShareWhereThereArePerCents_IsDoubted()
    {
        new KnownRange(0, 100).WarningOf(FailingWhen.Parse("> 0.95", null), "it")!.Problem.ShouldEndWith("1 is one per cent.");
        new KnownRange(0, 100).WarningOf(FailingWhen.Parse("< 0.99", null), "it")!.Problem.ShouldEndWith("1 is one per cent.");
        new KnownRange(0, 100).WarningOf(FailingWhen.Parse("< 1", null), "it").ShouldBeNull();
        new KnownRange(0, 100).WarningOf(FailingWhen.Parse("== 0", null), "it").ShouldBeNull();
    }

    [Theory]
    [InlineData("azureMonitor.metric", """{ "metric": "Percentage CPU", "failing": "> 0.9" }""", true, true)]
    [InlineData("azureMonitor.metric", """{ "metric": "Percentage CPU", "failing": "> 200", "aggregation": "total", "whenEmpty": "unknown" }""", false, false)]
    [InlineData("azureMonitor.metric", """{ "metric": "Percentage CPU", "failing": "> 200", "aggregation": "Total", "whenEmpty": "unknown" }""", false, false)]
    [InlineData("llm.latency", """{ "measure": "FirstToken", "failing": "> 3000" }""", true, true)]
    [InlineData("azureMonitor.metric", """{ "metric": "availabilityResults/availabilityPercentage", "failing": "< 0.99", "whenEmpty": "failing" }""", true, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | summarize percentile(DurationMs, 95)", "failing": "> 5000", "whenEmpty": "passing" }""", false, true)]
    [InlineData("azureMonitor.logs", """{ "query": "T | summarize dcount(User), sum(Items)", "failing": "> 5000" }""", false, false)]
    [InlineData("llm.latency", """{ "failing": "> 3000" }""", true, true)]
    [InlineData("llm.latency", """{ "failing": "> 3" }""", false, true)]
    [InlineData("llm.latency", """{ "measure": "tokensPerSecond", "failing": "> 3000" }""", false, true)]
    [InlineData("tls.certificate", """{ "failing": "> 21" }""", true, false)]
    [InlineData("tls.certificate", """{ "failing": "< 21" }""", false, false)]
    [InlineData("tls.certificate", "{}", false, false)]
    [InlineData("prometheus.query", """{ "query": "up", "failing": "> 95", "whenEmpty": "passing" }""", true, false)]
    [InlineData("prometheus.query", """{ "query": "{{ labels.query }}", "failing": "{{ labels.limit }}" }""", false, true)]
    [InlineData("prometheus.query", """{ "query": "errors or vector(0)", "failing": "> 95" }""", false, false)]
    [InlineData("azureMonitor.logs", """{ "query": "up", "failing": "absent" }""", false, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | summarize Count = count()", "failing": "> 1" }""", false, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | summarize Count = count() by User", "failing": "> 1" }""", false, true)]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated > ago(5m) | summarize Count = count()", "failing": "> 1" }""", true, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated > ago(15m) | count", "failing": "> 1" }""", false, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated between (ago(8m) .. ago(3m)) | count", "failing": "> 1" }""", false, false)]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated > ago(5m) | summarize percentile(DurationMs, 95)", "failing": "> 1" }""", false, true)]
    [InlineData("azureMonitor.logs", """{ "query": "T | count", "over": "5m", "failing": "> 1" }""", true, false)]
    [InlineData("kubernetes.pod", """{ "failing": "> 95" }""", false, false)]
    public void Checks_DoubtTheirParameters(string name, string with, bool doubts, bool findsNothing)
    {
        var check = IntegrationsPageTests.Catalog().FindCheck(name)!;
        var json = JsonSerializer.Deserialize<JsonElement>(with);

        check.WarningsOf(json).Any().ShouldBe(doubts);
        check.MayFindNothing(json).ShouldBe(findsNothing);
    }
}
