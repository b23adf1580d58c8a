using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;

namespace Runbooks.Tests.Guardrails;

/// <summary>When a window begins first and last, as people write it.</summary>
public sealed class MaintenanceTimesTests
{
    [Theory]
    [InlineData("Start", null, "it has no Start")]
    [InlineData("Start", "0001-01-01T00:00:00", "it has no Start")]
    [InlineData("Start", "2026-11-01T02:00:00Z", "its Start has a time zone of its own")]
    [InlineData("Start", "2026-11-01T02:00:00+01:00", "its Start has a time zone of its own")]
    [InlineData("Name", null, "Safety:Windows:0 (): it has no Name")]
    public void SettingOfAWindowThatWouldBeUnderstoodWrongly_StopsTheStart(string key, string? value, string problem)
    {
        var settings = new Dictionary<string, string?> { ["Name"] = "db patching", ["Start"] = "2026-11-01T02:00:00", ["Duration"] = "4h", ["TimeZone"] = "Europe/Berlin" };
        Options(settings).Windows.ShouldHaveSingleItem();
        settings[key] = value;

        Should.Throw<OptionsValidationException>(() => Options(settings)).Message.ShouldContain(problem);
    }

    [Fact]
    public void StartOfTheFileThatIsNoTime_IsAnErrorAtItsPlace() =>
        MaintenanceFile.Read("windows.yaml", "windows:\n  - name: move\n    start: 0001-01-01T00:00\n    duration: 1h\n    timeZone: Europe/Berlin")
            .Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("windows.yaml:3:12  windows[0].start  is '0001-01-01T00:00'.");

    [Theory]

    // Until the 31st, as a person writes it.
    [InlineData("UTC", "02:00", "UNTIL=20261231", "2026-12-31T02:30:00Z", "2027-01-01T02:30:00Z")]
    [InlineData("Europe/Berlin", "02:00", "UNTIL=20261231", "2026-12-31T01:30:00Z", "2027-01-01T01:30:00Z")]

    // The end of the 31st in UTC, as RFC 5545 asks for and calendar applications write it.
    [InlineData("Asia/Kolkata", "20:00", "UNTIL=20261231T182959Z", "2026-12-31T15:00:00Z", "2027-01-01T15:00:00Z")]
    [InlineData("Europe/Berlin", "23:30", "UNTIL=20261231T225959Z", "2026-12-31T23:00:00Z", "2027-01-01T23:00:00Z")]
    [InlineData("America/New_York", "00:30", "UNTIL=20270101T045959Z", "2026-12-31T06:00:00Z", "2027-01-01T06:00:00Z")]

    // By the clock of the zone.
    [InlineData("Asia/Kolkata", "20:00", "UNTIL=20261231T235959", "2026-12-31T15:00:00Z", "2027-01-01T15:00:00Z")]
    public void LastWindowOfARule_IsThatOfTheDayThatItNames(string zone, string start, string until, string last, string after)
    {
        var window = new MaintenanceWindow { Name = "patching", Start = DateTime.Parse($"2026-12-01T{start}"), Duration = "2h", Repeat = $"FREQ=DAILY;{until}", TimeZone = zone };

        MaintenanceCalendar.Problem(window).ShouldBeNull();
        MaintenanceCalendar.OpenUntil(window, DateTimeOffset.Parse(last)).ShouldNotBeNull();
        MaintenanceCalendar.OpenUntil(window, DateTimeOffset.Parse(after)).ShouldBeNull();
    }

    private static SafetyOptions Options(Dictionary<string, string?> window) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(window.ToDictionary(one => $"Safety:Windows:0:{one.Key}", one => one.Value)).Build())
        .AddGuardrails()
        .BuildServiceProvider().GetRequiredService<IOptions<SafetyOptions>>().Value;
}
