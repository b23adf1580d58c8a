using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Which alerts are one that comes and goes, until when that is watched, and which fold into a no. Times are minutes.</summary>
public sealed class FlappingTests
{
    private static readonly Incident s_bare = Some.Incident() with { Alerts = [], AlertCount = 0, Recurrences = [] };

    /// <summary>Some senders keep the identity while labels change, others give each firing another identity.</summary>
    [Theory]
    [InlineData("azure-monitor", "DiskAlmostFull", "1", "/var", true)]
    [InlineData("azure-monitor", "DiskAlmostFull", "2", "/var", true)]
    [InlineData("azure-monitor", "DiskAlmostFull", "1", "/tmp", true)]
    [InlineData("azure-monitor", "DiskAlmostFull", "2", "/tmp", false)]
    [InlineData("alertmanager", "DiskAlmostFull", "1", "/var", false)]
    [InlineData("azure-monitor", "DiskIsFull", "1", "/var", false)]
    public void SameAlert_HasTheIdentityOrTheLabels(string source, string name, string fingerprint, string folder, bool same)
    {
        var known = Recurrence.Begin(null, Disk(), At(0));
        var alert = Disk(fingerprint, folder) with { Source = source, Name = name };
        var attached = new AttachedAlert(fingerprint, source, name, 1, At(0), At(0), false);
        var isOfTheName = source == known.Source && name == known.Name;

        (known.IsOf(alert), known.IsOf(attached, alert), known.IsOf(Recurrence.Begin(null, alert, At(0)))).ShouldBe((same, same, same));
        known.IsOf(attached, null).ShouldBe(isOfTheName, "what it said is not known any more");
        known.IsOf(Recurrence.Begin(null, alert, At(0)) with { Labels = null }).ShouldBe(isOfTheName, "an older record counts every alert of the name");
        var older = known with { Labels = null };
        (older.IsOf(alert), older.IsOf(attached, alert), older.IsOf(Recurrence.Begin(null, alert, At(0)))).ShouldBe((isOfTheName, isOfTheName, isOfTheName));
    }

    /// <summary>It began for the third time at minute 2: it is quiet enough at minute 17, and one that fires on is no longer quiet than the hour lasts.</summary>
    [Fact]
    public void OneThatFlaps_IsWatchedUntilItIsQuietAndWhileItFiresForTheHour()
    {
        var quiet = Flaps(2) with { Name = "Other" };
        var incident = s_bare.Attach(Disk("other", "/tmp") with { Name = "More" }, At(2)).Attach(Disk(), At(2)) with { Recurrences = [Flaps(2), quiet] };
        var over = incident with { Alerts = [incident.Alerts[0], incident.Alerts[1] with { Resolved = true }] };

        (incident.WatchedUntil, incident.HeldUntil).ShouldBe((At(60), At(17)));
        over.WatchedUntil.ShouldBe(At(17));
        (over with { Recurrences = [Flaps(2), Flaps(4)] }).HeldUntil.ShouldBe(At(19));
        (over with { Recurrences = [Flaps(2), Flaps(4)] }).WatchedUntil.ShouldBe(At(19));
        (s_bare.WatchedUntil, s_bare.HeldUntil, s_bare.Flaps(At(2))).ShouldBe((null, null, false));
        (s_bare with { Recurrences = [Flaps(2), Recurrence.Begin(null, Disk(), At(2))] }).Flaps(At(3)).ShouldBeTrue();
    }

    [Fact]
    public void EpisodeThatEnds_IsCountedOnceAndBeginsAnewWhenItFiresAgain()
    {
        var firing = s_bare.Attach(Disk(), At(0));
        var over = firing.Attach(Over(), At(4));

        (over.Recurrences[0].FiringSince, over.Recurrences[0].Longest).ShouldBe((null, TimeSpan.FromMinutes(4)));
        over.Attach(Over(), At(9)).Recurrences.ShouldBe(over.Recurrences);
        firing.Attach(Disk(), At(1)).Recurrences[0].Times.ShouldBe(1);
        over.Attach(Disk(), At(5)).Recurrences[0].Times.ShouldBe(2);
        firing.Attach(Disk() with { StartsAt = At(1) }, At(7)).Attach(Disk() with { StartsAt = At(7) }, At(7)).Recurrences[0].Times.ShouldBe(2, "its sender says that it began anew");
        s_bare.Attach(Over(), At(4)).Recurrences.ShouldBeEmpty();
    }

    /// <summary>Each message about an outage is an alert of its own, and the outage has not gone between them.</summary>
    [Fact]
    public void Outage_DoesNotComeAndGo()
    {
        var outage = Disk() with { Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = "1" } };

        s_bare.Attach(outage, At(0)).Recurrences.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(5, 1, 5)]
    [InlineData(1, 5, 5)]
    [InlineData(5, null, 5)]
    [InlineData(null, 5, 5)]
    public void SeriesThatGoesOn_KnowsTheLongestOfBoth(int? before, int? own, int longest)
    {
        var (first, next) = (s_bare with { Recurrences = [Lasted(before)] }, s_bare with { Recurrences = [Lasted(own)] });

        var after = next.ContinueSeries(first, At(1));

        (after.Recurrences[0].Times, after.Recurrences[0].Longest).ShouldBe((2, TimeSpan.FromMinutes(longest)));
        (next with { Recurrences = [Lasted(own)] }).ContinueSeries(first with { Recurrences = [Lasted(before) with { Times = 4 }] }, At(1), isCounted: true).Recurrences[0].Times.ShouldBe(4, "it reached the incident before");

        static Recurrence Lasted(int? minutes) => Recurrence.Begin(null, Disk(), At(0)) with { Longest = minutes is { } some ? TimeSpan.FromMinutes(some) : null };
    }

    /// <summary>The sender repeats what still fires, and that opens another incident after one that has ended: it has not gone, so it has not come again.</summary>
    [Theory]
    [InlineData(1, IncidentState.Failed, 0, 0)]
    [InlineData(1, IncidentState.Expired, 0, 0)]
    [InlineData(1, IncidentState.Failed, null, null)]
    [InlineData(1, IncidentState.Resolved, 0, 0)]
    [InlineData(1, IncidentState.Failed, 0, 20, "2")]
    [InlineData(2, IncidentState.Failed, 0, 20)]
    [InlineData(2, IncidentState.Failed, 0, 0, "1", "/var", true)]
    [InlineData(2, IncidentState.Resolved, null, null)]
    [InlineData(2, IncidentState.SelfRecovered, null, null)]
    [InlineData(2, IncidentState.Resolved, 0, 20, "2")]
    [InlineData(1, IncidentState.Failed, 0, 0, "1", "/tmp")]
    [InlineData(1, IncidentState.Failed, 0, 0, "2", "/tmp")]
    public void FiringThatGoesOn_IsNoOtherTime(int times, IncidentState end, int? began, int? starts, string fingerprint = "1", string folder = "/var", bool ended = false)
    {
        var firing = (s_bare with { Alert = Disk() with { StartsAt = Start(began) } }).Attach(Disk() with { StartsAt = Start(began) }, At(1));
        var before = (ended ? firing.Attach(Over() with { StartsAt = Start(began) }, At(9)) : firing) with { State = end };
        var again = Disk(fingerprint, folder) with { StartsAt = Start(starts) };
        var next = (s_bare with { Id = "next", Alert = again }).Attach(again, At(20));

        next.GoOnAfter(before, At(20)).Recurrences.ShouldHaveSingleItem().Times.ShouldBe(times);

        static DateTimeOffset? Start(int? minute) => minute is { } at ? At(at) : null;
    }

    [Fact]
    public void SecondTimeThatGoesOn_StaysTheSecondAndDoesNotFlap()
    {
        var again = Disk() with { StartsAt = At(30) };
        var before = s_bare.Attach(Disk(), At(0)).Attach(Over(), At(9)).Attach(again, At(30)) with { State = IncidentState.Failed };

        var third = s_bare.Attach(again, At(40)).GoOnAfter(s_bare.Attach(again, At(35)).GoOnAfter(before, At(35)) with { State = IncidentState.Failed }, At(40));

        (third.Recurrences.ShouldHaveSingleItem().Times, third.Flaps(At(40)), third.ThreadOf).ShouldBe((2, false, before.Id));
    }

    [Fact]
    public void SixthAlert_IsCountedWhereOneOfTheOthersIsQuiet()
    {
        var five = s_bare with { Recurrences = [.. Enumerable.Range(0, 5).Select(n => Recurrence.Begin(null, Disk() with { Name = $"alert-{n}" }, At(n == 2 ? 0 : 20)))] };

        five.Attach(Disk(), At(30)).Recurrences.Select(recurrence => recurrence.Name).ShouldBe(["alert-0", "alert-1", "alert-3", "alert-4", "DiskAlmostFull"]);
    }

    /// <summary>A rule of Azure Monitor that keeps no state fires as another alert each time: what says the same as one that still fires is that one.</summary>
    [Fact]
    public void FiresAgainAsAnotherAlert_TheNoHolds()
    {
        var other = s_bare.Attach(Disk("other", "/home"), At(0)).Attach(Disk(), At(0));
        var rejected = Rejected(other);

        rejected.FoldRefused(Disk("2"), At(20))!.Alerts.Select(alert => (alert.Fingerprint, alert.Count)).ShouldBe([("other", 1), ("1", 2)]);
        rejected.FoldRefused(Disk("2", "/tmp"), At(20)).ShouldBeNull("it says something else");
        rejected.FoldRefused(Disk("2") with { Name = "DiskIsFull" }, At(20)).ShouldBeNull();
        rejected.FoldRefused(Disk("2") with { Status = AlertStatus.Resolved }, At(20)).ShouldBeNull();
        foreach (var decidedElsewhere in new[] { other.Alerts[1] with { Resolved = true }, other.Alerts[1] with { AskedNobody = true }, other.Alerts[1] with { HandedTo = "i-2" } })
        {
            Rejected(other with { Alerts = [other.Alerts[0], decidedElsewhere] }).FoldRefused(Disk("2"), At(20)).ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("azure-monitor", "Platform", true)]
    [InlineData("azure-monitor", "Activity Log - Security", false)]
    [InlineData("alertmanager", "Platform", false)]
    public void FiresAgainAsAnotherAlert_IsTheSameOnlyWhereARuleOfAzureMayKeepNoState(string source, string service, bool folds)
    {
        var alert = Disk() with { Source = source, Labels = new Dictionary<string, string> { ["monitoringService"] = service } };

        (Rejected(s_bare with { Alert = alert, Alerts = [s_bare.Attach(alert, At(0)).Alerts[0]] }).FoldRefused(alert with { Fingerprint = "2" }, At(20)) is not null).ShouldBe(folds);
    }

    /// <summary>It is over and has not been quiet for a while: the no to it holds, and says so once for each alert.</summary>
    [Fact]
    public void ComesAgainAfterANo_TheNoHoldsForWhatItWasAbout()
    {
        var both = s_bare.Attach(Disk("other", "/home"), At(0)).Attach(Disk(), At(0));
        var over = both with { Alerts = [both.Alerts[0] with { Resolved = true, ToldAfterNo = true }, both.Alerts[1] with { Resolved = true }] };
        var rejected = Rejected(over with { Recurrences = [Flaps(9), Recurrence.Begin(null, Disk("other", "/home"), At(0))] });

        var first = rejected.FoldRefused(Disk("2"), At(12))!;
        var second = first.FoldRefused(Disk("3"), At(13))!;

        (first.AlertCount, first.Timeline.Count, second.AlertCount, second.Timeline.Count).ShouldBe((3, rejected.Timeline.Count + 1, 4, first.Timeline.Count));
        first.Timeline[^1].What.ShouldStartWith("DiskAlmostFull comes and goes. It does not ask again until");
        rejected.FoldRefused(Disk("2"), At(25)).ShouldBeNull("it has been quiet");
        (rejected with { Alerts = [rejected.Alerts[0]] }).FoldRefused(Disk("2"), At(12)).ShouldBeNull("the no was about another folder");
    }

    /// <summary>Beside one that flaps another alert is told of each time it begins.</summary>
    [Fact]
    public void BeginsAgainBesideOneThatFlaps_IsWrittenDown()
    {
        var both = s_bare.Attach(Disk("other", "/home"), At(0)).Attach(Disk(), At(0));
        var over = both with { Alerts = [.. both.Alerts.Select(alert => alert with { Resolved = true })], Recurrences = [Flaps(2), Recurrence.Begin(null, Disk("other", "/home"), At(0))] };

        over.Attach(Disk("other", "/home"), At(5)).Timeline[^1].What.ShouldBe("DiskAlmostFull fires again.");
        over.Attach(Disk(), At(5)).Timeline.ShouldBe(over.Timeline);
    }

    /// <summary>While what had been done was taken back it fired again, as another alert of a rule that keeps no state.</summary>
    [Theory]
    [InlineData(60, null, 0)]
    [InlineData(250, null, 1)]
    [InlineData(60, "Sev0", 1)]
    public void FiresAgainBetweenTheNoAndTheEnd_TheNoHoldsForAsLongAsOneDoes(int closedAt, string? severity, int unseen)
    {
        var alert = Disk() with { Severity = "Sev3" };
        var rejected = Rejected((s_bare with { Alert = alert }).Attach(alert, At(0))) with { ClosedAt = At(closedAt) };

        rejected.Attach(alert with { Fingerprint = "2", Severity = severity ?? "Sev3" }, At(11)).BegunUnseen().Count.ShouldBe(unseen);
    }

    /// <summary>It opened the incident, in this firing or another.</summary>
    [Theory]
    [InlineData("azure-monitor", "DiskAlmostFull", "1", "/tmp", true)]
    [InlineData("azure-monitor", "DiskAlmostFull", "2", "/var", true)]
    [InlineData("azure-monitor", "DiskAlmostFull", "2", "/tmp", false)]
    [InlineData("azure-monitor", "DiskIsFull", "2", "/var", false)]
    [InlineData("alertmanager", "DiskAlmostFull", "2", "/var", false)]
    public void Opener_IsKnownAgain(string source, string name, string fingerprint, string folder, bool opened) =>
        (s_bare with { Alert = Disk() }).WasOpenedBy(Disk(fingerprint, folder) with { Source = source, Name = name }).ShouldBe(opened);

    /// <summary>In the generic form whoever posts chooses the identity.</summary>
    [Theory]
    [InlineData("generic", "1", "/tmp", true)]
    [InlineData("generic", "1", "/var", false)]
    [InlineData("generic", "2", "/tmp", false)]
    [InlineData("azure-monitor", "1", "/tmp", false)]
    public void ChosenIdentityWithOtherLabels_MayBeAnotherThing(string source, string fingerprint, string folder, bool other)
    {
        var incident = s_bare.Attach(Disk("first", "/home") with { Source = source }, At(0)).Attach(Disk() with { Source = source }, At(0));

        incident.KnowsWithOtherLabels(Disk(fingerprint, folder) with { Source = source }).ShouldBe(other);
    }

    private static Incident Rejected(Incident incident) => incident with
    {
        State = IncidentState.Rejected,
        Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "ada", "link", At(10))] }],
    };

    /// <summary>Of the disk, three times within as many minutes.</summary>
    private static Recurrence Flaps(int lastAt) => Recurrence.Begin(null, Disk(), At(0)) with { Times = 3, LastAt = At(lastAt), Starts = [At(0), At(1), At(2)] };

    private static Alert Disk(string fingerprint = "1", string folder = "/var") => new()
    {
        Source = "azure-monitor",
        Name = "DiskAlmostFull",
        Fingerprint = fingerprint,
        Labels = new Dictionary<string, string> { ["folder"] = folder },
    };

    private static Alert Over() => Disk() with { Status = AlertStatus.Resolved };

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
