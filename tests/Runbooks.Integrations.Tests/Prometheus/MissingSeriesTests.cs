using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

/// <summary>A metric that does not exist is named, and lets nothing pass.</summary>
public sealed class MissingSeriesTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus();

    [Theory]
    [InlineData("unknown", Verdict.Unknown)]
    [InlineData("passing", Verdict.Unknown)]
    [InlineData("failing", Verdict.Failing)]
    public async Task NameThatNoExporterServes_NeverPasses(string whenEmpty, Verdict verdict)
    {
        var result = await AskAsync("prometheus.query", new { query = "max(DCGM_FI_DEV_FB_USED_PERCENT{pod=\"llm-b-0\"})", failing = "> 95", whenEmpty });

        result.Verdict.ShouldBe(verdict);
        if (verdict == Verdict.Unknown)
        {
            result.Summary.ShouldBe("The query found nothing: Prometheus 'practice' has no series named DCGM_FI_DEV_FB_USED_PERCENT. Is the name right, and is its exporter scraped?");
        }
    }

    [Fact]
    public async Task ExistingNameWithoutAMatch_PassesWhereTheRunbookSaysSo() =>
        (await AskAsync("prometheus.query", new { query = "vllm:num_requests_waiting > 1e6", failing = "> 0", whenEmpty = "passing" })).Verdict.ShouldBe(Verdict.Passing);

    [Theory]
    [InlineData("up", "up")]
    [InlineData("sum by (pod, le) (rate(vllm:x_bucket{pod=\"a{b\", y=~'z'}[5m])) > bool 3", "vllm:x_bucket")]
    [InlineData("100 * max(a{x=\"1\"} / (a + b)) or on (pod) group_left (node) c offset 5m", "a b c")]
    [InlineData("max_over_time(sum(d)[10m:1m] ) and ALERTS{alertname=\"X\"} # not: e", "d")]
    [InlineData("histogram_quantile(0.9, f) ^ 1e3 unless ignoring(g) h", "f h")]
    [InlineData("rate({\"http.requests\", job=\"x\"}[5m]) > {\"plain\"}", "http.requests plain")]
    [InlineData("{job=\"x\"}", "")]
    [InlineData("42", "")]
    [InlineData("sum BY (pod) (a) OR b OFFSET 5m AND ON (x) c > NaN", "a b c")]
    public void Names_AreThoseOfMetricsOnly(string query, string names) => MissingSeries.NamesIn(query).ShouldBe(names.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
