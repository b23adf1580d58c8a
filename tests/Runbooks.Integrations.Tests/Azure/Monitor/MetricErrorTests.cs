using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>Azure answers 200 for a metric that it could not read, with the error beside it.</summary>
public sealed class MetricErrorTests
{
    [Theory]
    [InlineData(WhenEmpty.Passing, "> 95")]
    [InlineData(WhenEmpty.Failing, "> 95")]
    [InlineData(WhenEmpty.Unknown, "absent")]
    public async Task ErrorBesideTheMetric_IsNotNothingFound(WhenEmpty whenEmpty, string failing) =>
        (await Should.ThrowAsync<AzureRequestException>(() => AskAsync("""{"errorCode":"InternalServerError","errorMessage":"The query timed out","timeseries":[]}""", whenEmpty, failing)))
            .Message.ShouldBe("web app s1 could not answer the question for the metric M: The query timed out.");

    [Fact]
    public async Task Success_IsNoError() =>
        (await AskAsync("""{"errorCode":"Success","timeseries":[]}""", WhenEmpty.Passing, "> 95")).Verdict.ShouldBe(Verdict.Passing);

    private static async Task<CheckResult> AskAsync(string metric, WhenEmpty whenEmpty, string failing)
    {
        await using var azure = await AnsweringServer.StartAsync();
        azure.Answer = context => context.Response.WriteAsync($$"""{"value":[{{metric}}]}""");
        await using var services = azure.Azure(all => all.AddAzureMonitor());
        return await services.GetServices<ICheck>().Single(one => one.Name == "azureMonitor.metric").AskAsync(
            new MetricParameters { Resource = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Web/sites/s1", Metric = "M", Failing = FailingWhen.Parse(failing, null), WhenEmpty = whenEmpty },
            azure.Step(),
            TestContext.Current.CancellationToken);
    }
}
