using Ical.Net;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using NodaTime;
using NodaTime.TimeZones;
using Runbooks.Guardrails;
using Calendar = Ical.Net.Calendar;
using Period = Ical.Net.DataTypes.Period;

namespace Runbooks.Integrations.OnCall;

/// <summary>
/// The shifts in a calendar: each event is one. The people that it invites are on call; where it invites nobody, whoever its title
/// names, else its organizer. The text comes from outside, so it is bounded, and what cannot be understood is an error and no guess.
/// </summary>
internal static class CalendarShifts
{
    private const int MostEvents = 5_000;

    /// <summary>Of one event, from its beginning up to now: twenty years of days.</summary>
    private const int MostOccurrences = 8_000;

    private const int MostWork = 200_000;

    private const int MostTimesADay = 24;
    private const int MostAttendees = 20;

    private const string ExchangePrefix = "tzone://Microsoft/";

    private static readonly EvaluationOptions s_bounds = new() { MaxUnmatchedIncrementsLimit = 1_000 };

    /// <summary>
    /// Where it does not know the zone of an event, the library takes the first one whose name stands anywhere in the text, such as UTC for
    /// "(UTC+09:00) Osaka", so it is not left to the library.
    /// </summary>
    static CalendarShifts() => TimeZoneResolvers.TimeZoneResolver = name => FindZone(name)
        ?? throw new OnCallException(
            $"the time zone '{Clip.To(name, 60)}' of an event is not known. Give the event an IANA zone such as Europe/Berlin.");

    /// <param name="zone">The time zone of times without one and of whole days; null for the calendar's own.</param>
    public static IReadOnlyList<OnCallShift> Read(string text, string? zone, DateTimeOffset from, DateTimeOffset until)
    {
        try
        {
            var calendars = CalendarCollection.Load(text);
            if (calendars.Count == 0)
            {
                throw new OnCallException("it is no iCalendar file.");
            }

            return [.. calendars.SelectMany(calendar => Shifts(calendar, new(() => ZoneOf(calendar, zone)), from, until))];
        }
        catch (Exception unreadable) when (unreadable is not OnCallException)
        {
            // The library fails in many ways on what it cannot read; all of them mean the same here.
            throw new OnCallException($"it cannot be read as a calendar ({unreadable.GetType().Name}).", unreadable);
        }
    }

    /// <summary>For times without a zone.</summary>
    private static string ZoneOf(Calendar calendar, string? zone)
    {
        var name = zone ?? (calendar.Properties.Get<string>("X-WR-TIMEZONE")?.Trim() is { Length: > 0 } named ? named : "UTC");
        return FindZone(name) is not null ? name
            : throw new OnCallException($"its time zone '{Clip.To(name, 60)}' is not known. "
                + "Write 'timeZone' with an IANA name such as Europe/Berlin in the contacts.");
    }

    /// <summary>
    /// Outlook writes the names of Windows, which the hosts' operating system may not know. Other programs write a path before the IANA
    /// name, or a hyphen for its slash. Exchange writes its own name of UTC into the events of programs.
    /// </summary>
    private static DateTimeZone? FindZone(string name)
    {
        if (name.StartsWith(ExchangePrefix, StringComparison.OrdinalIgnoreCase))
        {
            return FindZone(name[ExchangePrefix.Length..]);
        }

        var iana = DateTimeZoneProviders.Tzdb;
        if (iana.GetZoneOrNull(name) is { } zone)
        {
            return zone;
        }

        if (TzdbDateTimeZoneSource.Default.WindowsMapping.PrimaryMapping.TryGetValue(name, out var known))
        {
            return iana[known];
        }

        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out var ofSystem))
        {
            return BclDateTimeZone.FromTimeZoneInfo(ofSystem);
        }

        var parts = name.StartsWith('/') ? name.Split('/') : [];
        return parts.Select((_, from) => iana.GetZoneOrNull(string.Join('/', parts[from..]))).FirstOrDefault(found => found is not null)
            ?? iana.GetZoneOrNull(name.Replace('-', '/'));
    }

    private static IEnumerable<OnCallShift> Shifts(Calendar calendar, Lazy<string> zone, DateTimeOffset from, DateTimeOffset until)
    {
        if (calendar.Events.Count > MostEvents)
        {
            throw new OnCallException($"it has more than {MostEvents} events.");
        }

        // An instance of a series that was changed or cancelled is an event of its own, and the latest change counts.
        var changed = calendar.Events.Where(one => one.RecurrenceIdentifier is not null)
            .Select(OfOneInstance)
            .GroupBy(one => (one.Uid, At: Instant(one.RecurrenceIdentifier!.StartTime, zone)))
            .ToDictionary(same => same.Key, same => same.OrderBy(one => one.Sequence).Last());
        var work = 0;
        foreach (var one in calendar.Events.Where(one => one.RecurrenceIdentifier is null))
        {
            var occurrences = OccurrencesOf(one, zone, from, until, ref work).Where(time => !changed.ContainsKey((one.Uid, time.Start)));
            foreach (var (start, end) in occurrences.Where(Overlaps))
            {
                foreach (var shift in ShiftsOf(one, start, end))
                {
                    yield return shift;
                }
            }
        }

        foreach (var one in changed.Values)
        {
            foreach (var (start, end) in OccurrencesOf(one, zone, from, until, ref work).Where(Overlaps))
            {
                foreach (var shift in ShiftsOf(one, start, end))
                {
                    yield return shift;
                }
            }
        }

        bool Overlaps((DateTimeOffset Start, DateTimeOffset End) time) => time.Start < until && time.End > from;

        static CalendarEvent OfOneInstance(CalendarEvent change) => change.RecurrenceIdentifier!.Range == RecurrenceRange.ThisInstance
            ? change
            : throw new OnCallException("it changes a series from one day on (RANGE=THISANDFUTURE), which is not understood.");
    }

    private static List<(DateTimeOffset Start, DateTimeOffset End)> OccurrencesOf(
        CalendarEvent one, Lazy<string> zone, DateTimeOffset from, DateTimeOffset until, ref int work)
    {
        if (one.DtStart is null || !one.IsActive || IsAtAnotherTime(one, from, until))
        {
            return [];
        }

        if (one.RecurrenceRule is { } rule)
        {
            if (rule.Frequency < FrequencyType.Daily
                || Math.Max(1, rule.ByHour.Count) * Math.Max(1, rule.ByMinute.Count) * Math.Max(1, rule.BySecond.Count) > MostTimesADay)
            {
                throw new OnCallException("an event repeats more often than shifts do.");
            }

            RecurrenceEnd.SetRight(rule, one.DtStart, () => zone.Value);
        }

        var found = new List<(DateTimeOffset, DateTimeOffset)>();
        foreach (var occurrence in one.GetOccurrences(options: s_bounds))
        {
            var start = Instant(occurrence.Period.StartTime, zone);
            if (start >= until)
            {
                break;
            }

            if (found.Count >= MostOccurrences || ++work > MostWork)
            {
                throw new OnCallException("it repeats for so long that it cannot be read in time. Let its series begin later.");
            }

            found.Add((start, EndOf(one, occurrence.Period) is { } end ? Instant(end, zone) : start));
        }

        return found;
    }

    /// <summary>
    /// Whether it is more than a day away in whatever zone, so that one that is not known, of a meeting of years ago, does no harm.
    /// </summary>
    private static bool IsAtAnotherTime(CalendarEvent one, DateTimeOffset from, DateTimeOffset until)
    {
        var repeats = one.RecurrenceRule is not null || one.RecurrenceDates.GetAllPeriods().Any() || one.RecurrenceDates.GetAllDates().Any();
        return !repeats && (one.DtStart!.Value > until.UtcDateTime.AddDays(1) || one.DtEnd?.Value < from.UtcDateTime.AddDays(-1));
    }

    /// <summary>
    /// A shift from nine to nine ends at nine, also when the clocks change in it or did so in the first of its series. Calendar
    /// applications show it like that; RFC 5545 (3.8.5.3) and the library keep the number of hours.
    /// </summary>
    private static CalDateTime? EndOf(CalendarEvent one, Period period) =>
        one is { DtStart: { HasTime: true } first, DtEnd: { HasTime: true } last }
            && first.TzId == last.TzId
            && one.EffectiveDuration.Equals(period.Duration)
            ? new CalDateTime(period.StartTime.Value + (last.Value - first.Value), first.TzId)
            : period.EffectiveEndTime;

    private static IEnumerable<OnCallShift> ShiftsOf(CalendarEvent one, DateTimeOffset start, DateTimeOffset end)
    {
        var asked = one.Attendees.Where(attendee => MailOf(attendee.Value) is not null && !IsOneOf(attendee.Type, "ROOM", "RESOURCE")).ToList();
        var invited = asked.Where(attendee => !IsOneOf(attendee.ParticipationStatus, "DECLINED", "DELEGATED"))
            .Select(attendee => (Mail: MailOf(attendee.Value), attendee.CommonName)).Take(MostAttendees).ToList();
        // Where everybody declined, nobody is on call: neither the organizer nor the person that the title still names.
        if (asked.Count > 0)
        {
            return invited.Select(
                attendee => new OnCallShift(new(attendee.CommonName ?? attendee.Mail!, [attendee.Mail!], attendee.Mail), start, end));
        }

        var (title, organizer) = (one.Summary?.Trim(), MailOf(one.Organizer?.Value));
        return title is { Length: > 0 } || organizer is not null
            ? [new(new(title is { Length: > 0 } ? title : organizer!, [.. new[] { title, organizer }.OfType<string>()], organizer), start, end)]
            : [];
    }

    private static bool IsOneOf(string? word, params ReadOnlySpan<string> words) => words.Contains(word, StringComparer.OrdinalIgnoreCase);

    private static string? MailOf(Uri? address) =>
        address is { Scheme: "mailto" } ? Uri.UnescapeDataString(address.OriginalString["mailto:".Length..]).Split('?')[0].Trim() : null;

    /// <summary>
    /// A time that the clocks skip in spring is read with the offset from before, and one that comes twice in autumn is the first:
    /// RFC 5545, 3.3.5.
    /// </summary>
    private static DateTimeOffset Instant(CalDateTime time, Lazy<string> zone) =>
        new((time.IsFloating ? time.ToTimeZone(zone.Value) : time).AsUtc, TimeSpan.Zero);
}
