using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

public sealed class PrometheusQueryTests : OnTheSandbox
{
    private const string Memory = "100 * max(DCGM_FI_DEV_FB_USED{exported_pod=\"llm-b-0\"} / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus();

    private Task<CheckResult> AskAsync(string query, string failing = "> 95", string whenEmpty = "unknown") =>
        AskAsync("prometheus.query", new { query, failing, whenEmpty, unit = "%" });

    [Fact]
    public async Task ValueBeyondTheThreshold_IsFailingWithValueSeriesAndLink()
    {
        var result = await AskAsync(Memory);

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldBe("98.2 %; limit > 95.");
        (result.Value, result.Threshold, result.Unit).ShouldBe(("98.2", "> 95", "%"));
        result.Series.Count.ShouldBe(60);
        result.Series[0].ShouldBeLessThan(93);
        result.Series[^1].ShouldBe(98.2, 0.01);
        result.Link.ShouldBe($"{SandboxAddress}prometheus/graph?g0.expr={Uri.EscapeDataString(Memory)}&g0.tab=0&g0.range_input=15m");
    }

    [Fact]
    public async Task ValueWithinTheThreshold_IsPassing()
    {
        var result = await AskAsync(Memory.Replace("llm-b-0", "llm-b-1"));

        result.Verdict.ShouldBe(Verdict.Passing);
        result.Summary.ShouldEndWith("; failing would be > 95.");
    }

    [Fact]
    public async Task SeveralSeries_TheWorstCountsAndIsNamed()
    {
        var result = await AskAsync("100 * max by (exported_pod) (DCGM_FI_DEV_FB_USED{exported_namespace=\"inference\"} / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldContain("the worst of 2 series");
        result.Summary.ShouldContain("exported_pod=\"llm-b-0\"");
    }

    [Fact]
    public async Task LowerBound_TakesTheSmallest()
    {
        var result = await AskAsync("100 * max by (exported_pod) (DCGM_FI_DEV_FB_USED{exported_namespace=\"inference\"} / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))", "< 95");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldContain("exported_pod=\"llm-b-1\"");
    }

    [Theory]
    [InlineData("unknown", Verdict.Unknown)]
    [InlineData("passing", Verdict.Passing)]
    [InlineData("failing", Verdict.Failing)]
    public async Task NothingFound_CountsAsTheRunbookSays(string whenEmpty, Verdict verdict) =>
        (await AskAsync("max(up{pod=\"nobody\"})", whenEmpty: whenEmpty)).Verdict.ShouldBe(verdict);

    [Fact]
    public async Task Absent_IsFailingWhenNothingIsFoundAndPassingOtherwise()
    {
        (await AskAsync("max(up{pod=\"nobody\"})", "absent")).Verdict.ShouldBe(Verdict.Failing);
        (await AskAsync(Memory, "absent")).Verdict.ShouldBe(Verdict.Passing);
    }

    [Fact]
    public async Task Scalar_IsHeldAgainstTheThreshold() => (await AskAsync("97")).Verdict.ShouldBe(Verdict.Failing);

    [Fact]
    public async Task BadQuery_IsUnknownWithTheServersWords()
    {
        var result = await AskAsync("max(up{pod=");

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("answered 400: invalid parameter \"query\": 1:12: parse error: unexpected end of input");
    }

    [Theory]
    [InlineData("403", "Monitoring Data Reader")]
    [InlineData("429", "answered 429")]
    [InlineData("500", "answered 500")]
    [InlineData("unreachable", "cannot be reached")]
    public async Task PrometheusThatDoesNotAnswer_IsUnknownAndSaysWhy(string fault, string words)
    {
        await FaultAsync("prometheus", fault);

        var result = await AskAsync(Memory);

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain(words);
    }

    [Fact]
    public async Task CurveThatCannotBeHad_LeavesTheVerdict()
    {
        await FaultAsync("prometheus", "500", on: "query_range");

        var result = await AskAsync(Memory);

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Series.ShouldBeEmpty();
    }

    [Fact]
    public async Task UnknownEndpoint_IsUnknownAndNamesTheSetting()
    {
        var result = await AskAsync("prometheus.query", new { query = "up", failing = "absent", endpoint = "x" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("Prometheus:Endpoints:x:Url");
    }
}
