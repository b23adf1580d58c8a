using System.Text.Json;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Tests;

/// <summary>How long what was before a fix is in the answers that shall show whether it helped.</summary>
public sealed class LookBackTests
{
    [Theory]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated between (ago(8m) .. ago(3m)) | count", "failing": "> 1" }""", "8m")]
    [InlineData("azureMonitor.logs", """{ "query": "T | where TimeGenerated > ago(15m) | count", "failing": "> 1", "over": "5m" }""", "5m")]
    [InlineData("azureMonitor.logs", """{ "query": "T | count", "failing": "> 1" }""", "30m")]
    [InlineData("azureMonitor.logs", """{ "query": "T | count", "failing": "> 1", "over": "1m" }""", "3m")]
    [InlineData("azureMonitor.logs", """{ "query": "let usual = toscalar(T | where TimeGenerated between (ago(7d) .. ago(1d)) | count); T | where TimeGenerated >= ago(10m) | count", "failing": "> 1" }""", "10m")]
    [InlineData("azureMonitor.logs", """{ "query": "T | summarize arg_max(TimeGenerated, Depth)", "failing": "> 1" }""", null)]
    [InlineData("azureMonitor.logs", """{ "query": "T | top 1 by TimeGenerated | project Depth", "failing": "> 1" }""", null)]
    [InlineData("azureMonitor.logs", """{ "query": "T | count", "failing": "> 1", "over": "{{ labels.over }}" }""", null)]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1" }""", "4m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "granularity": "5m" }""", "12m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "over": "6h" }""", "62m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "over": "6h", "aggregation": "Total" }""", "4m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "absent", "over": "6h" }""", "62m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "absent", "whenEmpty": "passing" }""", "4m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "granularity": "5m", "filter": "a eq 'b'", "whenEmpty": "passing" }""", "22m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "over": "30m", "whenEmpty": "Passing" }""", "33m")]
    [InlineData("azureMonitor.metric", """{ "metric": "m", "failing": "> 1", "granularity": "5m", "filter": "a eq 'b'", "whenEmpty": "unknown" }""", "12m")]
    [InlineData("prometheus.query", """{ "query": "sum(increase(errors_total{code=~\"5..\", path!=\"/a[1h]\"}[15m])) or vector(0)", "failing": "> 0" }""", "15m")]
    [InlineData("prometheus.query", """{ "query": "max_over_time(rate(errors_total[1m])[10m:30s])", "failing": "> 0" }""", "10m")]
    [InlineData("prometheus.query", """{ "query": "sum(waiting) * (sum(rate(tokens_total[5m])) == bool 0)", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) / rate(errors_total[5m] offset 1d)", "failing": "> 2" }""", null)]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) / rate(errors_total[1d])", "failing": "> 2" }""", null)]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) / rate(requests_total[5m])", "failing": "> 2" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "sum(rate(errors_total[5m])) / (sum(rate(requests_total[5m])) > 0)", "failing": "> 2" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) / (rate(requests_total[5m]) != 0.0 )", "failing": "> 2" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) / (rate(requests_total[5m]) > 0.5)", "failing": "> 2" }""", null)]
    [InlineData("prometheus.query", """{ "query": "sum(waiting) * (sum(rate(tokens_total[5m])) > bool 0)", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) unless (rate(requests_total[5m]) > 0)", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "avg_over_time((rate(errors_total[5m]) / rate(requests_total[5m]))[30m:])", "failing": "> 2" }""", "30m")]
    [InlineData("prometheus.query", """{ "query": "sum(waiting)", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "rate(errors_total[5m]) AND rate(requests_total[5m])", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "max(app:errors:ratio_rate5m{app=\"gw\"})", "failing": "> 0.05" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "cluster:apiserver_request_total:increase1h", "failing": "> 0" }""", "1h")]
    [InlineData("prometheus.query", """{ "query": "job:latency_seconds:p95_10m", "failing": "> 2" }""", "10m")]
    [InlineData("prometheus.query", """{ "query": "max(path:latency:mean5m)", "failing": "> 2" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "sum(sum_over_time(app:errors:increase1m[10m])) / sum(sum_over_time(app:requests:increase1m{app=\"gw\"} [10m]))", "failing": "> 0.05" }""", "10m")]
    [InlineData("prometheus.query", """{ "query": "avg_over_time(slo:err:ratio_rate5m[30m]) / 0.001", "failing": "> 2" }""", "30m")]
    [InlineData("prometheus.query", """{ "query": "max_over_time(slo:err:ratio_rate1h[10m])", "failing": "> 2" }""", "1h")]
    [InlineData("prometheus.query", """{ "query": "job:errors:rate5m / job:requests:rate5m", "failing": "> 0.05" }""", "5m")]
    [InlineData("prometheus.query", """{ "query": "job:errors:rate5m / job:errors:rate1h", "failing": "> 2" }""", null)]
    [InlineData("prometheus.query", """{ "query": "job:errors:burnrate1h > 14 and job:errors:burnrate5m > 14", "failing": "> 0" }""", null)]
    [InlineData("prometheus.query", """{ "query": "vllm:time_to_first_token_seconds + node:cpu:sum_irate + gpu:copy:h2d", "failing": "> 0" }""", null)]
    [InlineData("llm.latency", """{ "failing": "> 3" }""", "5m")]
    [InlineData("llm.latency", """{ "failing": "> 3", "window": "10m" }""", "10m")]
    [InlineData("kubernetes.pod", """{ "pod": "p" }""", null)]
    public void Check_SaysHowLong(string name, string with, string? back) =>
        IntegrationsPageTests.Catalog().FindCheck(name)!.LookBackOf(JsonSerializer.Deserialize<JsonElement>(with)).ShouldBe(back is null ? null : Time(back));

    /// <summary>With what the reference page tells to write, the first answer without a fault of before is eight minutes after the fix.</summary>
    [Theory]
    [InlineData("", "13m", false)]
    [InlineData("  verify: { checks: [errors] }", "13m", false)]
    [InlineData("  verify: { checks: [latest] }", "5m", false)]
    [InlineData("  verify: { checks: [errors], within: 5m }", "5m", true)]
    [InlineData("  verify: { checks: [errors], within: 8m }", "8m", true)]
    [InlineData("  verify: { checks: [errors], within: 9m }", "9m", false)]
    public void Verify_HasTheTimeToSeeTheFix(string verify, string within, bool warned)
    {
        var read = Read($$$"""
            mitigation:
              approval: { ask: "Recycle?", from: [oncall] }
              steps: { recycle: { do: kubernetes.rolloutRestart, with: { namespace: n, deployment: d } } }
            {{{verify}}}
            """);

        read.Errors.ShouldBeEmpty();
        read.Runbook!.Mitigation.Verify!.Within.ShouldBe(Time(within));
        read.Warnings.Select(warning => warning.Code).Contains(WarningCodes.VerifyTooShort).ShouldBe(warned);
    }

    /// <summary>The lease may end once the check has passed for ten minutes, and it sees no sooner than eight minutes later that the cause is gone.</summary>
    [Theory]
    [InlineData("atMost: 15m", true)]
    [InlineData("atMost: 18m", true)]
    [InlineData("atMost: 19m", false)]
    public void Lease_HasTheTimeToEnd(string atMost, bool warned)
    {
        var read = Read($$$"""
            mitigation:
              approval: { ask: "Recycle?", from: [oncall], timeout: 5m }
              steps: { cordon: { do: kubernetes.cordonNode, with: { node: n } } }
              verify: { checks: [latest] }
              holdUntil: { checks: [errors], stableFor: 10m, {{{atMost}}} }
            """);

        read.Errors.ShouldBeEmpty();
        read.Warnings.Select(warning => warning.Code).Contains(WarningCodes.LeaseTooShort).ShouldBe(warned);
    }

    private static ReadResult Read(string mitigation) => new RunbookReader(IntegrationsPageTests.Catalog()).Read("a.yaml", $$$"""
        id: a
        title: Requests fail
        owner: o
        trigger: [{ alert: Fails }]
        target: "{{ labels.region }}"
        impact: { severity: low, users: Some fail., data: None. }
        diagnosis:
          errors:
            ask: Do requests fail?
            check: azureMonitor.logs
            with:
              workspace: "{{ labels.workspace }}"
              query: AppRequests | where TimeGenerated between (ago(8m) .. ago(3m)) and Success == false | summarize Count = count()
              failing: "> 100"
          latest: { ask: Is it there?, check: kubernetes.deployment, with: { namespace: n, deployment: d } }
        {{{mitigation}}}
        """);

    private static TimeSpan Time(string text) => DurationText.TryParse(text, out var time) ? time : throw new ArgumentException(text);
}
