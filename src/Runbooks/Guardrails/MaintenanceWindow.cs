using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using Runbooks.Catalog.Matching;

namespace Runbooks.Guardrails;

public sealed class MaintenanceWindow
{
    /// <summary>Shown to people: <c>database patching</c>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Runbook ids; <c>*</c> stands for any text. None: every runbook.</summary>
    public IList<string> Runbooks { get; } = [];

    /// <summary>The first beginning, as wall-clock time in <see cref="TimeZone"/>: <c>2026-11-01T02:00:00</c>.</summary>
    public DateTime Start { get; set; }

    /// <summary>Such as <c>2h</c>.</summary>
    public string Duration { get; set; } = "";

    /// <summary>An iCalendar recurrence rule, <c>FREQ=WEEKLY;BYDAY=SU</c>; empty for once.</summary>
    public string Repeat { get; set; } = "";

    /// <summary>An IANA name: <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; set; } = "UTC";

    public MaintenanceEffect Effect { get; set; } = MaintenanceEffect.DiagnoseOnly;
}

public enum MaintenanceEffect
{
    /// <summary>Nothing runs. The checks are asked, and the answers go to the people who would have been asked to approve.</summary>
    DiagnoseOnly,

    /// <summary>Nothing runs, and nobody is told.</summary>
    Suppress,
}

public static class MaintenanceCalendar
{
    /// <summary>An earlier start is taken for one that was left out.</summary>
    internal const int FirstYear = 2000;

    /// <summary>If so many occurrences in a row each touch the next, all do: it is twice the days of a month.</summary>
    private const int MaxStarts = 60;

    /// <returns>When the window that is open now ends (where occurrences overlap, the last end); null when none is open.</returns>
    public static DateTimeOffset? OpenUntil(MaintenanceWindow window, DateTimeOffset now)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(window.TimeZone);
        var length = LengthOf(window);
        var local = TimeZoneInfo.ConvertTime(now, zone).DateTime;
        DateTimeOffset? last = null;

        // An occurrence that is open now began no longer ago than it lasts. One more day covers a change of the clocks.
        var starts = Starts(window, local - length - TimeSpan.FromDays(1)).TakeWhile(start => start <= local + TimeSpan.FromDays(1));
        foreach (var start in starts)
        {
            var (begins, ends) = Span(start, length, zone);
            if (begins <= now && now < ends && !(ends < last))
            {
                last = ends;
            }
        }

        return last;
    }

    /// <summary>
    /// In the hour that the clocks repeat in autumn each wall-clock time comes twice. A window that begins or ends in it covers that
    /// hour both times.
    /// </summary>
    private static (DateTimeOffset Begins, DateTimeOffset Ends) Span(DateTime start, TimeSpan length, TimeZoneInfo zone)
    {
        var begins = new DateTimeOffset(start, Offsets(start, zone).Max());
        var end = start + length;
        var byTheClock = new DateTimeOffset(end, Offsets(end, zone).Min());
        return (begins, ((DateTimeOffset[])[begins + length, byTheClock]).Max());
    }

    private static TimeSpan[] Offsets(DateTime local, TimeZoneInfo zone) =>
        zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local) : [zone.GetUtcOffset(local)];

    /// <summary>Its rule ends before its first day.</summary>
    public static bool IsNeverOpen(MaintenanceWindow window) => !Starts(window, window.Start).Any();

    /// <summary>Each occurrence begins before the last one is over, and its rule has no end.</summary>
    public static bool IsAlwaysOpen(MaintenanceWindow window)
    {
        if (string.IsNullOrWhiteSpace(window.Repeat) || new RecurrenceRule(window.Repeat) is not { Until: null, Count: null })
        {
            return false;
        }

        List<DateTime> starts = [.. Starts(window, window.Start).Take(MaxStarts)];
        return starts.Count == MaxStarts && starts.Zip(starts.Skip(1)).All(pair => pair.Second - pair.First <= LengthOf(window));
    }

    public static string? Problem(MaintenanceWindow window)
    {
        if (window.Start.Year < FirstYear)
        {
            return "it has no Start, or one of long ago; write the wall-clock time at which it first begins, such as 2026-11-01T02:00:00.";
        }

        // The settings' reader has converted it to the time of this machine.
        if (window.Start.Kind != DateTimeKind.Unspecified)
        {
            return "its Start has a time zone of its own; write the wall-clock time in TimeZone, such as 2026-11-01T02:00:00.";
        }

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
        catch (Exception wrong) when (wrong is not OutOfMemoryException)
        {
            // The library fails in many ways on a faulty rule; all of them mean the same here.
            return wrong is EvaluationLimitExceededException
                ? $"'{window.Repeat}' is not a recurrence rule that ever comes true; write for example FREQ=WEEKLY;BYDAY=SU."
                : $"'{window.Repeat}' is not a recurrence rule ({wrong.Message.Split(" (Parameter ")[0]}); "
                    + "write for example FREQ=WEEKLY;BYDAY=SU.";
        }
    }

    /// <summary>
    /// Otherwise a rule that never comes true would be tried until the year 9999, at each incident. From one leap day to the next there
    /// are at most 2,921 days.
    /// </summary>
    private static readonly EvaluationOptions s_bounds = new() { MaxUnmatchedIncrementsLimit = 3_000 };

    private static TimeSpan LengthOf(MaintenanceWindow window) =>
        DurationText.TryParse(window.Duration, out var length) ? length : TimeSpan.Zero;

    /// <summary>Wall-clock times in the window's own zone, so that 02:00 stays 02:00 when the clocks change.</summary>
    private static IEnumerable<DateTime> Starts(MaintenanceWindow window, DateTime after)
    {
        // The library would read an empty rule as once a year.
        if (string.IsNullOrWhiteSpace(window.Repeat))
        {
            return window.Start < after ? [] : [window.Start];
        }

        var first = new CalDateTime(DateTime.SpecifyKind(window.Start, DateTimeKind.Unspecified));
        var rule = new RecurrenceRule(window.Repeat);
        RecurrenceEnd.SetRight(rule, first, () => window.TimeZone);
        var planned = new CalendarEvent { DtStart = first, RecurrenceRule = rule };
        var from = new CalDateTime(DateTime.SpecifyKind(after, DateTimeKind.Unspecified));
        return planned.GetOccurrences(from, s_bounds).Select(occurrence => occurrence.Period.StartTime.Value);
    }
}

/// <summary>
/// During planned work, what looks broken is no reason to act. An incident that the window kept from acting is remembered until it ends.
/// </summary>
public sealed class MaintenanceWindowGuardrail(MaintenanceWindows windows, SuppressedIncidents suppressed, TimeProvider time) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var open = question.HasBegun ? [] : windows.AllFor(question.Runbook.Id, now);
        if (open.Count == 0)
        {
            return null;
        }

        // An incident that is asked about or approved waits for the last window to end, whatever the effect of each.
        var (window, until) = question.AboutToRun ? open.MaxBy(candidate => candidate.Until) : open[0];

        // With the day: it is recorded and may be read long after the window.
        var why = $"Maintenance window '{window.Name}' until {GateText.DayAndClock(until)}: nothing runs in it.";
        if (!question.AboutToRun && await suppressed.RememberAsync(question.Incident, until, window.Effect, cancellationToken))
        {
            why += question.Runbook.Diagnosis.Count == 0
                ? " Unless the alert is over by then, it is looked at again."
                : " After that it is looked at again.";
        }

        var severity = window.Effect == MaintenanceEffect.Suppress
            ? GuardrailSeverity.Suppress
            : GuardrailSeverity.DiagnoseOnly;
        return new GuardrailViolation(GuardrailNames.Window, why, severity) { Until = until };
    }
}

public sealed class MaintenanceWindows(IOptionsMonitor<SafetyOptions> options)
{
    private volatile IReadOnlyList<MaintenanceWindow> _ofFile = [];

    public void Replace(IReadOnlyList<MaintenanceWindow> ofFile) => _ofFile = ofFile;

    public IReadOnlyList<string> FindUnknown(IReadOnlyCollection<string> runbooks) =>
    [
        .. from window in options.CurrentValue.Windows.Concat(_ofFile)
           from pattern in window.Runbooks
           where !runbooks.Any(id => Glob.IsMatch(pattern, id))
           select $"The maintenance window '{window.Name}' names '{pattern}', and no runbook that is in force has that id: "
               + $"for this name it holds nothing back. {Suggestion.For(pattern, runbooks)}Name the id of a runbook, or none for all.",
    ];

    public (MaintenanceWindow Window, DateTimeOffset Until)? OpenFor(string runbookId, DateTimeOffset now) =>
        AllFor(runbookId, now) is [var first, ..] ? first : null;

    /// <returns>The strictest first, then the last to end.</returns>
    public IReadOnlyList<(MaintenanceWindow Window, DateTimeOffset Until)> AllFor(string runbookId, DateTimeOffset now) =>
    [
        .. options.CurrentValue.Windows.Concat(_ofFile)
            .Where(window => Covers(window, runbookId))
            .Select(window => (Window: window, Until: MaintenanceCalendar.OpenUntil(window, now)))
            .Where(pair => pair.Until is not null)
            .Select(pair => (pair.Window, Until: pair.Until!.Value))
            .OrderByDescending(pair => pair.Window.Effect)
            .ThenByDescending(pair => pair.Until),
    ];

    private static bool Covers(MaintenanceWindow window, string runbookId) =>
        window.Runbooks.Count == 0 || window.Runbooks.Any(pattern => Glob.IsMatch(pattern, runbookId));
}

/// <summary>Corrects the end of a recurrence rule to what its author means.</summary>
public static class RecurrenceEnd
{
    /// <summary>
    /// In a series by the clock of a zone, the library compares the digits of <c>UNTIL</c> with those of the clock. So a day without a time
    /// ended when it began, and a time in UTC, as RFC 5545 (3.3.10) asks for, was read as one of the zone.
    /// </summary>
    /// <param name="zone">Called only for a beginning that names no zone.</param>
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
