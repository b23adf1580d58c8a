namespace Runbooks.Tests.Intake.Parsing;

/// <summary>By the start of an alert its episodes are told apart: what is no time is told to whoever sent it.</summary>
public sealed class TimesTests
{
    [Theory]
    [InlineData("generic", "1795917000", "2026-11-29T01:50:00.000Z", null)]
    [InlineData("generic", "\"1795917000123\"", "2026-11-29T01:50:00.123Z", null)]
    [InlineData("alertmanager", "\"2026-11-29T02:00:00Z\"", "2026-11-29T02:00:00.000Z", null)]
    [InlineData("generic", "\"0001-01-01T00:00:00Z\"", null, null)]
    [InlineData("generic", "0", null, null)]
    [InlineData("generic", "\"1970-01-01T00:00:00Z\"", null, null)]
    [InlineData("alertmanager", "\"1970-01-01T01:00:00+01:00\"", null, null)]
    [InlineData("grafana", "\"1601-01-01T00:00:00Z\"", null, null)]
    [InlineData("generic", "\"1900-01-01 00:00:00\"", null, null)]
    [InlineData("generic", "\"0000000000\"", null, null)]
    [InlineData("generic", "\"0000000000000\"", null, null)]
    [InlineData("generic", "\"\"", null, null)]
    [InlineData("generic", "null", null, null)]
    [InlineData("generic", "\"2026.11.29 02:00:00\"", null, "the text \"2026.11.29 02:00:00\"")]
    [InlineData("generic", "\"Sun, 29 Nov 2026 02:00:00 GMT\"", null, "the text \"Sun, 29 Nov 2026 02:00:00 GMT\"")]
    [InlineData("generic", "\"29.11.2026\"", null, "the text \"29.11.2026\"")]
    [InlineData("generic", "17959170", null, "a number")]
    [InlineData("generic", "{\"seconds\":1}", null, "an object")]
    [InlineData("alertmanager", "\"yesterday\"", null, "the text \"yesterday\"")]
    [InlineData("grafana", "\"yesterday\"", null, "the text \"yesterday\"")]
    public void Start_IsReadOrToldOf(string source, string written, string? read, string? found)
    {
        var parsed = Readers.Read(source, $$"""{"alerts":[{"name":"A","labels":{"alertname":"A"},"startsAt":{{written}}}]}""");

        parsed.Alerts.ShouldHaveSingleItem().StartsAt?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture).ShouldBe(read);
        parsed.Warnings.Select(warning => (warning.Path, warning.Found)).ShouldBe(found is null ? [] : [("$.alerts[0].startsAt", found)]);
    }
}
