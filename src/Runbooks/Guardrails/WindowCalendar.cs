using Ical.Net;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Runbooks.Model.Text;

namespace Runbooks.Guardrails;

/// <summary>Whether a maintenance window is open.</summary>
public static class WindowCalendar
{
    /// <returns>When the window that is open at this moment ends; null when none is.</returns>
    public static DateTimeOffset? OpenUntil(MaintenanceWindow window, DateTimeOffset now)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(window.TimeZone);
        var length = LengthOf(window);
        var local = TimeZoneInfo.ConvertTime(now, zone).DateTime;

        // An occurrence that is open now began no longer ago than it lasts; the day more covers a change of the clocks.
        foreach (var start in Starts(window, local - length - TimeSpan.FromDays(1)).TakeWhile(start => start <= local + TimeSpan.FromDays(1)))
        {
            var begins = new DateTimeOffset(start, zone.GetUtcOffset(start));
            if (begins <= now && now < begins + length)
            {
                return begins + length;
            }
        }

        return null;
    }

    /// <returns>What is wrong with it, in words; null when nothing is.</returns>
    public static string? Problem(MaintenanceWindow window)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(window.TimeZone, out _))
        {
            return $"no time zone is called '{window.TimeZone}'; write an IANA name such as Europe/Berlin.";
        }

        if (!DurationText.TryParse(window.Duration, out var length) || length <= TimeSpan.Zero)
        {
            return $"'{window.Duration}' is not a duration; write for example 2h.";
        }

        try
        {
            _ = Starts(window, window.Start).FirstOrDefault();
            return null;
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException or InvalidOperationException)
        {
            return $"'{window.Repeat}' is not a recurrence rule ({wrong.Message}); write for example FREQ=WEEKLY;BYDAY=SU.";
        }
    }

    private static TimeSpan LengthOf(MaintenanceWindow window) => DurationText.TryParse(window.Duration, out var length) ? length : TimeSpan.Zero;

    /// <summary>Wall-clock times in the window's own zone, so that 02:00 stays 02:00 when the clocks change.</summary>
    private static IEnumerable<DateTime> Starts(MaintenanceWindow window, DateTime after)
    {
        var first = new CalDateTime(DateTime.SpecifyKind(window.Start, DateTimeKind.Unspecified));
        if (window.Repeat.Length == 0)
        {
            return [first.Value];
        }

        var planned = new CalendarEvent { DtStart = first, RecurrenceRule = new RecurrenceRule(window.Repeat) };
        var from = after > first.Value ? new CalDateTime(DateTime.SpecifyKind(after, DateTimeKind.Unspecified)) : first;
        return planned.GetOccurrences(from).Select(occurrence => occurrence.Period.StartTime.Value);
    }
}
