using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Storage;
using TestKit.Engine;
using TestKit.Storage;
using TestKit;

namespace Runbooks.Tests.Guardrails;

public sealed class MaintenanceFileTests
{
    private const string Good = """
        windows:
          - name: database patching
            runbooks: [provider-*]
            effect: suppress
            start: 2026-11-01T02:00:00
            duration: 2h
            repeat: FREQ=WEEKLY;BYDAY=SU
            timeZone: Europe/Berlin
          - name: move
            start: 2026-11-23 03:00
            duration: 90m
        """;

    [Fact]
    public void GoodFile_HasItsWindows()
    {
        var result = MaintenanceFile.Read("windows.yaml", Good, ["provider-outage"]);

        result.Errors.ShouldBeEmpty();
        result.Windows.Select(window => window.Name).ShouldBe(["database patching", "move"]);
        result.Windows[0].Effect.ShouldBe(MaintenanceEffect.Suppress);
        MaintenanceCalendar.OpenUntil(result.Windows[0], new(2026, 11, 22, 1, 30, 0, TimeSpan.Zero)).ShouldBe(new(2026, 11, 22, 3, 0, 0, TimeSpan.Zero));
        MaintenanceCalendar.OpenUntil(result.Windows[1], new(2026, 11, 23, 4, 0, 0, TimeSpan.Zero)).ShouldBe(new(2026, 11, 23, 4, 30, 0, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("2h", "2 hours", "windows.yaml:6:15  windows[0].duration")]
    [InlineData("2026-11-01T02:00:00", "tonight", "windows.yaml:5:12  windows[0].start  is 'tonight'.  Write the wall-clock time")]
    [InlineData("Europe/Berlin", "Berlin", "windows.yaml:8:15  windows[0].timeZone  cannot be used: no time zone is called 'Berlin'")]
    [InlineData("FREQ=WEEKLY;BYDAY=SU", "weekly", "windows.yaml:7:13  windows[0].repeat  cannot be used: 'weekly' is not a recurrence rule")]
    [InlineData("BYDAY=SU", "BYDAY=-0SU", "windows.yaml:7:13  windows[0].repeat  cannot be used: 'FREQ=WEEKLY;BYDAY=-0SU' is not a recurrence rule")]
    [InlineData("BYDAY=SU", "BYDAY=-8SU", "windows.yaml:7:13  windows[0].repeat  cannot be used: 'FREQ=WEEKLY;BYDAY=-8SU' is not a recurrence rule")]
    [InlineData("provider-*", "privider-*", "windows.yaml:3:15  windows[0].runbooks  names 'privider-*', and no runbook has that id.")]
    [InlineData("effect", "efect", "windows.yaml:4:5  windows[0].efect  is not a known key.  Did you mean 'effect'?")]
    [InlineData("name: move", "title: move", "windows[1].name  is missing.")]
    [InlineData("windows:", "window:", "windows  is missing.")]
    public void WrongFile_IsToldByPlaceAndRemedy(string good, string wrong, string expected)
    {
        var result = MaintenanceFile.Read("windows.yaml", Good.Replace(good, wrong, StringComparison.Ordinal), ["provider-outage"]);

        result.Windows.ShouldBeEmpty();
        result.Errors.ShouldContain(error => error.ToString().Contains(expected), string.Join('\n', result.Errors));
    }

    [Theory]
    [InlineData("FREQ=HOURLY", "2026-11-22T01:30:00Z", true)]
    [InlineData("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29T01:30:00Z", true)]
    [InlineData("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", "2026-11-22T01:30:00Z", false)]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02-29T01:30:00Z", true)]
    public void RuleOfLongAgoOrOfRareDays_IsFollowed(string repeat, string now, bool isOpen)
    {
        var result = MaintenanceFile.Read("windows.yaml", Good.Replace("2026-11-01T02", "2004-11-01T02", StringComparison.Ordinal).Replace("FREQ=WEEKLY;BYDAY=SU", repeat, StringComparison.Ordinal), ["provider-outage"]);

        result.Errors.ShouldBeEmpty();
        (MaintenanceCalendar.OpenUntil(result.Windows[0], DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture)) is not null).ShouldBe(isOpen);
    }

    [Fact]
    public async Task BrokenFileAtTheStart_TheWindowsThatWereInForceLastAreTaken()
    {
        var (ct, state, now) = (TestContext.Current.CancellationToken, new InMemorySharedState(), new DateTimeOffset(2026, 11, 23, 4, 0, 0, TimeSpan.Zero));
        var broken = new RunbookFile("windows.yaml", Good.Replace("90m", "long", StringComparison.Ordinal));
        var (_, first, _) = Host(state);
        (await first.StartAsync(broken, ct)).ShouldHaveSingleItem().ToString().ShouldStartWith("windows.yaml:11:15");

        var (_, second, saved) = Host(state);
        (await second.StartAsync(new("windows.yaml", Good), ct)).ShouldBeEmpty();
        await saved.SaveAsync(ct);

        var (windows, third, versions) = Host(state);
        (await third.StartAsync(broken, ct)).ShouldBeEmpty();
        windows.OpenFor("any", now)!.Value.Window.Name.ShouldBe("move");
        versions.Known.ShouldHaveSingleItem().Value.Errors.ShouldHaveSingleItem();

        static (MaintenanceWindows, MaintenanceReload, FileVersions) Host(InMemorySharedState state)
        {
            var (windows, versions) = (new MaintenanceWindows(new FixedOptions<SafetyOptions>(new())), new FileVersions(state));
            return (windows, new MaintenanceReload(windows, versions, NullLogger<MaintenanceReload>.Instance), versions);
        }
    }

    [Theory]
    [InlineData("8d", "FREQ=WEEKLY", "window-always")]
    [InlineData("24h", "FREQ=DAILY", "window-always")]
    [InlineData("23h", "FREQ=DAILY", null)]
    [InlineData("24h", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", null)]
    [InlineData("24h", "FREQ=DAILY;COUNT=100", null)]
    [InlineData("2h", "FREQ=WEEKLY;UNTIL=20251201T000000Z", "window-never")]
    public void WindowThatNeverOpensOrCloses_IsWarnedOf(string duration, string repeat, string? code)
    {
        var read = MaintenanceFile.Read("windows.yaml", $"windows: [{{ name: w, start: 2026-11-01T02:00:00, duration: {duration}, repeat: '{repeat}' }}]\n");

        read.Errors.ShouldBeEmpty();
        read.Warnings.SingleOrDefault()?.Code.ShouldBe(code);
        read.Warnings.Count.ShouldBe(code is null ? 0 : 1);
    }

    [Fact]
    public void ChangedFile_IsTakenAndABrokenOneChangesNothing()
    {
        var log = new ListLogger();
        var windows = new MaintenanceWindows(new FixedOptions<SafetyOptions>(new()));
        var reload = new MaintenanceReload(windows, new FileVersions(new InMemorySharedState()), log.CreateLogger<MaintenanceReload>());
        var now = new DateTimeOffset(2026, 11, 23, 4, 0, 0, TimeSpan.Zero);

        reload.Take(new("windows.yaml", Good)).ShouldBeEmpty();
        windows.OpenFor("any", now)!.Value.Window.Name.ShouldBe("move");
        windows.OpenFor("any", now.AddHours(1)).ShouldBeNull();

        reload.Take(new("windows.yaml", Good.Replace("90m", "long", StringComparison.Ordinal))).ShouldNotBeEmpty();
        windows.OpenFor("any", now).ShouldNotBeNull();
        log.Lines.ShouldContain(line => line.StartsWith("Error: The file of maintenance windows is not taken over: windows.yaml:11:15"));

        reload.Take(null).ShouldBeEmpty();
        windows.OpenFor("any", now).ShouldBeNull();
    }
}
