using System.Text;
using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;
using TestKit.Fuzz;

namespace Runbooks.Integrations.Tests.OnCall;

/// <summary>Calendars come from outside: damaged in every way they give shifts, or are refused in words.</summary>
public sealed class CalendarFuzzTests
{
    private const long MaxMemory = 1_000_000_000;

    private static readonly DateTimeOffset s_from = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_until = s_from.AddDays(14);

    [Fact]
    public Task DamagedCalendar_IsReadOrRefused() => Fuzzing.RunAsync("calendar", [], input =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            foreach (var shift in CalendarShifts.Read(Encoding.UTF8.GetString(input), null, s_from, s_until))
            {
                shift.From.ShouldNotBeNull().ShouldBeLessThan(s_until);
                shift.Until.ShouldNotBeNull().ShouldBeGreaterThan(s_from);
                shift.Person.Keys.ShouldNotBeEmpty();
            }
        }
        catch (OnCallException refused)
        {
            refused.Message.Length.ShouldBeInRange(1, 500);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MaxMemory);
        return Task.CompletedTask;
    });
}
