using Runbooks.Guardrails;
using TestKit;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>Two teams work in one night: what waits, waits for the last of them.</summary>
public sealed class OverlappingWindowsTests : GuardedWorld
{
    private static readonly DateTime s_night = new(2026, 11, 23, 2, 0, 0);

    [Theory]
    [InlineData(MaintenanceEffect.DiagnoseOnly)]
    [InlineData(MaintenanceEffect.Suppress)]
    public async Task ApprovalInTwoWindows_WaitsForTheLastToEnd(MaintenanceEffect first)
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { Escalate = [], RemindAfter = null } } });
        _options.Windows.Add(new() { Name = "network", Start = s_night, Duration = "2h", Effect = first });
        _options.Windows.Add(new() { Name = "database", Start = s_night, Duration = "3h" });

        var held = await ApproveAsync(opened.Id);

        held.Result.Message.ShouldContain("'database'");
        held.Incident!.OpenGate!.HeldUntil.ShouldBe(new(2026, 11, 23, 5, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public void OfTwoThatAreEquallyStrict_TheLastToEndCounts()
    {
        _options.Windows.Add(new() { Name = "network", Start = s_night, Duration = "2h" });
        _options.Windows.Add(new() { Name = "database", Start = s_night, Duration = "3h" });

        new MaintenanceWindows(new FixedOptions<SafetyOptions>(_options)).OpenFor("any", Given.Night)!.Value.Window.Name.ShouldBe("database");
    }

    /// <summary>Each night for 26 hours: at 01:00 that of yesterday has one more hour, and that of today is open as well.</summary>
    [Fact]
    public void WindowThatOverlapsItself_IsOpenUntilItsLastEnd() => MaintenanceCalendar.OpenUntil(
        new() { Name = "n", Start = new(2026, 11, 1), Duration = "26h", Repeat = "FREQ=DAILY" },
        new(2026, 11, 23, 1, 0, 0, TimeSpan.Zero)).ShouldBe(new(2026, 11, 24, 2, 0, 0, TimeSpan.Zero));
}
