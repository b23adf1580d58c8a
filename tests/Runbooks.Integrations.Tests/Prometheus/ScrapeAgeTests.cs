using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Prometheus;

/// <summary>A value of Prometheus is as old as its last scrape.</summary>
public sealed class ScrapeAgeTests : OnTheSandbox
{
    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["Prometheus:Endpoints:practice:Every"] = "00:01:00" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddPrometheus().AddModelServers().AddGpu();

    [Theory]
    [InlineData("prometheus.query", """{"query":"sum(up)","failing":"< 1"}""")]
    [InlineData("vllm.health", """{"namespace":"inference","pod":"llm-b-1"}""")]
    [InlineData("tgi.health", """{"namespace":"lab"}""")]
    [InlineData("triton.health", """{"namespace":"lab"}""")]
    [InlineData("llm.latency", """{"namespace":"inference","pod":"llm-b-1","failing":"> 3"}""")]
    [InlineData("gpu.health", """{"node":"aks-gpu-24815391-vmss000000"}""")]
    public async Task Value_WasMeasuredOneScrapeAgo_AndIsTheSameUntilTheNext(string check, string with)
    {
        var parameters = JsonNode.Parse(with)!;
        var begin = Clock.GetUtcNow();
        foreach (var (seconds, measured) in new[] { (0, -60), (45, -60), (60, 0), (119, 0), (120, 60) })
        {
            Clock.Advance(begin.AddSeconds(seconds) - Clock.GetUtcNow());
            (await AskAsync(check, parameters)).MeasuredAt.ShouldBe(begin.AddSeconds(measured), $"{seconds} s");
        }
    }

    [Theory]
    [InlineData("prometheus.query", """{"query":"sum(rate(vllm:generation_tokens_total[10m]))","failing":"< 0"}""", 10)]
    [InlineData("prometheus.query", """{"query":"sum(up)","failing":"< 1"}""", null)]
    [InlineData("llm.latency", """{"namespace":"inference","pod":"llm-b-1","failing":"> 3"}""", 5)]
    [InlineData("vllm.health", """{"namespace":"inference","pod":"llm-b-1"}""", null)]
    public async Task ValueOfATime_SaysWhenThatBegan(string check, string with, int? minutes) =>
        (await AskAsync(check, JsonNode.Parse(with)!)).MeasuredFrom.ShouldBe(minutes is { } back ? Clock.GetUtcNow().AddMinutes(-back) : null);

    [Fact]
    public async Task PrometheusThatCannotBeAsked_HasMeasuredNothing()
    {
        await FaultAsync("prometheus", "500");

        (await AskAsync("prometheus.query", new { query = "sum(up)", failing = "< 1" })).MeasuredAt.ShouldBeNull();
    }

    [Theory]
    [InlineData("-00:00:01")]
    [InlineData("01:00:01")]
    public void TimeThatNoScrapeTakes_IsRefused(string every) => Should.Throw<OptionsValidationException>(() => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["Prometheus:Endpoints:p:Url"] = "https://p.example", ["Prometheus:Endpoints:p:Every"] = every }).Build())
        .AddPrometheus().BuildServiceProvider().GetRequiredService<IOptions<PrometheusOptions>>().Value).Message.ShouldContain("Prometheus:Endpoints:p:Every");
}
