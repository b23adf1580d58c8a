using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>Which of a log query's columns is judged, and what it means that a row has nothing there.</summary>
public sealed class LogColumnsTests : WithServer
{
    private const string Workspace = "11111111-2222-3333-4444-55555555c0de";

    private ServiceProvider Services() => _server.Azure(all => all.AddAzureMonitor());

    /// <param name="columns">With their types: <c>p95:real</c>.</param>
    /// <param name="rows">As JSON.</param>
    private void Answer(string columns, string rows) => _server.Answer = context => context.Response.WriteAsync(
        $$"""{"tables":[{"name":"PrimaryResult","columns":[{{string.Join(',', columns.Split(' ').Select(one => one.Split(':')).Select(one => $$"""{"name":"{{one[0]}}","type":"{{one[1]}}"}"""))}}],"rows":{{rows}}}]}""");

    [Theory]
    [InlineData("p95:real n:long", "[[800.5,12]]", Verdict.Failing, "800.5; limit > 500.")]
    [InlineData("p95:real n:long", "[[null,0]]", Verdict.Unknown, "NaN; not a number, so it says nothing.")]
    [InlineData("p95:real n:long", "[[\"NaN\",0]]", Verdict.Unknown, "NaN; not a number, so it says nothing.")]
    [InlineData("p95:decimal n:long", "[[\"800.5\",12]]", Verdict.Failing, "800.5; limit > 500.")]
    [InlineData("region:string p95:real n:long", "[[\"a\",200,9],[\"b\",null,9]]", Verdict.Unknown, "200 (the worst of 2 rows); failing would be > 500; but another row's is not a number.")]
    [InlineData("region:string p95:real n:long", "[[\"a\",900,9],[\"b\",null,9]]", Verdict.Failing, "900 (the worst of 2 rows); limit > 500.")]
    [InlineData("region:string", "[[\"7\"]]", Verdict.Unknown, "The query's rows have no column of numbers. Add 'summarize' or name the column.")]
    public async Task FirstColumnOfNumbers_IsJudgedInEveryRow(string columns, string rows, Verdict verdict, string words)
    {
        Answer(columns, rows);

        var found = await AskAsync();

        (found.Verdict, found.Summary).ShouldBe((verdict, words));
    }

    [Theory]
    [InlineData("p95", "[[null,0]]", Verdict.Unknown, "NaN; not a number, so it says nothing.")]
    [InlineData("N", "[[null,0]]", Verdict.Passing, "0; failing would be > 500.")]
    [InlineData("other", "[[1,0]]", Verdict.Unknown, "The query's rows have no number in a column 'other'.")]
    [InlineData("p95", "[[\"slow\",0]]", Verdict.Unknown, "The query's rows have no number in a column 'p95'.")]
    public async Task NamedColumn_IsJudged(string column, string rows, Verdict verdict, string words)
    {
        Answer("p95:real n:long", rows);

        var found = await AskAsync(column);

        (found.Verdict, found.Summary).ShouldBe((verdict, words));
    }

    [Fact]
    public async Task RequestsThatASignatureIsTriedOn_AreThoseOfOneColumn()
    {
        Answer("n:long body:string user:string", """[[1,"hello","ann"],[2,null,"bob"],[3,"","cid"]]""");
        await using var services = Services();

        (await services.GetRequiredService<LogsClient>().QueryAsync(Workspace, "T", TimeSpan.FromHours(1), TestContext.Current.CancellationToken)).Texts().ShouldBe(["hello"]);
    }

    private async Task<CheckResult> AskAsync(string? column = null)
    {
        await using var services = Services();
        return await services.GetServices<ICheck>().Single(one => one.Name == "azureMonitor.logs").AskAsync(
            new LogsParameters { Workspace = Workspace, Query = "T | summarize p95=percentile(DurationMs,95), n=count()", Failing = FailingWhen.Parse("> 500", null), Column = column, WhenEmpty = WhenEmpty.Passing },
            _server.Step(),
            TestContext.Current.CancellationToken);
    }
}
