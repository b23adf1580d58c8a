using Runbooks.Model.Text;

namespace Runbooks.Model.Tests.Text;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("20s", 20)]
    [InlineData("5m", 300)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172800)]
    [InlineData("1m500ms", 60.5)]
    [InlineData("0", 0)]
    public void Duration_IsRead(string text, double seconds)
    {
        DurationText.TryParse(text, out var duration).ShouldBeTrue();
        duration.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-5m")]
    [InlineData("5 m")]
    [InlineData("30m1h")]
    [InlineData("1m1m")]
    [InlineData("1.5h")]
    [InlineData("5M")]
    [InlineData("367d")]
    [InlineData("99999999999999999999s")]
    [InlineData("999999999d")]
    [InlineData("366d1s")]
    [InlineData("00:05:00")]
    public void AnythingElse_IsRefused(string text) => DurationText.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(90, "1m30s")]
    [InlineData(172800, "2d")]
    public void Format_IsReadBack(double seconds, string text) => DurationText.Format(TimeSpan.FromSeconds(seconds)).ShouldBe(text);
}
