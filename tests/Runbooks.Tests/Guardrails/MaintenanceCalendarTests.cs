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

    /// <summary>In Berlin on that night 02:00 to 03:00 never comes: from 01:00 UTC it is 03:00. It lasts as long as it says.</summary>
    [Theory]
    [InlineData("01:30:00", "2h", "2026-03-29T00:30:00Z", "2026-03-29T02:30:00Z")]
    [InlineData("02:30:00", "1h", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z")]
    public void WindowInTheHourThatIsLeftOut_LastsAsLongAsItSays(string start, string length, string begins, string ends)
    {
        var window = new MaintenanceWindow { Name = "patching", Start = DateTime.Parse($"2026-03-29T{start}"), Duration = length, TimeZone = "Europe/Berlin" };

        MaintenanceCalendar.OpenUntil(window, DateTimeOffset.Parse(begins).AddTicks(-1)).ShouldBeNull();
        MaintenanceCalendar.OpenUntil(window, DateTimeOffset.Parse(begins)).ShouldBe(DateTimeOffset.Parse(ends));
        MaintenanceCalendar.OpenUntil(window, DateTimeOffset.Parse(ends)).ShouldBeNull();
    }

    [Fact]
    public void WindowOfDays_IsOpenUntilItsLast() => MaintenanceCalendar.OpenUntil(
        new() { Name = "n", Start = new(2026, 11, 2, 2, 0, 0), Duration = "3d", Repeat = "FREQ=WEEKLY" },
        new(2026, 11, 26, 1, 0, 0, TimeSpan.Zero)).ShouldBe(new(2026, 11, 26, 2, 0, 0, TimeSpan.Zero));

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
        MaintenanceCalendar.OpenUntil(window, new(2027, 11, 23, 3, 0, 0, TimeSpan.Zero)).ShouldBeNull();
        MaintenanceCalendar.OpenUntil(window, new(2036, 11, 23, 3, 0, 0, TimeSpan.Zero)).ShouldBeNull();
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
    [InlineData("2h", "BYDAY=SU", "UTC", "recurrence rule")]
    [InlineData("long", "", "UTC", "duration")]
    [InlineData("0", "", "UTC", "duration")]
    [InlineData("2h", "", "Mars/Olympus", "time zone")]
    public void WindowThatCannotBeUnderstood_SaysWhatIsWrong(string duration, string repeat, string zone, string expected) =>
        MaintenanceCalendar.Problem(new() { Name = "w", Start = new(2026, 1, 1), Duration = duration, Repeat = repeat, TimeZone = zone })!.ShouldContain(expected);

    [Theory]
    [InlineData("")]
    [InlineData("FREQ=DAILY;UNTIL=20251231T000000Z")]
    public void WindowThatIsOver_IsNoMistake(string repeat) => MaintenanceCalendar.Problem(new() { Name = "w", Start = new(2026, 1, 1), Duration = "2h", Repeat = repeat }).ShouldBeNull();

    /// <summary>One that was forgotten, or whose start was, must not keep incidents from being looked at.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("FREQ=WEEKLY")]
    public void WindowOfLongAgo_BreaksNothing(string repeat) =>
        MaintenanceCalendar.OpenUntil(new() { Name = "w", Duration = "2h", Repeat = repeat, TimeZone = "Europe/Berlin" }, new(2026, 11, 26, 4, 0, 0, TimeSpan.Zero)).ShouldBeNull();
}
