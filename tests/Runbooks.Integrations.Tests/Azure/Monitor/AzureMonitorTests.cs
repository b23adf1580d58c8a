using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

public sealed class AzureMonitorTests : OnTheSandbox
{
    private static readonly string s_gateway = Resource("Microsoft.Network/applicationGateways", "agw-cluster-b");

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzureMonitor();

    private Task<CheckResult> MetricAsync(string failing = "> 1500", string metric = "BackendLastByteResponseTime") =>
        AskAsync("azureMonitor.metric", new { resource = s_gateway, metric, failing, unit = "ms" });

    private Task<CheckResult> LogsAsync(string query = "AppRequests | summarize count()", string failing = "> 100") =>
        AskAsync("azureMonitor.logs", new { workspace = "11111111-2222-3333-4444-55555555c0de", query, failing });

    [Fact]
    public async Task Metric_IsHeldAgainstTheThresholdWithItsCurve()
    {
        var slow = await MetricAsync();
        Clock.Advance(TimeSpan.FromMinutes(10));
        var fast = await MetricAsync();

        (slow.Verdict, slow.Unit, slow.Threshold).ShouldBe((Verdict.Failing, "ms", "> 1500"));
        slow.Summary.ShouldEndWith(" ms; limit > 1500.");
        slow.Series.Count.ShouldBe(15);
        slow.Link.ShouldBe($"https://portal.azure.com/#@/resource{s_gateway}/metrics");
        fast.Verdict.ShouldBe(Verdict.Passing);
    }

    /// <summary>Azure's gateways report no latency while they are sent nothing, so a lease that waits for it would never end.</summary>
    [Fact]
    public async Task GatewayThatIsSentNothing_HasNoLatency_AndATestOfItsRegionHas()
    {
        await ChangeAsync(HttpMethod.Patch, $"{Resource("Microsoft.Network/trafficManagerProfiles", "assist")}/azureEndpoints/cluster-b", new { properties = new { endpointStatus = "Disabled" } });

        (await MetricAsync()).Verdict.ShouldBe(Verdict.Unknown);
        (await DurationAsync("cluster-b")).Verdict.ShouldBe(Verdict.Failing);
        (await DurationAsync("assist")).Verdict.ShouldBe(Verdict.Passing, "what users feel");

        Task<CheckResult> DurationAsync(string test) => AskAsync("azureMonitor.metric", new
        {
            resource = Resource("Microsoft.Insights/components", "assist"),
            metric = "availabilityResults/duration",
            filter = $"availabilityResult/name eq '{test}' and availabilityResult/success eq '1'",
            failing = "> 1500",
        });
    }

    [Fact]
    public async Task MetricQuestion_IsAsked_AsTheApiDocumentsIt()
    {
        await AskAsync("azureMonitor.metric", new { resource = s_gateway, metric = "BackendLastByteResponseTime", failing = "> 1", filter = "Region eq 'westeurope'" });

        (await RequestsAsync()).ShouldHaveSingleItem().ShouldBe(
            $"GET /arm{s_gateway}/providers/microsoft.insights/metrics?api-version=2024-02-01&metricnames=BackendLastByteResponseTime"
            + "&timespan=2026-11-24T02%3A43%3A00Z%2F2026-11-24T02%3A58%3A00Z&interval=PT1M&AutoAdjustTimegrain=true&aggregation=average&$filter=Region%20eq%20%27westeurope%27&top=1000");
    }

    [Fact]
    public async Task MetricThatSeveralPlacesReportInTurn_IsAskedForWholeTurns()
    {
        var found = await AskAsync("azureMonitor.metric", new { resource = s_gateway, metric = "BackendLastByteResponseTime", failing = "> 1500", granularity = "5m" });

        (await RequestsAsync()).ShouldHaveSingleItem().ShouldContain("&interval=PT5M&");
        found.Summary.ShouldContain("of 5 min");
    }

    [Theory]
    [InlineData("2m", "15m", "has to be 1m, 5m, 15m or 30m.")]
    [InlineData("15m", "20m", "look back at least twice as far")]
    public void GranularityThatDoesNotFit_IsRefused(string granularity, string over, string words) =>
        ParameterBinder.Bind(JsonNode.Parse($$"""{"resource":"{{s_gateway}}","metric":"M","failing":"> 1","granularity":"{{granularity}}","over":"{{over}}"}""")!.AsObject(), typeof(MetricParameters))
            .Errors.ShouldHaveSingleItem().ToString().ShouldContain(words);

    [Fact]
    public async Task MetricWithoutAnyValue_IsUnknown()
    {
        (await MetricAsync(metric: "Nothing")).Verdict.ShouldBe(Verdict.Unknown);
        (await MetricAsync(metric: "Nothing", failing: "absent")).Verdict.ShouldBe(Verdict.Failing);
    }

    [Fact]
    public async Task Logs_AreCountedAndTheQueryIsSentAsJson()
    {
        var found = await LogsAsync();

        found.Verdict.ShouldBe(Verdict.Failing);
        found.Summary.ShouldEndWith("; limit > 100.");
        (found.MeasuredFrom, found.MeasuredAt).ShouldBe((Clock.GetUtcNow() - TimeSpan.FromMinutes(30), Clock.GetUtcNow() - TimeSpan.FromMinutes(3)));
        (await SentAsync()).ShouldHaveSingleItem().Body.ShouldBeGolden("query");
    }

    [Theory]
    [InlineData("unknown", Verdict.Unknown, "0; failing would be > 0; but nothing at all was written to AppExceptions with the category App for 7 days, so there is nothing to count.")]
    [InlineData("passing", Verdict.Passing, "0; failing would be > 0.")]
    public async Task CountOfNothingInATableThatIsNotWritten_IsNoHealth(string whenEmpty, Verdict verdict, string words)
    {
        var query = "AppExceptions | where TimeGenerated > ago(5m) and Category == \"App\" | summarize count()";
        var found = await AskAsync("azureMonitor.logs", new { workspace = "11111111-2222-3333-4444-55555555c0de", query, failing = "> 0", whenEmpty });

        (found.Verdict, found.Summary).ShouldBe((verdict, words));
        if (verdict == Verdict.Unknown)
        {
            var body = (await SentAsync())[^1].Body;
            (body.GetProperty("query").GetString(), body.GetProperty("timespan").GetString()).ShouldBe(("AppExceptions | where Category == \"App\" | take 1 | count", "P7D"));
        }
    }

    [Theory]
    [InlineData("Category in (\"App\", \"Other\")")]
    // Whatever their case: one product's category differs from the other's by a letter's.
    [InlineData("Category in~ (\"App\", \"Other\")")]
    public async Task CountOfNothingInCategoriesThatAreNotWritten_IsNoHealth(string categories)
    {
        var query = $"AppExceptions | where {categories} and TimeGenerated > ago(5m) | summarize count()";
        var found = await AskAsync("azureMonitor.logs", new { workspace = "11111111-2222-3333-4444-55555555c0de", query, failing = "> 0" });

        (found.Verdict, found.Summary).ShouldBe(
            (Verdict.Unknown, "0; failing would be > 0; but nothing at all was written to AppExceptions with the category App or Other for 7 days, so there is nothing to count."));
        (await SentAsync())[^1].Body.GetProperty("query").GetString().ShouldBe($"AppExceptions | where {categories} | take 1 | count");
    }

    [Fact]
    public async Task QueryThatTheServiceRefuses_IsAnError()
    {
        (await Should.ThrowAsync<AzureRequestException>(() => LogsAsync("Nonsense"))).Message.ShouldContain("answered 400");
    }

    [Fact]
    public async Task ResourceHealth_SaysWhatAzureSees()
    {
        var found = await AskAsync("resourceHealth", new { resource = s_gateway });

        (found.Verdict, found.Value).ShouldBe((Verdict.Failing, "Degraded"));
        found.Summary.ShouldBe("Azure says that application gateway agw-cluster-b is degraded: The resource answers more slowly than usual.");
    }

    [Theory]
    [InlineData("metrics", "Monitoring Reader")]
    [InlineData("availabilityStatuses", "Reader")]
    public async Task MissingRole_IsNamed(string on, string role)
    {
        await FaultAsync("arm", "403", on: on);

        (await Should.ThrowAsync<StepRefusedException>(() => on == "metrics" ? MetricAsync() : AskAsync("resourceHealth", new { resource = s_gateway })))
            .Message.ShouldContain($"lacks the role {role} on");
    }

    [Fact]
    public async Task LogsWithoutTheRole_AreRefusedInWords()
    {
        await FaultAsync("logs", "403");

        (await Should.ThrowAsync<StepRefusedException>(() => LogsAsync())).Message.ShouldContain("lacks the role Log Analytics Reader");
    }

    [Fact]
    public async Task Alert_IsClosedAndOpenedAgain()
    {
        const string alert = "/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357";
        var preparation = await PrepareAsync("azureAlert.close", new { alert });

        await ApplyAsync("azureAlert.close", new { alert }, preparation);

        preparation.PlannedEffect.ShouldBe("Mark the Azure alert 7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357 as closed (now new).");
        (await RequestsAsync()).ShouldContain($"POST /arm{alert}/changestate?api-version=2019-05-05-preview&newState=Closed");
        (await SentAsync())[^1].Body.ShouldBeGolden("change-state");
        await UndoAsync("azureAlert.close", preparation);
        (await ArmAsync(alert)).GetProperty("properties").GetProperty("essentials").GetProperty("alertState").GetString().ShouldBe("New");
    }

    [Fact]
    public async Task AlertOfAnInterruptedAttempt_GoesBackToWhatItWas()
    {
        const string alert = "/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357";
        var first = await PrepareAsync("azureAlert.close", new { alert });
        await ApplyAsync("azureAlert.close", new { alert }, first);

        (await PrepareAsync("azureAlert.close", new { alert }, interrupted: first)).Undo.ShouldBe("Mark it as new again.");
    }

    [Fact]
    public async Task AlertThatSomebodyElseHasMarkedSince_IsLeftAlone()
    {
        const string alert = "/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357";
        var preparation = await PrepareAsync("azureAlert.close", new { alert, state = "acknowledged" });
        await ApplyAsync("azureAlert.close", new { alert, state = "acknowledged" }, preparation);
        await RunAsync("azureAlert.close", new { alert });

        (await Should.ThrowAsync<ChangedSinceException>(() => UndoAsync("azureAlert.close", preparation))).Message
            .ShouldBe("The Azure alert was marked as closed by somebody else in the meantime. Nothing was changed.");
    }

    /// <summary>Somebody closes it while others still think about it: it is not put back to acknowledged.</summary>
    [Fact]
    public async Task AlertThatSomebodyClosedBeforeTheYes_IsAskedAboutAnewAndLeftClosed()
    {
        const string alert = "/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357";
        var with = new { alert, state = "acknowledged" };
        var preparation = await PrepareAsync("azureAlert.close", with);
        await RunAsync("azureAlert.close", new { alert });

        (await PrepareAsync("azureAlert.close", with)).Identity.ShouldNotBe(preparation.Identity);
        (await Should.ThrowAsync<ChangedSinceException>(() => ApplyAsync("azureAlert.close", with, preparation))).Message
            .ShouldBe("The Azure alert was marked as closed by somebody else in the meantime. Nothing was changed.");
        (await ApplyAsync("azureAlert.close", new { alert }, preparation with { UndoState = (await PrepareAsync("azureAlert.close", new { alert })).UndoState })).Result
            .ShouldBe("The Azure alert was closed already.");
        (await RequestsAsync()).Count(request => request.Contains("/changestate", StringComparison.Ordinal)).ShouldBe(1);
    }
}
