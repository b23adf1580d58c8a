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
        var result = await AskAsync(quota, quotaAge, newestAge, quarters, dense: null);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain(words);
    }

    /// <summary>A table that has a row in nearly every minute shows what has not come in yet: what is of before a step by that verifies nothing.</summary>
    [Theory]
    [InlineData(1, 333, 0, Verdict.Passing, 3)]
    [InlineData(4, 333, 0, Verdict.Passing, 3)]
    [InlineData(5, 333, 0, Verdict.Passing, 4)]
    [InlineData(5, 333, 7, Verdict.Passing, 4)]
    [InlineData(6, 333, 0, Verdict.Unknown, 3)]
    // However late the rows are.
    [InlineData(25, 359, 0, Verdict.Unknown, 3)]
    [InlineData(40, 323, 0, Verdict.Unknown, 3)]
    [InlineData(400, 359, 0, Verdict.Unknown, 3)]
    [InlineData(40, 360, 0, Verdict.Passing, 3)]
    [InlineData(40, null, 0, Verdict.Passing, 3)]
    public async Task CountOfWhatHasNotComeInYet_IsOfNoLaterThanWhatHas(int newestAge, int? dense, int count, Verdict verdict, int measuredAgo)
    {
        // A quarter of an hour had none, so that nothing else tells it.
        var result = await AskAsync("", 0, newestAge, 89, dense, count);

        (result.Verdict, result.MeasuredAt).ShouldBe((verdict, _server.Time.GetUtcNow().AddMinutes(-measuredAgo)), result.Summary);
        result.Summary.Contains("AppEvents had rows in nearly every minute, and of the time that is counted none has come in: the newest is of ", StringComparison.Ordinal).ShouldBe(verdict == Verdict.Unknown, result.Summary);
    }

    /// <param name="dense">How many minutes before the newest one with a row is the 324th; null where there are fewer.</param>
    private async Task<CheckResult> AskAsync(string quota, int quotaAge, int newestAge, int quarters, int? dense, int count = 0)
    {
        _server.Answer = context => context.Response.WriteAsync(
            JsonNode.Parse(_server.Requests.Last().Body)!["query"]!.GetValue<string>() is var query && query.StartsWith("_LogOperation", StringComparison.Ordinal)
                ? Table("""{"name":"TimeGenerated","type":"datetime"},{"name":"Detail","type":"string"}""", quota.Length == 0 ? "" : $"""["{Ago(quotaAge)}","Data collection stopped due to daily limit of free data reached. Ingestion status = {quota}"]""")
                : query.Contains("Quarters", StringComparison.Ordinal)
                    ? Table("""{"name":"Dense","type":"datetime"},{"name":"Quarters","type":"long"},{"name":"Oldest","type":"datetime"},{"name":"Newest","type":"datetime"}""", $"""[{(dense is { } before ? $"\"{Ago(newestAge + before)}\"" : "null")},{quarters},"{Ago(newestAge + (15 * 89))}","{Ago(newestAge)}"]""")
                    : Table("""{"name":"Count","type":"long"}""", query.Contains("take 1", StringComparison.Ordinal) ? "[1]" : $"[{count}]"));
        await using var services = _server.Azure(all => all.AddAzureMonitor());
        var check = services.GetServices<ICheck>().Single(one => one.Name == "azureMonitor.logs");
        return await check.AskAsync(
            ParameterBinder.Bind(new JsonObject { ["workspace"] = "11111111-2222-3333-4444-55555555c0de", ["query"] = "AppEvents | where TimeGenerated > ago(5m) | summarize count()", ["failing"] = "> 20" }, check.ParametersType).Value.ShouldNotBeNull(), _server.Step(), TestContext.Current.CancellationToken);
    }

    private static string Table(string columns, string row) => $$"""{"tables":[{"name":"PrimaryResult","columns":[{{columns}}],"rows":[{{row}}]}]}""";

    private string Ago(int minutes) => (_server.Time.GetUtcNow() - TimeSpan.FromMinutes(minutes)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
