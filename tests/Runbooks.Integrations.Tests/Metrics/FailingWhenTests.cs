using System.Globalization;
using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Tests.Metrics;

public sealed class FailingWhenTests
{
    private sealed record Item(double Value);

    private static FailingWhen Parse(string text) => FailingWhen.Parse(text, CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("> 95", 98)]
    [InlineData("< 1", -3)]
    [InlineData("== 3", 3)]
    [InlineData("!= 3", 98)]
    public void Worst_IsTheFurthestOnTheFailingSide(string text, double worst)
    {
        Item[] items = [new(double.NaN), new(3), new(98), new(-3)];

        Parse(text).Worst(items, item => item.Value).Value.ShouldBe(worst);
    }

    [Fact]
    public void OnlyNaN_IsWorstAndDoesNotHold()
    {
        var failing = Parse("> 95");

        failing.Holds(failing.Worst([new Item(double.NaN)], item => item.Value).Value).ShouldBeFalse();
    }

    [Theory]
    [InlineData("about 95")]
    [InlineData("> lots")]
    [InlineData("")]
    public void OtherText_IsRefused(string text) => FailingWhen.TryParse(text, null, out _).ShouldBeFalse();
}
