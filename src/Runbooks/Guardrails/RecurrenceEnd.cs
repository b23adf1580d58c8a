using Ical.Net.DataTypes;

namespace Runbooks.Guardrails;

/// <summary>The end of a recurrence rule, as whoever wrote it means it.</summary>
public static class RecurrenceEnd
{
    /// <summary>
    /// Of a series by the clock of a zone the library compares the digits of <c>UNTIL</c> with those of the clock. So a day alone ended
    /// before it began, and the time in UTC that RFC 5545 (3.3.10) asks for and calendar applications write was read as one of the zone.
    /// </summary>
    /// <param name="first">When the series begins.</param>
    /// <param name="zone">Of a beginning that names none; asked for only where that matters.</param>
    public static void SetRight(RecurrenceRule rule, CalDateTime first, Func<string> zone)
    {
        if (rule.Until is { HasTime: false } day && first.HasTime)
        {
            rule.Until = new CalDateTime(day.Value.AddDays(1).AddSeconds(-1));
        }
        else if (rule.Until is { IsUtc: true } until && first.IsFloating)
        {
            rule.Until = new CalDateTime(until.ToTimeZone(zone()).Value);
        }
    }
}
