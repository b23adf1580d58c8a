using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

/// <summary>What Prometheus answers in part, with no numbers, or about nothing that exists is no sign of health.</summary>
public sealed class DoubtfulAnswerTests : WithServer
{
    private const string Nothing = "[]";
    private const string Good = """[{"metric":{"pod":"a"},"value":[1,"0.01"]}]""";

    private async Task<CheckResult> AskAsync(string query, string failing, WhenEmpty whenEmpty, Func<HttpContext, string> answer)
    {
        _server.Answer = context => context.Response.WriteAsync(answer(context));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Prometheus:Endpoints:p:Url"] = _server.Url, ["OutboundHttp:Retries"] = "0" }).Build();
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton<TimeProvider>(_server.Time).AddPrometheus().BuildServiceProvider();
        return await services.GetServices<ICheck>().Single(one => one.Name == "prometheus.query").AskAsync(
            new PrometheusQueryParameters { Query = query, Failing = FailingWhen.Parse(failing, null), WhenEmpty = whenEmpty },
            _server.Step(),
            TestContext.Current.CancellationToken);
    }

    private static string Vector(string result, string more = "") => $$$"""{"status":"success","data":{"resultType":"vector","result":{{{result}}}}{{{more}}}}""";

    [Theory]
    [InlineData("rpc error: code = Unavailable", Verdict.Unknown, "Prometheus 'p' answered with a warning, perhaps only in part: rpc error: code = Unavailable")]
    [InlineData("PromQL info: metric might not be a counter", Verdict.Passing, "0.01; failing would be > 1.")]
    public async Task AnswerWithAWarning_IsUnknownInItsWords(string warning, Verdict verdict, string words)
    {
        var result = await AskAsync("m", "> 1", WhenEmpty.Unknown, _ => Vector(Good, $$""","warnings":["{{warning}}"]"""));

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    /// <summary>VictoriaMetrics answers so when one of its storage nodes does not.</summary>
    [Theory]
    [InlineData("true", Verdict.Unknown, "Prometheus 'p' answered with a warning, perhaps only in part: isPartial")]
    [InlineData("false", Verdict.Passing, "0.01; failing would be > 1.")]
    public async Task AnswerOfAPart_IsUnknown(string isPartial, Verdict verdict, string words)
    {
        var result = await AskAsync("m", "> 1", WhenEmpty.Unknown, _ => Vector(Good, $$""","isPartial":{{isPartial}}"""));

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    /// <summary>When nothing is scraped any more, the last samples are told for five minutes more as if they were of now.</summary>
    /// <param name="age">How old the newest sample is, in seconds; what is no time a sample can have is not believed.</param>
    [Theory]
    [InlineData("20", -60)]
    [InlineData("61", -120)]
    [InlineData("280", -300)]
    [InlineData("3890", -3900)]
    [InlineData("3901", -60)]
    [InlineData("-30", -60)]
    [InlineData("NaN", -60)]
    [InlineData("none", -60)]
    [InlineData("error", -60)]
    public async Task AnswerOfALastSample_WasMeasuredWhenThatWas(string age, int seconds)
    {
        var now = _server.Time.GetUtcNow();
        var result = await AskAsync("m", "> 1", WhenEmpty.Unknown, context =>
            context.Request.Query["query"] != "max(timestamp(up))" ? Vector(Good)
            : age == "error" ? """{"status":"error","error":"unknown function timestamp"}"""
            : age == "none" ? Vector(Nothing)
            : Vector($$"""[{"metric":{},"value":[{{now.ToUnixTimeSeconds()}},"{{(age == "NaN" ? age : now.ToUnixTimeSeconds() - int.Parse(age, CultureInfo.InvariantCulture))}}"]}]"""));

        (result.Verdict, result.MeasuredAt).ShouldBe((Verdict.Passing, now.AddSeconds(seconds)));
    }

    /// <summary>A range of more than five minutes still has an answer when `up` has none. Where several clusters report, only that of the query counts.</summary>
    /// <param name="newest">Which question has an answer, of a sample that is 400 seconds old.</param>
    [Theory]
    [InlineData("sum(rate(m[15m]))", "max(max_over_time(timestamp(up)[1h:1m]))", -420)]
    [InlineData("m{cluster=\"b\"} / n{cluster='b'}", "max(timestamp(up{cluster=\"b\"}))", -420)]
    [InlineData("m{cluster = \"b\"}", "max(max_over_time(timestamp(up{cluster=\"b\"})[1h:1m]))", -420)]
    [InlineData("m{cluster=\"no such in up\"}", "max(timestamp(up))", -420)]
    [InlineData("m{cluster=\"b\"}", "max(timestamp(up))", -420)]
    [InlineData("m{cluster=\"b\"} / m{cluster=\"a\"}", "max(timestamp(up))", -420)]
    [InlineData("m{cluster=~\"a|b\"}", "max(timestamp(up))", -420)]
    [InlineData("m{my_cluster=\"b\"}", "max(timestamp(up))", -420)]
    [InlineData("m", "none", -60)]
    public async Task AnswerOfASampleFromBefore_WasMeasuredThen(string query, string newest, int seconds)
    {
        var now = _server.Time.GetUtcNow();
        var result = await AskAsync(query, "> 1", WhenEmpty.Unknown, context => context.Request.Query["query"].ToString() is var asked && asked == query ? Vector(Good)
            : Vector(asked == newest ? $$"""[{"metric":{},"value":[{{now.ToUnixTimeSeconds()}},"{{now.ToUnixTimeSeconds() - 400}}"]}]""" : Nothing));

        (result.Verdict, result.MeasuredAt).ShouldBe((Verdict.Passing, now.AddSeconds(seconds)));
    }

    /// <summary>With its `for`, an alert whose fault came again after a fix fires only minutes later.</summary>
    [Theory]
    [InlineData("ALERTS{alertname=\"Slow\", alertstate = \"firing\"}", "the alert Slow is pending: what it tells of is so, and not yet for long enough to fire.")]
    [InlineData("ALERTS{alertname=~\"Slow|Also\", alertstate=\"firing\"}", "one of the alerts Slow, Also is pending: what it tells of is so, and not yet for long enough to fire.")]
    public async Task AlertThatIsPending_IsNotOver(string query, string words)
    {
        var result = await AskWhilePendingAsync(query);

        (result.Verdict, result.Summary).ShouldBe((Verdict.Unknown, $"The query found nothing: {words}"));
    }

    /// <summary>Empty because an alert fires, or about any alert at all: one that is pending does not say that something is ill.</summary>
    [Theory]
    [InlineData("absent(ALERTS{alertname=\"Slow\",alertstate=\"firing\"})")]
    [InlineData("absent_over_time(ALERTS{alertname=\"Slow\",alertstate=\"firing\"}[5m])")]
    [InlineData("vector(1) UNLESS on() ALERTS{alertname=\"Slow\",alertstate=\"firing\"}")]
    [InlineData("ALERTS{namespace=\"lab\",alertstate=\"firing\"}")]
    public async Task QueryThatAPendingAlertSaysNothingAbout_IsHealthy(string query)
    {
        var result = await AskWhilePendingAsync(query);

        result.Verdict.ShouldBe(Verdict.Passing, result.Summary);
    }

    private Task<CheckResult> AskWhilePendingAsync(string query) => AskAsync(query, "> 0", WhenEmpty.Passing, context =>
        context.Request.Path.Value!.EndsWith("/rules", StringComparison.Ordinal)
            ? """{"status":"success","data":{"groups":[{"rules":[{"name":"Slow","type":"alerting","health":"ok"},{"name":"Also","type":"alerting","health":"ok"}]}]}}"""
            : Vector(context.Request.Query["query"].ToString().Contains("alertstate=\"pending\"", StringComparison.Ordinal) ? Good : Nothing));

    [Theory]
    [InlineData("vector", "histogram", "[1,{\"count\":\"1\"}]")]
    [InlineData("matrix", "histograms", "[[1,{\"count\":\"1\"}]]")]
    public async Task NativeHistogram_IsNoNumber(string type, string name, string value)
    {
        var result = await AskAsync("m", "> 1", WhenEmpty.Unknown, _ => $$$"""{"status":"success","data":{"resultType":"{{{type}}}","result":[{"metric":{},"{{{name}}}":{{{value}}}}]}}""");

        (result.Verdict, result.Summary).ShouldBe((Verdict.Unknown, "The query finds a native histogram, not a number: take one of it, such as `histogram_quantile(0.95, rate(…[5m]))`."));
    }

    /// <summary>Where some are no numbers, those before stand at an earlier time than their place in the curve.</summary>
    [Fact]
    public async Task CurveWithAGap_IsWhatCameAfterItAndSaysOfWhenItIs()
    {
        var result = await AskAsync("m", "> 1", WhenEmpty.Unknown, context => !PrometheusAnswers.IsRange(context) ? Vector(Good)
            : """{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"a"},"values":[[1000,"5"],[1015,"NaN"],[1030,"3"],[1045,"2"],[1060,"1"],[1075,"NaN"],[1090,"NaN"]]}]}}""");

        result.Series.ShouldBe([3, 2, 1]);
        (result.SeriesSpan, result.SeriesUntil).ShouldBe((TimeSpan.FromSeconds(30), DateTimeOffset.FromUnixTimeSeconds(1060)));
    }

    [Theory]
    [InlineData("NaN", "> 1", Verdict.Unknown, "0.01 (the worst of 2 series: {pod=\"b\"}); failing would be > 1; but {pod=\"a\"} is not a number. Where nothing is asked of a part, a ratio has no value: leave it out with `… / (… > 0)`.")]
    [InlineData("NaN", "< 1", Verdict.Failing, "0.01 (the worst of 2 series: {pod=\"b\"}); limit < 1.")]
    [InlineData("NaN", "absent", Verdict.Passing, "0.01 (the worst of 2 series: {pod=\"b\"}); there is a value.")]
    [InlineData(null, "absent", Verdict.Unknown, "NaN; not a number, so it says nothing.")]
    public async Task SeriesThatIsNoNumber_HidesNothing(string? beside, string failing, Verdict verdict, string words)
    {
        var result = await AskAsync("m", failing, WhenEmpty.Unknown, _ => Vector(beside is null
            ? """[{"metric":{"pod":"a"},"value":[1,"NaN"]}]"""
            : """[{"metric":{"pod":"a"},"value":[1,"NaN"]},{"metric":{"pod":"b"},"value":[1,"0.01"]}]"""));

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    [Theory]
    [InlineData("known{x=\"1\"}", Verdict.Passing, "counts as healthy")]
    [InlineData("{__name__=\"known\"}", Verdict.Passing, "counts as healthy")]
    [InlineData("{__name__=\"never_heard_of\"}", Verdict.Unknown, "no series named never_heard_of")]
    [InlineData("{job=\"x\"}", Verdict.Unknown, "it names no metric")]
    [InlineData("broken", Verdict.Unknown, "whether what it names exists could not be asked. Prometheus 'p' answered 200: timed out")]
    [InlineData("ALERTS{alertname=\"Slow\",alertstate=\"firing\"}", Verdict.Passing, "counts as healthy")]
    [InlineData("ALERTS{alertname=\"NoSuchRule\"}", Verdict.Unknown, "no alert rule named NoSuchRule")]
    [InlineData("ALERTS{alertname=\"Ill\"}", Verdict.Unknown, "has the alert rule Ill, and could not evaluate it lately")]
    [InlineData("ALERTS{alertname=\"New\"}", Verdict.Unknown, "has the alert rule New, and has not evaluated it yet")]
    [InlineData("ALERTS{alertname=~\"Slow|Also\"}", Verdict.Passing, "counts as healthy")]
    [InlineData("ALERTS{alertname=~\"Slow|NoSuchRule\"}", Verdict.Unknown, "no alert rule named NoSuchRule")]
    public async Task NothingFound_IsHealthyOnlyWhereThereCouldBeSomething(string query, Verdict verdict, string words)
    {
        var result = await AskAsync(query, "> 0", WhenEmpty.Passing, context =>
            context.Request.Path.Value!.EndsWith("/rules", StringComparison.Ordinal)
                ? """{"status":"success","data":{"groups":[{"name":"g","rules":[{"name":"Slow","type":"alerting","health":"ok"},{"name":"Also","type":"alerting","health":"ok"},{"name":"New","type":"alerting","health":"unknown"},{"name":"Ill","type":"alerting","health":"err"}]}]}}"""
                : context.Request.Query["query"].ToString() is var asked && !asked.StartsWith("count by (__name__)", StringComparison.Ordinal) ? Vector(Nothing)
                : asked.Contains("broken", StringComparison.Ordinal) ? """{"status":"error","error":"timed out"}"""
                : Vector(asked.Contains("\"known\"", StringComparison.Ordinal) ? """[{"metric":{"__name__":"known"},"value":[1,"3"]}]""" : Nothing));

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldContain(words);
    }
}
