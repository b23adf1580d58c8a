using Runbooks.Model.Incidents;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Tests.Pages;

public sealed class TrendGraphTests
{
    [Theory]
    [InlineData("%", "> 95", 97, 0, 100)]
    [InlineData("%", "> 95", 130, 0, 200)]
    [InlineData("ms", "> 800", 120, 0, 1000)]
    [InlineData("ms", null, 0.3, 0, 0.5)]
    [InlineData(null, "< -5", -20, -20, 0)]
    [InlineData(null, null, 0, 0, 1)]
    public void Scale_BeginsAtNothingAndHoldsValuesAndLimit(string? unit, string? threshold, double last, double bottom, double top)
    {
        var graph = TrendGraph.Shape.Of(Of(unit, threshold, 0, last))!;

        (graph.Bottom, graph.Top).ShouldBe((bottom, top));
    }

    [Fact]
    public void Words_TellTimeUnitLimitAndCourse() =>
        TrendGraph.Shape.Of(Over(15, Of("%", "> 95", 43, 60, 98.2)))!.Description
            .ShouldBe("The 15m before that, in %. From 43 to 98.2 %, lowest 43, highest 98.2; limit 95 %.");

    [Theory]
    [InlineData(60, "before that")]
    [InlineData(61, "until 02:58:59 UTC")]
    public void EarlierValues_AreNotSaidToReachToTheAnswer(int seconds, string words) =>
        TrendGraph.Shape.Of(Over(7, Of("s", "> 3", 1, 2), s_asked.AddSeconds(-seconds)))!.Caption.ShouldBe($"The 7m {words}, in s.");

    [Theory]
    [InlineData]
    [InlineData(1.0)]
    [InlineData(double.NaN, double.PositiveInfinity, 3.0)]
    public void FewerThanTwoNumbers_AreNoGraph(params double[] values) => TrendGraph.Shape.Of(Of(null, null, values)).ShouldBeNull();

    [Fact]
    public void Line_RunsFromEdgeToEdgeAndTheLimitStandsWhereItIs()
    {
        var graph = TrendGraph.Shape.Of(Of("%", "> 50", 0, 100))!;

        graph.Points.ShouldBe("44,84 316,8");
        graph.Y(graph.Limit!.Value).ShouldBe("46");
    }

    private static readonly DateTimeOffset s_asked = new(2026, 11, 24, 3, 0, 0, TimeSpan.Zero);

    private static Finding Of(string? unit, string? threshold, params double[] values) =>
        new("memory", "Is it full?", CheckResult.Failing("x") with { Unit = unit, Threshold = threshold, Series = values }, s_asked, TimeSpan.Zero);

    private static Finding Over(int minutes, Finding finding, DateTimeOffset? until = null) =>
        finding with { Result = finding.Result with { SeriesSpan = TimeSpan.FromMinutes(minutes), SeriesUntil = until } };
}
