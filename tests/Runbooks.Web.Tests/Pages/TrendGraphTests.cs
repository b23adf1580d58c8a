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
        TrendGraph.Shape.Of(Of("%", "> 95", 43, 60, 98.2) with { SeriesSpan = TimeSpan.FromMinutes(15) })!.Description
            .ShouldBe("The 15m before that, in %. From 43 to 98.2 %, lowest 43, highest 98.2; limit 95 %.");

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

    private static CheckResult Of(string? unit, string? threshold, params double[] values) => CheckResult.Failing("x") with { Unit = unit, Threshold = threshold, Series = values };
}
