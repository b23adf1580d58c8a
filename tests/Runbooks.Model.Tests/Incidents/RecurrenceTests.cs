using Runbooks.Model.Incidents;
using TestKit;
using static TestKit.Alerts.SlowAlert;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>How often an alert came, from when on it flaps, and until when it does. Times are minutes.</summary>
public sealed class RecurrenceTests
{
    [Theory]
    [InlineData(60, null, 0.0, 10.0)]
    [InlineData(60, 25.0, 0.0, 0.0, 10.0)]
    [InlineData(60, 60.0, 0.0, 0.0, 50.0)]
    [InlineData(60, 59.0, 0.0, 0.0, 44.0)]
    public void HeldUntil_ItWasQuietOrItsBeginningsAreAnHourApart(int apart, double? heldUntil, params double[] starts)
    {
        var recurrence = Series(starts);

        recurrence.HeldUntil.ShouldBe(heldUntil is { } minutes ? At(minutes) : null);
        (recurrence.Flaps(At(apart)), recurrence.Flaps(At(apart).AddTicks(1))).ShouldBe((starts.Length == 3, false));
    }

    [Theory]
    [InlineData(5, true, 4.0, "Slow: 5th time since 03:12 UTC; each of the 4 before lasted under 5 minutes.")]
    [InlineData(2, true, 0.9, "Slow: 2nd time since 03:12 UTC; the one before lasted under a minute.")]
    [InlineData(3, true, 1.0, "Slow: 3rd time since 03:12 UTC; each of the 2 before lasted under 2 minutes.")]
    [InlineData(21, true, null, "Slow: 21st time since 03:12 UTC.")]
    [InlineData(13, true, null, "Slow: 13th time since 03:12 UTC.")]
    [InlineData(12, true, 119.0, "Slow: 12th time since 03:12 UTC; each of the 11 before lasted under 120 minutes.")]
    [InlineData(111, true, 120.0, "Slow: 111th time since 03:12 UTC; each of the 110 before lasted under 3 hours.")]
    [InlineData(4, false, 4.0, "Slow: 4 times since 03:12 UTC; each lasted under 5 minutes.")]
    public void InWords_SaysHowOftenSinceWhenAndHowLong(int times, bool firing, double? longest, string words) =>
        (Series(0) with { Times = times, FiringSince = firing ? Some.Time : null, Longest = longest is { } minutes ? TimeSpan.FromMinutes(minutes) : null }).Describe().ShouldBe(words);

    [Theory]
    [InlineData(720, "03:12 UTC")]
    [InlineData(721, "2026-11-23 03:12 UTC")]
    public void LongSeries_NamesTheDay(int lastAt, string since) =>
        (Series(0) with { Times = 4, LastAt = At(lastAt) }).Describe().ShouldBe($"Slow: 4 times since {since}.");

    [Theory]
    [InlineData(100.0, 100)]
    [InlineData(41.0, 41)]
    [InlineData(40.0, 100)]
    [InlineData(101.0, 100)]
    [InlineData(null, 100)]
    public void Beginning_IsBelievedToTheSenderWithinAnHour(double? startsAt, int began)
    {
        var recurrence = Recurrence.Begin(null, Message(startsAt), At(100));

        (recurrence.Since, recurrence.FiringSince, recurrence.LastAt, recurrence.Times).ShouldBe((At(began), At(began), At(100), 1));
        recurrence.Starts.ShouldBe([At(100)]);
    }

    [Fact]
    public void NextBeginning_GoesOnWithinAnHourAndKeepsTheLastThree()
    {
        var fourth = Recurrence.Begin(Series(0, 10, 20) with { Times = 3 }, Message(null), At(80));
        (fourth.Times, fourth.Since, fourth.LastAt, fourth.FiringSince).ShouldBe((4, At(0), At(80), At(80)));
        fourth.Starts.ShouldBe([At(10), At(20), At(80)]);

        Recurrence.Begin(Series(0, 10, 20), Message(null), At(80).AddTicks(1)).Times.ShouldBe(1);
    }

    [Theory]
    [InlineData(10.0, 14.0, 4)]
    [InlineData(10.0, 10.0, 2)]
    [InlineData(10.0, 9.0, 25)]
    [InlineData(null, 14.0, 25)]
    public void End_LastedByTheSendersClockOrByOurs(double? startsAt, double? endsAt, int longest)
    {
        var over = (Series(0) with { FiringSince = At(5), Longest = TimeSpan.FromMinutes(2) }).End(Message(startsAt, endsAt, resolved: true), At(30));

        (over.Longest, over.FiringSince, over.LastAt).ShouldBe((TimeSpan.FromMinutes(longest), null, At(30)));
        Series(0, 20).End(Message(null, resolved: true), At(30)).Longest.ShouldBe(TimeSpan.FromMinutes(10));
    }

    [Theory]
    [InlineData(2, "")]
    [InlineData(3, "+3")]
    [InlineData(4, "+4")]
    [InlineData(9, "+5")]
    [InlineData(10, "+10")]
    [InlineData(14, "+10")]
    [InlineData(49, "+40")]
    [InlineData(50, "+50")]
    [InlineData(99, "+50")]
    [InlineData(149, "+100")]
    [InlineData(200, "+200")]
    [InlineData(399, "+200")]
    public void Cards_TellTheNumberEverMoreRarely(int times, string mark) =>
        (Some.Incident() with { Recurrences = [Series(0) with { Times = times }] }).NewsMark.ShouldBe(mark.Length == 0 ? null : $"+1{mark}");

    [Theory]
    [InlineData(80, 3, 5.0, "0 20 80")]
    [InlineData(81, 1, 1.0, "81")]
    public void NextIncident_GoesOnWithTheSeriesWithinAnHour(int start, int times, double longest, string starts)
    {
        var own = Incident(new Recurrence("alertmanager", "Slow", 1, At(start), At(start), [At(start)]) { Longest = TimeSpan.FromMinutes(1) });
        var before = Incident(Series(0, 20) with { Longest = TimeSpan.FromMinutes(5) }) with { Id = "before" };

        var after = own.ContinueSeries(before, At(start));

        var recurrence = after.Recurrences.ShouldHaveSingleItem();
        (recurrence.Times, recurrence.Longest, string.Join(" ", recurrence.Starts.Select(at => (at - Some.Time).TotalMinutes))).ShouldBe((times, TimeSpan.FromMinutes(longest), starts));
        (after.ThreadOf, after.Timeline[^1].What.Contains("It comes and goes", StringComparison.Ordinal)).ShouldBe(times == 3 ? ("before", false) : (null, false));
        own.ContinueSeries(before with { ThreadOf = "first" }, At(start)).ThreadOf.ShouldBe(times == 3 ? "first" : null);
    }

    [Fact]
    public void ThirdTimeWithinAnHour_IsToldOnceAndThenOnlyCounted()
    {
        var second = Incident(Series(0, 20) with { Times = 2 }) with { Alerts = [Ended] };

        var third = second.Attach(Message(30), At(30));
        third.Timeline[^1].What.ShouldBe("Slow: 3rd time since 03:12 UTC. It comes and goes: from here on each time is counted and not written down, until it has been quiet for 15 minutes.");
        var fourth = third.Attach(Message(30, 31, resolved: true), At(31)).Attach(Message(40), At(40));

        (fourth.Recurrences[0].Times, fourth.Timeline.Count).ShouldBe((4, third.Timeline.Count));
        second.RecurrenceLines().ShouldHaveSingleItem();
        Incident(Series(0)).RecurrenceLines().ShouldBeEmpty();
    }

    [Fact]
    public void OtherOfTheSameNameSideBySide_IsNotTheFirstComeAgain()
    {
        var firing = Incident().Attach(Message(0), At(0));

        firing.Attach(Message(1) with { Fingerprint = "other" }, At(1)).Recurrences.ShouldHaveSingleItem().Times.ShouldBe(1);
        firing.Attach(Message(0, 1, resolved: true), At(1)).Attach(Message(2) with { Fingerprint = "other" }, At(2)).Recurrences.ShouldHaveSingleItem().Times.ShouldBe(2);
        firing.Attach(Message(1) with { Fingerprint = "other", Name = "Down" }, At(1)).Recurrences.Count.ShouldBe(2);
    }

    [Fact]
    public void SixthAlert_TakesThePlaceOfTheOneThatHasBeenQuietLongest()
    {
        var five = Incident([.. Enumerable.Range(0, 5).Select(n => Series(n == 2 ? 0 : 10) with { Name = $"alert-{n}" })]);

        five.Attach(Message(30), At(30)).Recurrences.Select(recurrence => recurrence.Name).ShouldBe(["alert-0", "alert-1", "alert-3", "alert-4", "Slow"]);
    }

    /// <summary>Of many that take turns, those that are counted go on to flap.</summary>
    [Theory]
    [InlineData(25, false)]
    [InlineData(26, true)]
    public void SixthAlert_IsNotCountedWhileNoneOfTheOthersIsQuiet(int minute, bool counted)
    {
        var five = Incident([.. Enumerable.Range(0, 5).Select(n => Series(10) with { Name = $"alert-{n}" })]);

        five.Attach(Message(minute), At(minute)).Recurrences.Any(recurrence => recurrence.Name == "Slow").ShouldBe(counted);
    }

    /// <summary>It was rejected at minute 20 while it flapped, until minute 35.</summary>
    [Theory]
    [InlineData(34, "alertmanager", "warning", true)]
    [InlineData(35, "alertmanager", "warning", false)]
    [InlineData(34, "grafana", "warning", false)]
    [InlineData(34, "alertmanager", "critical", false)]
    public void NoToOneThatFlaps_HoldsUntilItIsQuietOrWorse(int now, string source, string severity, bool holds)
    {
        var rejected = Rejected(20);

        var folded = rejected.FoldRefused(Message(30) with { Source = source, Severity = severity }, At(now));

        (folded is not null).ShouldBe(holds);
        Rejected(now - 240).FoldRefused(Message(30) with { Severity = "warning" }, At(now)).ShouldBeNull("the no is four hours old");
        (rejected with { State = IncidentState.Resolved }).FoldRefused(Message(30), At(now)).ShouldBeNull("nobody said no");
    }

    [Fact]
    public void FoldedIntoTheNo_IsToldOnceAndHasAskedNobody()
    {
        var folded = Rejected(20).FoldRefused(Message(30), At(34)).ShouldNotBeNull();

        folded.Timeline[^1].What.ShouldStartWith("Slow comes and goes. It does not ask again until it has been quiet for 15 minutes");
        folded.Alerts.Select(alert => (alert.ToldAfterNo, alert.AskedNobody)).ShouldBe([(true, true), (false, false)]);
        folded.HoldsUnasked().ShouldBeTrue();
        (folded with { AlertResolvedAt = At(40) }).HoldsUnasked().ShouldBeFalse();
        Rejected(20).HoldsUnasked().ShouldBeFalse();
        folded.FoldRefused(Message(30), At(35))!.Timeline.Count.ShouldBe(folded.Timeline.Count);
    }

    private static AttachedAlert Ended => new("slow", "alertmanager", "Slow", 1, At(0), At(25), true) { StartsAt = At(20), EndsAt = At(25) };

    private static Incident Rejected(int minutes) => Incident(Series(0, 10, 20) with { Times = 3 }) with
    {
        Alert = Message(0) with { Severity = "warning" },
        State = IncidentState.Rejected,
        Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "ada", "link", At(minutes))] }],
        Alerts = [Ended, Ended with { Fingerprint = "other", Name = "Other", Resolved = false }],
    };

    private static Incident Incident(params Recurrence[] recurrences) => Some.Incident() with { Alerts = [], AlertCount = 0, Recurrences = recurrences };

    private static Recurrence Series(params double[] starts) => new("alertmanager", "Slow", starts.Length, At(starts[0]), At(starts[^1]), [.. starts.Select(At)]);
}
