using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.OnCall;

/// <summary>Calendars as calendar applications write them (RFC 5545).</summary>
public sealed class CalendarShiftsTests
{
    private const string Weekly = """
        UID:week
        DTSTART;TZID=Europe/Berlin:20261005T090000
        DTEND;TZID=Europe/Berlin:20261012T090000
        RRULE:FREQ=WEEKLY;INTERVAL=2
        SUMMARY:On call
        ATTENDEE;CN=Ada;PARTSTAT=ACCEPTED:mailto:ada@example.com
        """;

    [Theory]
    [InlineData("2026-10-05T06:59:59Z", "")]
    [InlineData("2026-10-05T07:00:00Z", "ada@example.com")]
    [InlineData("2026-10-12T06:59:59Z", "ada@example.com")]
    [InlineData("2026-10-12T07:00:00Z", "")]
    [InlineData("2026-11-02T07:59:59Z", "")] // the clocks went back: 09:00 in Berlin is 08:00 UTC
    [InlineData("2026-11-02T08:00:00Z", "ada@example.com")]
    public void SeriesInATimeZone_FollowsItsClock(string at, string who) => At(at, Event(Weekly)).ShouldBe(who);

    [Theory]
    [InlineData("2026-10-26T07:59:59Z", "ada@example.com")] // 08:59:59 in Berlin, where the clocks went back the day before
    [InlineData("2026-10-26T08:00:00Z", "")]
    [InlineData("2027-03-29T06:59:59Z", "ada@example.com")] // 08:59:59 again, after they went forward
    [InlineData("2027-03-29T07:00:00Z", "")]
    public void ShiftInWhichTheClocksChange_EndsAtItsTimeOfDay(string at, string who) => At(at, Event(Weekly)).ShouldBe(who);

    [Theory]
    [InlineData("2026-04-13T06:59:59Z", "ada")]
    [InlineData("2026-04-13T07:00:00Z", "")]
    public void SeriesThatBeganWhenTheClocksChanged_EndsAtItsTimeOfDay(string at, string who) =>
        At(at, Event("UID:w\nDTSTART;TZID=Europe/Berlin:20260323T090000\nDTEND;TZID=Europe/Berlin:20260330T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2\nSUMMARY:ada")).ShouldBe(who);

    [Theory]
    [InlineData("DURATION:PT12H\nRRULE:FREQ=DAILY", "2026-10-25T05:59:59Z", "2026-10-25T06:00:00Z")] // twelve hours are twelve hours
    [InlineData("DTEND;TZID=America/New_York:20261020T020000\nRRULE:FREQ=DAILY", "2026-10-25T05:59:59Z", "2026-10-25T06:00:00Z")] // so many from one zone to another
    [InlineData("DTEND;TZID=Europe/Berlin:20261020T080000\nRDATE;VALUE=PERIOD:20261024T180000Z/PT3H", "2026-10-24T20:59:59Z", "2026-10-24T21:00:00Z")]
    public void EndThatIsNoTimeOfDay_IsSoManyHoursLater(string lines, string within, string after)
    {
        var night = Event($"UID:n\nDTSTART;TZID=Europe/Berlin:20261019T200000\n{lines}\nSUMMARY:ada");

        At(within, night).ShouldBe("ada");
        At(after, night).ShouldBe("");
    }

    [Theory]
    [InlineData("2026-11-26T22:59:59Z", "")]
    [InlineData("2026-11-26T23:00:00Z", "ada")]
    [InlineData("2026-11-27T22:59:59Z", "ada")]
    [InlineData("2026-11-27T23:00:00Z", "")]
    public void WholeDay_IsOneOfTheContactsZone(string at, string who) => At(at, Event("UID:d\nDTSTART;VALUE=DATE:20261127\nSUMMARY:ada"), "Europe/Berlin").ShouldBe(who);

    [Fact]
    public void TimeWithoutAZone_IsOfTheZoneThatTheCalendarNames() =>
        At("2026-11-27T04:30:00Z", "X-WR-TIMEZONE:America/New_York\n" + Event("UID:f\nDTSTART:20261126T230000\nDTEND:20261127T000000\nSUMMARY:ada")).ShouldBe("ada");

    /// <summary>Outlook writes names of Windows, which this host knows without asking the operating system.</summary>
    [Theory]
    [InlineData("2026-11-27T13:59:59Z", "")]
    [InlineData("2026-11-27T14:00:00Z", "ada")]
    public void ZoneThatTheCalendarNamesAsWindowsDoes_IsKnown(string at, string who) =>
        At(at, "X-WR-TIMEZONE:Eastern Standard Time\n" + Event("UID:f\nDTSTART:20261127T090000\nDTEND:20261128T090000\nSUMMARY:ada")).ShouldBe(who);

    [Fact]
    public void ZoneThatNobodyKnows_IsNoMatterWhereEachEventSaysItsOwn() =>
        At("2026-11-27T12:00:00Z", "X-WR-TIMEZONE:Nowhere/Else\n" + Event("UID:f\nDTSTART:20261127T090000Z\nDURATION:PT8H\nSUMMARY:ada")).ShouldBe("ada");

    [Theory]
    [InlineData("Nowhere/Else")]
    [InlineData("(UTC+01:00) Amsterdam, Berlin")]
    public void ZoneThatNobodyKnowsAndAnEventNeeds_IsAnErrorAndNoGuess(string zone) => Should.Throw<OnCallException>(
            () => At("2026-11-27T12:00:00Z", $"X-WR-TIMEZONE:{zone}\n" + Event("UID:f\nDTSTART:20261127T090000\nDURATION:PT8H\nSUMMARY:ada")))
        .Message.ShouldBe($"its time zone '{zone}' is not known. Write 'timeZone' with an IANA name such as Europe/Berlin in the contacts.");

    /// <summary>Names that Exchange, Outlook and others write, also where one that is known stands within.</summary>
    [Theory]
    [InlineData("(UTC+09:00) Osaka")]
    [InlineData("(GMT+01.00) Amsterdam / Berlin")]
    [InlineData("UTC+9")]
    [InlineData("GMT+0100")]
    [InlineData("Custom EST")]
    [InlineData("Customized Time Zone")]
    [InlineData("Germany/Berlin")]
    public void ZoneOfAnEventThatNobodyKnows_IsAnErrorAndNoGuess(string zone)
    {
        string[] events =
        [
            $"DTSTART;TZID=\"{zone}\":20261127T090000\nDURATION:PT8H",
            $"DTSTART:20261127T090000Z\nDTEND;TZID=\"{zone}\":20261127T170000",
            $"DTSTART:20261101T090000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY\nEXDATE;TZID=\"{zone}\":20261127T090000",
            $"DTSTART:20261101T090000Z\nDURATION:PT8H\nRDATE;TZID=\"{zone}\":20261127T090000",
            $"DTSTART:20261127T090000Z\nDURATION:PT8H\nRECURRENCE-ID;TZID=\"{zone}\":20261127T090000",
        ];

        events.Select(lines => Should.Throw<OnCallException>(() => At("2026-11-27T12:00:00Z", Event($"UID:f\n{lines}\nSUMMARY:ada"))).Message).Distinct()
            .ShouldBe([$"the time zone '{zone}' of an event is not known. Give the event an IANA zone such as Europe/Berlin."]);
    }

    [Theory]
    [InlineData("tzone://Microsoft/Custom")]
    [InlineData("tzone://Microsoft/")]
    public void ZoneOfExchangeThatSaysNothing_IsAnErrorAndNoGuess(string zone) =>
        Should.Throw<OnCallException>(() => At("2026-11-27T12:00:00Z", Event($"UID:f\nDTSTART;TZID=\"{zone}\":20261127T090000\nDURATION:PT8H\nSUMMARY:ada")))
            .Message.ShouldStartWith($"the time zone '{zone}' of an event is not known.");

    /// <summary>Exchange writes it into the events that programs make.</summary>
    [Theory]
    [InlineData("tzone://Microsoft/Utc")]
    [InlineData("tzone://microsoft/GMT")]
    public void OwnNameOfUtcInExchange_IsKnown(string zone)
    {
        var day = Event($"UID:f\nDTSTART;TZID=\"{zone}\":20261127T090000\nDTEND;TZID=\"{zone}\":20261127T170000\nSUMMARY:ada");

        At("2026-11-27T08:59:59Z", day).ShouldBe("");
        At("2026-11-27T09:00:00Z", day).ShouldBe("ada");
        At("2026-11-27T17:00:00Z", day).ShouldBe("");
    }

    /// <summary>It may be a meeting of years ago, in a calendar that worked since.</summary>
    [Theory]
    [InlineData("DTSTART;TZID=Nowhere/Else:20191127T090000\nDTEND;TZID=Nowhere/Else:20191127T170000", true)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20261125T090000\nDTEND;TZID=Nowhere/Else:20261126T115959", true)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20261128T160001\nDURATION:PT8H", true)]
    [InlineData("DTSTART;TZID=Nowhere/Else:99991231T235959\nDURATION:PT0S", true)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20261125T090000\nDTEND;TZID=Nowhere/Else:20261126T120000", false)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20261128T160000\nDURATION:PT8H", false)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20191127T090000\nDTEND;TZID=Nowhere/Else:20191127T170000\nRRULE:FREQ=DAILY", false)]
    [InlineData("DTSTART;TZID=Nowhere/Else:20191127T090000\nDTEND;TZID=Nowhere/Else:20191127T170000\nRDATE:20261127T090000Z", false)]
    public void ZoneThatNobodyKnows_IsNoMatterWhereItsEventCannotBeNow(string lines, bool isRead)
    {
        var events = Event("UID:a\nDTSTART:20261127T090000Z\nDURATION:PT8H\nSUMMARY:ada") + Event($"UID:f\n{lines}\nSUMMARY:grace");

        if (isRead)
        {
            At("2026-11-27T12:00:00Z", events).ShouldBe("ada");
        }
        else
        {
            Should.Throw<OnCallException>(() => At("2026-11-27T12:00:00Z", events)).Message.ShouldContain("'Nowhere/Else' of an event is not known");
        }
    }

    [Theory]
    [InlineData("Tokyo Standard Time")]
    [InlineData("Asia/Tokyo")]
    [InlineData("Asia-Tokyo")]
    [InlineData("/freeassociation.sourceforge.net/Asia/Tokyo")]
    [InlineData("/example.org/20260101_1/Asia/Tokyo")]
    public void ZoneOfAnEventByAnotherName_IsKnown(string zone)
    {
        var day = Event($"UID:f\nDTSTART;TZID={zone}:20261127T090000\nDTEND;TZID={zone}:20261127T170000\nSUMMARY:ada");

        At("2026-11-27T07:59:59Z", day).ShouldBe("ada");
        At("2026-11-27T08:00:00Z", day).ShouldBe("");
    }

    /// <summary>The end of the 31st in India, in UTC; and until the 31st, as a person writes it.</summary>
    [Theory]
    [InlineData("", "RRULE:FREQ=DAILY;UNTIL=20261231T182959Z")]
    [InlineData("", "RRULE:FREQ=DAILY;UNTIL=20261231")]
    [InlineData(";TZID=Asia/Kolkata", "RRULE:FREQ=DAILY;UNTIL=20261231T182959Z")]
    [InlineData(";TZID=Asia/Kolkata", "RRULE:FREQ=DAILY;UNTIL=20261231")]
    public void LastShiftOfASeries_IsThatOfTheDayThatItsRuleNames(string zone, string rule)
    {
        var nights = Event($"UID:n\nDTSTART{zone}:20261201T200000\nDURATION:PT4H\nSUMMARY:ada\n{rule}");

        At("2026-12-31T15:00:00Z", nights, "Asia/Kolkata").ShouldBe("ada");
        At("2027-01-01T15:00:00Z", nights, "Asia/Kolkata").ShouldBe("");
    }

    [Theory]
    [InlineData("2026-11-27T12:00:00Z", "grace")]
    [InlineData("2026-11-28T12:00:00Z", "ada")]
    public void InstanceThatWasGivenToSomebodyElse_IsTheirs(string at, string who) => At(
        at,
        Event("UID:s\nDTSTART:20261101T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY\nSUMMARY:ada")
        + Event("UID:s\nRECURRENCE-ID:20261127T000000Z\nSEQUENCE:1\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:carol")
        + Event("UID:s\nRECURRENCE-ID:20261127T000000Z\nSEQUENCE:2\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:grace")).ShouldBe(who);

    [Theory]
    [InlineData("UID:s\nRECURRENCE-ID:20261127T000000Z\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:ada\nSTATUS:CANCELLED")]
    [InlineData("UID:s\nRECURRENCE-ID:20261127T000000Z\nDTSTART:20261129T000000Z\nDURATION:P1D\nSUMMARY:ada")]
    public void InstanceThatWasCancelledOrMoved_IsNobodys(string instance) =>
        At("2026-11-27T12:00:00Z", Event("UID:s\nDTSTART:20261101T000000Z\nDURATION:P1D\nRRULE:FREQ=DAILY\nSUMMARY:ada") + Event(instance)).ShouldBe("");

    [Theory]
    [InlineData("STATUS:CANCELLED")]
    [InlineData("RRULE:FREQ=DAILY;UNTIL=20261120T000000Z")]
    [InlineData("RRULE:FREQ=DAILY;COUNT=3")]
    [InlineData("RRULE:FREQ=DAILY\nEXDATE:20261127T000000Z")]
    public void SeriesThatLeavesTheDayOut_IsNobodysThen(string line) => At("2026-11-27T12:00:00Z", Event($"UID:s\nDTSTART:20261101T000000Z\nDURATION:P1D\nSUMMARY:ada\n{line}")).ShouldBe("");

    [Fact]
    public void TwoEventsThatBeginTogether_ArePeopleBoth() =>
        At("2026-11-27T12:00:00Z", Event("UID:a\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:ada") + Event("UID:b\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:grace")).ShouldBe("ada,grace");

    [Theory]
    [InlineData("ATTENDEE:mailto:ada@example.com\nATTENDEE;PARTSTAT=DECLINED:mailto:grace@example.com\nORGANIZER:mailto:boss@example.com\nSUMMARY:On call", "ada@example.com")]
    [InlineData("ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\nORGANIZER:mailto:boss@example.com\nSUMMARY:ada on call", "")]
    [InlineData("ATTENDEE;CUTYPE=ROOM;CN=War room:mailto:war@example.com\nATTENDEE;CUTYPE=RESOURCE:mailto:phone@example.com\nSUMMARY:ada", "ada")]
    [InlineData("ATTENDEE;CUTYPE=ROOM:mailto:war@example.com\nATTENDEE;CUTYPE=INDIVIDUAL:mailto:ada@example.com\nSUMMARY:On call", "ada@example.com")]
    [InlineData("ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:ben@example.com\":mailto:ada@example.com\nATTENDEE:mailto:ben@example.com", "ben@example.com")]
    [InlineData("ORGANIZER:mailto:boss@example.com\nSUMMARY:ada", "ada|boss@example.com")]
    [InlineData("ORGANIZER:mailto:boss@example.com", "boss@example.com")]
    [InlineData("ATTENDEE:tel:+123\nSUMMARY:ada", "ada")]
    [InlineData("DESCRIPTION:nobody", "")]
    public void WhoAnEventMeans_IsWhoItInvitesElseItsTitleElseItsOrganizer(string lines, string keys)
    {
        var shifts = Read(Event($"UID:a\nDTSTART:20261127T000000Z\nDURATION:P1D\n{lines}"), DateTimeOffset.Parse("2026-11-27T12:00:00Z", null));

        string.Join(",", shifts.Select(shift => string.Join('|', shift.Person.Keys))).ShouldBe(keys);
    }

    [Fact]
    public void ShiftsOfTheNextHours_AreKnownAsWell() =>
        Read(Event("UID:a\nDTSTART:20261127T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=0,2,4\nSUMMARY:ada"), DateTimeOffset.Parse("2026-11-27T00:30:00Z", null), hours: 4)
            .Select(shift => shift.From!.Value.UtcDateTime.Hour).ShouldBe([0, 2, 4]);

    [Theory]
    [InlineData("", "no iCalendar file", false)]
    [InlineData("<html>Sign in</html>", "cannot be read as a calendar", false)]
    [InlineData("UID:a\nDTSTART:20260101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY\nSUMMARY:ada", "repeats more often than shifts do", true)]
    [InlineData("UID:a\nDTSTART:20260101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5\nSUMMARY:ada", "repeats more often than shifts do", true)]
    [InlineData("UID:a\nDTSTART:18000101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:ada", "repeats for so long", true)]
    [InlineData("UID:a\nDTSTART:20260101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\nSUMMARY:ada", "cannot be read as a calendar", true)]
    [InlineData("UID:a\nDTSTART;TZID=Nowhere/Else:20261127T000000\nDURATION:P1D\nSUMMARY:ada", "'Nowhere/Else' of an event is not known", true)]
    [InlineData("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261127T000000Z\nDTSTART:20261127T000000Z\nDURATION:P1D\nSUMMARY:ada", "RANGE=THISANDFUTURE", true)]
    public void WhatCannotBeUnderstood_IsAnErrorAndNoGuess(string text, string problem, bool isEvent) =>
        Should.Throw<OnCallException>(() => CalendarShifts.Read(isEvent ? Calendar(Event(text)) : text, null, DateTimeOffset.Parse("2026-11-27T12:00:00Z", null), DateTimeOffset.Parse("2026-11-27T16:00:00Z", null)))
            .Message.ShouldContain(problem);

    private static string At(string at, string events, string? zone = null)
    {
        var now = DateTimeOffset.Parse(at, null);
        return string.Join(',', new OnCallRoster(Read(events, now, zone)).At(now).Select(shift => shift.Person.Keys[0]).Order());
    }

    private static IReadOnlyList<OnCallShift> Read(string events, DateTimeOffset now, string? zone = null, int hours = 4) => CalendarShifts.Read(Calendar(events), zone, now, now.AddHours(hours));

    private static string Event(string lines) => $"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{lines}\nEND:VEVENT\n";

    private static string Calendar(string inside) => $"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{inside}END:VCALENDAR\n".Replace("\n", "\r\n", StringComparison.Ordinal);
}
