using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Azure.Routing;
using Runbooks.Integrations.Metrics;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>A value of a while ago, one of a minute that has just begun, and series that Azure did not tell of: of all these nothing is known.</summary>
public sealed class StaleMetricTests : WithServer
{
    private const string Group = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers";

    private ServiceProvider Services() => _server.Azure(all => all.AddAzureMonitor().AddFrontDoor());

    /// <param name="points">Of each minute by how long ago it began: <c>3=20 2= 1=0</c>.</param>
    private string Series(string points, string name = "x") => $$"""{"metadatavalues":[{"name":{"value":"Origin"},"value":"{{name}}"}],"data":[{{string.Join(',', points.Split(' ').Select(Point))}}]}""";

    private string Point(string point)
    {
        var parts = point.Split('=');
        var at = (_server.Time.GetUtcNow() - TimeSpan.FromMinutes(double.Parse(parts[0], CultureInfo.InvariantCulture))).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        return $$"""{"timeStamp":"{{at}}"{{(parts[1].Length == 0 ? "" : $",\"average\":{parts[1]},\"total\":{parts[1]},\"count\":{parts[1]},\"maximum\":{parts[1]}")}}}""";
    }

    private static string Metric(params string[] series) => $$"""{"value":[{"timeseries":[{{string.Join(',', series)}}]}]}""";

    [Theory]
    [InlineData("4=21 3=20 2= 1=", Verdict.Passing, "20; failing would be > 95.")]
    [InlineData("7=21 6=20 5= 4= 3=", Verdict.Passing, "20 (5 min old); failing would be > 95.")]
    [InlineData("14=20 13= 1=", Verdict.Unknown, "web app s1 has had no value of M for 13 min; the last was 20, and says nothing about now.")]
    [InlineData("44=19 29=20 14=21 1=", Verdict.Passing, "21 (13 min old); failing would be > 95.")]
    [InlineData("3=400 2=400 1=400 0.5=0", Verdict.Failing, "400; limit > 95.")]
    public async Task Value_CountsWhileItIsOfNow(string points, Verdict verdict, string words)
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series(points)));

        var result = await AskAsync();

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
    }

    /// <summary>Its newest value is of an hour that is not over, and the one before it is out of sight.</summary>
    [Theory]
    [InlineData("< 99", WhenEmpty.Passing)]
    [InlineData("< 99", WhenEmpty.Unknown)]
    [InlineData("absent", WhenEmpty.Unknown)]
    public async Task MetricThatIsKeptByTheHour_IsNotMissing(string failing, WhenEmpty whenEmpty)
    {
        _server.Answer = context => context.Response.WriteAsync($$"""{"interval":"PT1H",{{Metric(Series("30=12.5"))[1..]}}""");

        var result = await AskAsync(failing, whenEmpty: whenEmpty);

        (result.Verdict, result.Summary).ShouldBe((Verdict.Unknown, "Azure keeps M by 1h, so there may be no whole value in 1h: set 'over' to 2h or more."));
        (await AskAsync(failing, whenEmpty: whenEmpty, hours: 2)).Summary.ShouldNotContain("set 'over'");
    }

    /// <summary>Azure may still add to what it has measured in a minute that has just ended.</summary>
    [Theory]
    [InlineData(MetricAggregation.Count)]
    [InlineData(MetricAggregation.Total)]
    [InlineData(MetricAggregation.Average)]
    [InlineData(MetricAggregation.Maximum)]
    public async Task MinuteThatHasJustEnded_IsNotWholeYet(MetricAggregation aggregation)
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series("4=400 3=400 2=2")));

        var result = await AskAsync(aggregation: aggregation);

        (result.Verdict, result.MeasuredAt).ShouldBe((Verdict.Failing, _server.Time.GetUtcNow() - TimeSpan.FromMinutes(2)));
    }

    /// <summary>Of the shortest window nothing would be left that is whole. A sum of half an hour is no sum of a minute.</summary>
    [Theory]
    [InlineData(MetricAggregation.Total, 6, "PT1M", 2)]
    [InlineData(MetricAggregation.Average, 6, "PT30M", 12)]
    [InlineData(MetricAggregation.Average, 1, "PT1M", 2)]
    public async Task Window_EndsWhereItsValuesAreWhole(MetricAggregation aggregation, int hours, string every, int minutesAgo)
    {
        var asked = ("", "");
        _server.Answer = context =>
        {
            asked = (context.Request.Query["timespan"].ToString().Split('/')[1], context.Request.Query["interval"].ToString());
            return context.Response.WriteAsync(Metric());
        };

        await AskAsync(aggregation: aggregation, hours: hours);

        asked.ShouldBe(($"{_server.Time.GetUtcNow().AddMinutes(-minutesAgo):yyyy-MM-ddTHH:mm:ssZ}", every));
    }

    /// <summary>Azure's intervals begin where the question does. Asked anywhere but on the clock, each minute had another value, and most of it was of the one before.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ValueOfFiveMinutes_IsTheSameUntilTheNextFiveAreOver(bool hasValue)
    {
        _server.Answer = context =>
        {
            var span = context.Request.Query["timespan"].ToString().Split('/').Select(one => DateTimeOffset.Parse(one, CultureInfo.InvariantCulture)).ToList();
            var begins = Enumerable.Range(0, (int)((span[1] - span[0]) / TimeSpan.FromMinutes(5))).Select(at => span[0].AddMinutes(5 * at));
            return context.Response.WriteAsync(Metric(Series(string.Join(' ', begins.Select(begin => $"{(_server.Time.GetUtcNow() - begin).TotalMinutes}={(hasValue ? "20" : "")}")))).Replace("{\"value\"", "{\"interval\":\"PT5M\",\"value\"", StringComparison.Ordinal));
        };
        _server.Time.Advance(TimeSpan.FromMinutes(3));
        var begin = _server.Time.GetUtcNow();
        begin.Minute.ShouldBe(15);
        // Where nothing comes, it may still come for a little longer.
        var late = hasValue ? 2 : 4;
        List<(DateTimeOffset? From, DateTimeOffset? Until)> found = [];
        foreach (var minute in new[] { 5, 4 + late, 5 + late, 9 + late, 10 + late })
        {
            _server.Time.Advance(begin.AddMinutes(minute) - _server.Time.GetUtcNow());
            var result = await AskAsync(granularity: 5, whenEmpty: WhenEmpty.Passing);
            result.Verdict.ShouldBe(Verdict.Passing, result.Summary);
            found.Add((result.MeasuredFrom, result.MeasuredAt));
        }

        found.ShouldBe([Of(-5), Of(-5), Of(0), Of(0), Of(5)]);

        (DateTimeOffset?, DateTimeOffset?) Of(int from) => (begin.AddMinutes(from), begin.AddMinutes(from + 5));
    }

    /// <summary>What passes rests on every series, what fails on the worst, and what is there on the latest.</summary>
    [Theory]
    [InlineData("> 95", 3, 2)]
    [InlineData("> 25", 2, 2)]
    [InlineData("absent", 2, 3)]
    public async Task MeasuredAt_IsThatOfTheSeriesThatTellsIt(string failing, int until, int drawn)
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series("5=20 4=20", "a"), Series("4=30 3=30", "b")));

        var result = await AskAsync(failing);

        result.MeasuredAt.ShouldBe(_server.Time.GetUtcNow() - TimeSpan.FromMinutes(until));
        result.SeriesUntil.ShouldBe(_server.Time.GetUtcNow() - TimeSpan.FromMinutes(drawn), "one of them is drawn");
    }

    /// <summary>Where a minute has no value, those before stand at an earlier time than their place in the curve; where values come seldom, all of them are as far apart.</summary>
    [Theory]
    [InlineData("9=5 8=6 7= 6= 5=1 4=2 3=3", new double[] { 1, 2, 3 }, 2)]
    [InlineData("44=19 29=20 14=21", new double[] { 19, 20, 21 }, 30)]
    [InlineData("9=5 8=6 7=4 6= 3=3", new double[] { 3 }, null)]
    public async Task CurveWithAGap_IsWhatCameAfterIt(string points, double[] values, int? minutes)
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series(points)));

        var result = await AskAsync();

        result.Series.ShouldBe(values);
        result.SeriesSpan.ShouldBe(minutes is { } span ? TimeSpan.FromMinutes(span) : null);
    }

    /// <summary>Of the capacity of a storage account there is one value an hour: Azure answers in that width, whatever was asked for.</summary>
    [Theory]
    [InlineData("130=20 70=21 10=0", Verdict.Passing, 10)]
    [InlineData("130=97 70=98 10=0", Verdict.Failing, 10)]
    public async Task MetricOfAnHour_IsReadInItsOwnWidth(string points, Verdict verdict, int until)
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series(points)).Replace("{\"value\"", "{\"interval\":\"PT1H\",\"value\"", StringComparison.Ordinal));

        var result = await AskAsync();

        (result.Verdict, result.MeasuredAt).ShouldBe((verdict, _server.Time.GetUtcNow() - TimeSpan.FromMinutes(until)));
    }

    /// <summary>Where nobody calls a service nobody is turned away, and where Azure is late none is told of: neither is health.</summary>
    [Theory]
    [InlineData("4=900 3=900", Verdict.Passing, "The query found nothing, which counts as healthy here.", 2)]
    [InlineData("4=0 3=0", Verdict.Passing, "The query found nothing, which counts as healthy here.", 2)]
    [InlineData("", Verdict.Unknown, "web app s1 has no current value of M at all, so it says nothing that there is none with this filter.", 4)]
    [InlineData("40=900 39=900", Verdict.Unknown, "web app s1 has no current value of M at all, so it says nothing that there is none with this filter.", 4)]
    public async Task NothingWithThisFilter_IsHealthOnlyWhereTheMetricIsMeasured(string withoutFilter, Verdict verdict, string words, int minutesAgo)
    {
        _server.Answer = context => context.Response.WriteAsync(context.Request.Query.ContainsKey("$filter") || withoutFilter.Length == 0 ? Metric() : Metric(Series(withoutFilter)));

        var result = await AskAsync(filter: "Code eq '429'", whenEmpty: WhenEmpty.Passing);

        (result.Verdict, result.Summary, result.MeasuredAt).ShouldBe((verdict, words, _server.Time.GetUtcNow().AddMinutes(-minutesAgo)));
        result.Threshold.ShouldBe("> 95");
    }

    [Fact]
    public async Task OneOfSeveralThatHasFallenSilent_HidesNothing()
    {
        _server.Answer = context => context.Response.WriteAsync(Metric(Series("12=20 11=20", "a"), Series("4=30 3=30", "b")));

        (await AskAsync()).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe("30 (the worst of 2: Origin=b); failing would be > 95; but Origin=a has had no value for 10 min."));
        (await AskAsync("> 25")).Verdict.ShouldBe(Verdict.Failing);
    }

    [Fact]
    public async Task OriginThatNothingWasHeardOfLately_TakesNoTraffic()
    {
        _server.Answer = context => context.Response.WriteAsync(context.Request.Path.Value!.Contains("metrics", StringComparison.Ordinal)
            ? Metric(Series("4=100 3=100", "a.example:443"), Series("10=100 9=100", "b.example:443"))
            : """{"properties":{"healthProbeSettings":{"probePath":"/"}},"value":[{"name":"a","properties":{"hostName":"a.example","enabledState":"Enabled","weight":50}},{"name":"b","properties":{"hostName":"b.example","enabledState":"Enabled","weight":50}}]}""");
        await using var services = Services();
        var reroute = services.GetServices<IAction>().Single(one => one.Name == "frontDoor.reroute");

        var preparation = await reroute.PrepareAsync(
            new FrontDoorRerouteParameters { Profile = $"{Group}/Microsoft.Cdn/profiles/fd", OriginGroup = "models", From = "a" }, _server.Step(), TestContext.Current.CancellationToken);

        preparation.Refusal.ShouldBe("'b' is of unknown health: Front Door has told nothing of it for 8 min: traffic would go from bad to worse.");
    }

    /// <summary>As many series as Azure tells of: 10 unless more are asked for.</summary>
    private Task AnswerAsync(HttpContext context, params string[] all) =>
        context.Response.WriteAsync(Metric([.. all.Take(int.TryParse(context.Request.Query["top"], out var top) ? top : 10)]));

    [Fact]
    public async Task TheEleventhSeries_IsSeenToo()
    {
        _server.Answer = context => AnswerAsync(context, [.. Enumerable.Range(0, 12).Select(one => Series($"3={(one == 10 ? 99 : 20)}", $"o{one}"))]);

        (await AskAsync(filter: "Origin eq '*'")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe("99 (the worst of 12: Origin=o10); limit > 95."));
    }

    [Theory]
    [InlineData(999, "20", "> 95", Verdict.Passing)]
    [InlineData(1001, "20", "> 95", Verdict.Unknown)]
    [InlineData(1001, "20", "> 10", Verdict.Failing)]
    [InlineData(1001, "", "> 95", Verdict.Unknown)]
    [InlineData(1001, "", "absent", Verdict.Unknown)]
    public async Task MoreSeriesThanAreTold_HideNothing(int count, string value, string failing, Verdict verdict)
    {
        _server.Answer = context => AnswerAsync(context, [.. Enumerable.Range(0, count).Select(one => Series($"3={value}", $"o{one}"))]);

        var result = await AskAsync(failing, "Origin eq '*'");

        result.Verdict.ShouldBe(verdict);
        result.Summary.Contains("Azure has told of 1,000 series, as many as were asked for, so there may be more", StringComparison.Ordinal).ShouldBe(verdict == Verdict.Unknown);
    }

    private async Task<CheckResult> AskAsync(string failing = "> 95", string? filter = null, MetricAggregation aggregation = MetricAggregation.Average, int hours = 1, int? granularity = null, WhenEmpty whenEmpty = WhenEmpty.Unknown)
    {
        await using var services = Services();
        return await services.GetServices<ICheck>().Single(one => one.Name == "azureMonitor.metric").AskAsync(
            new MetricParameters
            {
                Resource = $"{Group}/Microsoft.Web/sites/s1", Metric = "M", Failing = FailingWhen.Parse(failing, null), Over = TimeSpan.FromHours(hours), Filter = filter, Aggregation = aggregation,
                Granularity = granularity is { } minutes ? TimeSpan.FromMinutes(minutes) : null, WhenEmpty = whenEmpty,
            },
            _server.Step(),
            TestContext.Current.CancellationToken);
    }
}
