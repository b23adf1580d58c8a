using Runbooks.Guardrails;
using TestKit;

namespace Runbooks.Tests.Guardrails;

public sealed class MaintenanceCalendarTests
{
    private static readonly MaintenanceWindow s_sundays = new()
    {
        Name = "patching", Start = new(2026, 3, 1, 2, 30, 0), Duration = "2h", Repeat = "FREQ=WEEKLY;BYDAY=SU", TimeZone = "Europe/Berlin",
    };

    [Theory]
    [InlineData("2026-11-22T01:29:00Z", false)]
    [InlineData("2026-11-22T01:30:00Z", true)]
    [InlineData("2026-11-22T03:29:00Z", true)]
    [InlineData("2026-11-22T03:30:00Z", false)]
    [InlineData("2026-07-05T00:30:00Z", true)]
    [InlineData("2026-07-05T02:30:00Z", false)]
    [InlineData("2026-02-22T02:00:00Z", false)]
    public void WeeklyWindow_StaysAtItsWallClockTime(string at, bool open) =>
        (MaintenanceCalendar.OpenUntil(s_sundays, DateTimeOffset.Parse(at)) is not null).ShouldBe(open);

    /// <summary>In Berlin on that night 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.</summary>
    [Theory]
    [InlineData("02:00:00", "1h", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")]
    [InlineData("02:30:00", "1h", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z")]
    [InlineData("01:30:00", "1h", "2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z")]
    [InlineData("01:00:00", "4h", "2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z")]
    [InlineData("03:00:00", "1h", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z")]
    public void WindowInTheHourThatComesTwice_CoversItBothTimes(string start, string length, string begins, string ends)
    {
        var window = new MaintenanceWindow { Name = "patching", Start = DateTime.Parse($"2026-10-25T{start}"), Duration = length, TimeZone = "Europe/Berlin" };
        var (first, last) = (DateTimeOffset.Parse(begins), DateTimeOffset.Parse(ends));

        MaintenanceCalendar.OpenUntil(window, first.AddTicks(-1)).ShouldBeNull();
        for (var at = first; at < last; at = at.AddMinutes(10))
        {
            MaintenanceCalendar.OpenUntil(window, at).ShouldBe(last, $"{at:u}");
        }

        MaintenanceCalendar.OpenUntil(window, last).ShouldBeNull();
    }

    [Fact]
    public void WindowOverMidnight_IsOpenOnTheNextDay() => MaintenanceCalendar.OpenUntil(
        new() { Name = "n", Start = new(2026, 1, 1, 23, 0, 0), Duration = "3h", Repeat = "FREQ=DAILY" },
        new(2026, 11, 23, 1, 0, 0, TimeSpan.Zero)).ShouldBe(new(2026, 11, 23, 2, 0, 0, TimeSpan.Zero));

    [Fact]
    public void WindowOnce_IsOpenOnce()
    {
        var window = new MaintenanceWindow { Name = "move", Start = new(2026, 11, 23, 2, 0, 0), Duration = "2h" };

        MaintenanceCalendar.OpenUntil(window, new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero)).ShouldNotBeNull();
        MaintenanceCalendar.OpenUntil(window, new(2026, 11, 24, 3, 0, 0, TimeSpan.Zero)).ShouldBeNull();
    }

    /// <summary>Some are of the settings and some of the file.</summary>
    [Theory]
    [InlineData("gpu-full", "disks")]
    [InlineData("web-down", "move")]
    public void WindowThatCounts_IsTheStrictestThatIsOpenForTheRunbook(string runbook, string expected)
    {
        var night = new DateTime(2026, 11, 23, 2, 0, 0);
        var windows = new MaintenanceWindows(new FixedOptions<SafetyOptions>(new() { Windows = { new() { Name = "move", Start = night, Duration = "2h" } } }));
        windows.Replace([
            new() { Name = "disks", Runbooks = { "llm-*", "gpu-*" }, Start = night, Duration = "90m", Effect = MaintenanceEffect.Suppress },
            new() { Name = "over", Start = night, Duration = "10m", Effect = MaintenanceEffect.Suppress }]);

        windows.OpenFor(runbook, new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero))!.Value.Window.Name.ShouldBe(expected);
    }

    [Theory]
    [InlineData("2h", "FREQ=SOMETIMES", "UTC", "recurrence rule")]
    [InlineData("long", "", "UTC", "duration")]
    [InlineData("2h", "", "Mars/Olympus", "time zone")]
    public void WindowThatCannotBeUnderstood_SaysWhatIsWrong(string duration, string repeat, string zone, string expected) =>
        MaintenanceCalendar.Problem(new() { Name = "w", Start = new(2026, 1, 1), Duration = duration, Repeat = repeat, TimeZone = zone })!.ShouldContain(expected);
}
