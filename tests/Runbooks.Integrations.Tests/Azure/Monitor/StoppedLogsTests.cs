using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>A count of 0 says nothing where nothing is collected.</summary>
public sealed class StoppedLogsTests : WithServer
{
    [Theory]
    [InlineData("OverQuota", 20, 35, 90, Verdict.Unknown, "daily cap")]
    [InlineData("OverQuota", 20, 1, 90, Verdict.Passing, "")]
    [InlineData("RespectQuota", 20, 1, 90, Verdict.Passing, "")]
    [InlineData("", 0, 1, 90, Verdict.Passing, "")]
    [InlineData("", 0, 60, 90, Verdict.Unknown, "had rows all the time, and none since")]
    // One that has gaps anyway, or is new.
    [InlineData("", 0, 60, 30, Verdict.Passing, "")]
    public async Task CountOfNothing_IsHealthOnlyWhileItIsCollected(string quota, int quotaAge, int newestAge, int quarters, Verdict verdict, string words)
    {
        _server.Answer = context => context.Response.WriteAsync(
            JsonNode.Parse(_server.Requests.Last().Body)!["query"]!.GetValue<string>() is var query && query.StartsWith("_LogOperation", StringComparison.Ordinal)
                ? Table("""{"name":"TimeGenerated","type":"datetime"},{"name":"Detail","type":"string"}""", quota.Length == 0 ? "" : $"""["{Ago(quotaAge)}","Data collection stopped due to daily limit of free data reached. Ingestion status = {quota}"]""")
                : query.Contains("Quarters", StringComparison.Ordinal)
                    ? Table("""{"name":"Quarters","type":"long"},{"name":"Oldest","type":"datetime"},{"name":"Newest","type":"datetime"}""", $"""[{quarters},"{Ago(newestAge + (15 * 89))}","{Ago(newestAge)}"]""")
                    : Table("""{"name":"Count","type":"long"}""", query.Contains("take 1", StringComparison.Ordinal) ? "[1]" : "[0]"));
        await using var services = _server.Azure(all => all.AddAzureMonitor());
        var check = services.GetServices<ICheck>().Single(one => one.Name == "azureMonitor.logs");

        var result = await check.AskAsync(
            ParameterBinder.Bind(new JsonObject { ["workspace"] = "11111111-2222-3333-4444-55555555c0de", ["query"] = "AppEvents | where TimeGenerated > ago(5m) | summarize count()", ["failing"] = "> 20" }, check.ParametersType).Value.ShouldNotBeNull(), _server.Step(), TestContext.Current.CancellationToken);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain(words);
    }

    private static string Table(string columns, string row) => $$"""{"tables":[{"name":"PrimaryResult","columns":[{{columns}}],"rows":[{{row}}]}]}""";

    private string Ago(int minutes) => (_server.Time.GetUtcNow() - TimeSpan.FromMinutes(minutes)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
