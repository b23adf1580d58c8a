using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;
using static TestKit.Alerts.SlowAlert;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Which messages belong to which coming and going of an alert, and what a no is remembered for. Times are minutes.</summary>
public sealed class EpisodeTests
{
    private static readonly Incident s_bare = Some.Incident() with { Alerts = [], Recurrences = [], AlertCount = 0 };

    [Theory]
    [InlineData(60, null, null, false, false)]
    [InlineData(60, 60.0, 0.0, true, false)]
    [InlineData(null, 10.0, null, false, false)]
    [InlineData(60, 55.0, null, false, false)]
    [InlineData(60, 58.0, 59.9, true, true)]
    [InlineData(60, 54.9, null, true, true)]
    [InlineData(60, 57.0, 54.9, true, true)]
    [InlineData(60, null, 54.9, true, true)]
    [InlineData(60, null, 55.0, true, false)]
    [InlineData(60, null, 54.9, false, false)]
    public void OfAnEarlierEpisode_IsWhatStartedOrEndedBeforeThePresentOne(int? known, double? startsAt, double? endsAt, bool resolved, bool earlier) =>
        Episode.IsEarlier(Known(known) with { EarlierStarts = [At(58)] }, Message(startsAt, endsAt, resolved)).ShouldBe(earlier);

    [Theory]
    [InlineData(null, 60.0, true)]
    [InlineData(60, null, true)]
    [InlineData(60, 65.0, true)]
    [InlineData(60, 65.1, false)]
    [InlineData(60, 55.0, true)]
    [InlineData(60, 54.9, false)]
    public void SameEpisode_IsWhatStartedAtTheSameTimeByTwoClocks(int? known, double? startsAt, bool same) =>
        Episode.IsSame(Known(known), Message(startsAt) with { Source = "generic" }).ShouldBe(same);

    /// <summary>Alertmanager keeps the earliest start that any Prometheus tells it, and hears of that one later where it was restarted.</summary>
    [Theory]
    [InlineData("alertmanager", null, false, true)]
    [InlineData("grafana", null, false, true)]
    [InlineData("generic", null, false, false)]
    [InlineData("alertmanager", 70.0, true, true)]
    [InlineData("alertmanager", 60.0, true, true)]
    [InlineData("alertmanager", 59.9, true, false)]
    [InlineData("generic", 70.0, true, false)]
    public void StartThatMovedBack_IsOfTheEpisodeThatFires(string source, double? endsAt, bool resolved, bool same)
    {
        var known = Known(60) with { Source = source, EarlierStarts = [At(0)] };
        var message = Message(0, endsAt, resolved) with { Source = source };

        (Episode.IsEarlier(known, message), Episode.IsSame(known, message)).ShouldBe((!same, same));
        Episode.IsEarlier(known with { Resolved = true }, message).ShouldBe(!same || !resolved, "it came late, unless it ends what has ended");
        Episode.IsEarlier(known with { EndedBecause = "MissingSeries" }, message).ShouldBe(!same || !resolved);
        Rejected(s_bare with { Alerts = [known with { EarlierStarts = [] }] }).Remembers(message, At(61)).ShouldBe(same && !resolved);
    }

    [Fact]
    public void StartThatMovedBack_BeginsNothing()
    {
        var fires = Take(Message(0), Message(60), Message(0), Message(60));
        fires.Alerts[0].StartsAt.ShouldBe(At(60));
        fires.Recurrences[0].Times.ShouldBe(2);

        var over = Take(fires, Message(0, 70, resolved: true), Message(0, 70, resolved: true), Message(60, 70, resolved: true));
        (over.Alerts[0].Resolved, over.Alerts[0].StartsAt, over.Alerts[0].EndsAt).ShouldBe((true, At(60), At(70)));
        Take(over, Message(80)).Alerts[0].StartsAt.ShouldBe(At(80));
    }

    /// <summary>A later episode with a true start would pass for an earlier one.</summary>
    [Theory]
    [InlineData(59.0, 59.0)]
    [InlineData(61.0, 60.0)]
    [InlineData(65.0, 60.0)]
    [InlineData(65.1, null)]
    [InlineData(null, null)]
    public void StartAheadOfOurClock_IsNoneOrNow(double? startsAt, double? believed) =>
        Episode.WithoutStartAhead(Message(startsAt), At(60)).StartsAt.ShouldBe(believed is { } minutes ? At(minutes) : null);

    /// <summary>It lasted from minute 0 to 10. What is delivered again, or out of order, is no new episode; others may fire on with the start of before.</summary>
    [Theory]
    [InlineData("event-grid", 0.0, null, true)]
    [InlineData("event-grid", 4.0, null, true)]
    [InlineData("event-grid", 10.0, null, false)]
    [InlineData("event-grid", 11.0, null, false)]
    [InlineData("event-grid", null, 4.0, true)]
    [InlineData("event-grid", 12.0, 4.0, false)]
    [InlineData("event-grid", null, null, false)]
    [InlineData("azure-monitor", 4.0, null, true)]
    [InlineData("alertmanager", 0.0, null, false)]
    [InlineData("alertmanager", 4.0, null, false)]
    public void DeliveredAgainAfterItsEnd_IsOfThatEpisode(string source, double? startsAt, double? endsAt, bool again)
    {
        var known = Known(0) with { Resolved = true, EndsAt = At(10) };
        var message = Message(startsAt, endsAt) with { Source = source, Labels = new Dictionary<string, string> { ["monitoringService"] = "Resource Health" } };

        Episode.IsEarlier(known, message).ShouldBe(again);
        Episode.IsEarlier(known with { Resolved = false }, message).ShouldBeFalse("it still fires");
        Episode.IsEarlier(known, message with { Status = AlertStatus.Acknowledged }).ShouldBeFalse();
        Episode.IsEarlier(known with { EndsAt = null }, message).ShouldBe(again && startsAt == 0);
    }

    /// <summary>Azure tells each change of a resource's health by itself and with one clock.</summary>
    [Fact]
    public void ChangesOfAResourcesHealth_AreEpisodesHoweverNear()
    {
        var message = Message(1) with { Source = "azure-monitor", Labels = new Dictionary<string, string> { ["monitoringService"] = "ResourceHealth" } };

        Episode.IsSame(Known(0), message).ShouldBeFalse();
        Episode.IsSame(Known(1), message).ShouldBeTrue();
        Episode.IsEarlier(Known(2), message).ShouldBeTrue();
    }

    [Fact]
    public void FiringAlert_HasNoEnd() => Take(Message(0, 90)).Alerts[0].EndsAt.ShouldBeNull("Prometheus says until when it will fire");

    [Fact]
    public void AlertThatComesAndGoes_KeepsItsLastStarts()
    {
        var once = Take(Message(0));
        Take(once, Message(3)).Alerts[0].StartsAt.ShouldBe(At(0));
        var ended = Take(once, Message(0, 2, resolved: true));
        (ended.Alerts[0].StartsAt, ended.Alerts[0].EndsAt).ShouldBe((At(0), At(2)));

        var again = Take(ended, Message(3));
        (again.Alerts[0].StartsAt, again.Alerts[0].EndsAt).ShouldBe((At(3), null));
        again.Alerts[0].EarlierStarts.ShouldBe([At(0)]);
        Take([.. Enumerable.Range(0, 8).Select(n => Message(n * 10))]).Alerts[0].EarlierStarts.ShouldBe([At(20), At(30), At(40), At(50), At(60)]);
        Take(Message(null), Message(7)).Alerts[0].EarlierStarts.ShouldBeEmpty();
    }

    [Fact]
    public void LateMessage_IsToldOnceForEachAlert()
    {
        var later = Take(Message(60), Message(60) with { Fingerprint = "other" });

        var told = Take(later, Message(0, 5, resolved: true));

        told.Timeline[^1].What.ShouldBe("A resolved message about an earlier episode of Slow came late and changed nothing.");
        told.Alerts.Select(alert => alert.ToldEarlier).ShouldBe([true, false]);
        Take(told, Message(0, 5, resolved: true)).ShouldBeSameAs(told);
        var over = Take(later, Message(60, 70, resolved: true));
        Take(over, Message(0)).Timeline[^1].What.ShouldStartWith("A firing message");
        (over.IsOfEarlierEpisode(Message(0)), over.IsOfEarlierEpisode(Message(60)), over.IsOfEarlierEpisode(Message(0) with { Fingerprint = "new" })).ShouldBe((true, false, false));
    }

    [Theory]
    [InlineData(IncidentState.Rejected, GateOutcome.Rejected, false, "rejected")]
    [InlineData(IncidentState.Cancelled, GateOutcome.Approved, true, "stopped")]
    [InlineData(IncidentState.Failed, GateOutcome.Approved, true, "stopped")]
    [InlineData(IncidentState.Failed, GateOutcome.Rejected, false, "rejected")]
    [InlineData(IncidentState.Failed, GateOutcome.Approved, false, null)]
    [InlineData(IncidentState.Resolved, GateOutcome.Approved, true, null)]
    public void No_IsWhatAPersonSaid(IncidentState state, GateOutcome outcome, bool stopped, string? did)
    {
        var gate = Some.Gate() with { Outcome = outcome, Decisions = [new(DecisionVerb.Approve, "grace", "link", At(0)), new(DecisionVerb.Reject, "ada", "link", At(1), "Not now."), new(DecisionVerb.Approve, "linus", "link", At(2))] };
        var ended = s_bare with { State = state, Gates = [gate], Stop = stopped ? new("ada", "Not now.", At(1)) : null };

        ended.SaidNo().ShouldBe(did is null ? null : new(ended.Id, "ada", did, At(1), "Not now."));
        (ended with { RetriedAs = "another" }).SaidNo().ShouldBeNull();
        var closed = ended with { ClosedByHand = new("eve", "Done.", At(5)) };
        (closed.SaidNo()?.By).ShouldBe(did is null ? null : "ada", "closing a failure says nothing about what comes next");
        (closed with { State = IncidentState.TakenOver }).SaidNo().ShouldBe(new(ended.Id, "eve", "closed by hand", At(5), "Done."));
    }

    [Theory]
    [InlineData("Not now.", ": Not now.")]
    [InlineData("", ".")]
    [InlineData(null, ".")]
    public void No_SaysWhoWhenAndWhy(string? reason, string why) =>
        new EarlierNo("i-1", "ada", "rejected", At(1), reason).Text.ShouldBe($"incident i-1 was rejected by ada on 2026-11-23 at 03:13:00 UTC{why}");

    /// <summary>They could not take it back by hand: that is no answer to what the automation asks.</summary>
    [Fact]
    public void NoToWorkByHand_IsNone()
    {
        var task = Some.Gate(2) with { Outcome = GateOutcome.Rejected, Task = new("fix", "Put it back.", [], Undoes: true), Decisions = [new(DecisionVerb.Reject, "eve", "link", At(3))] };
        var failed = Rejected(s_bare) with { State = IncidentState.Failed };

        (failed with { Gates = [.. failed.Gates, task] }).SaidNo()!.By.ShouldBe("ada");
        (failed with { Gates = [failed.Gates[0] with { Outcome = GateOutcome.Approved }, task] }).SaidNo().ShouldBeNull();
    }

    [Fact]
    public void NextIncident_WarnsOfTheNoOrOfWhoeverOwnsTheOneBefore()
    {
        var rejected = Rejected(Take(Message(0)));
        var warned = s_bare.GoOnAfter(rejected, At(20));
        (warned.EarlierNo, warned.Timeline[^1].What).ShouldBe((rejected.SaidNo(), rejected.SaidNo()!.Warning));

        s_bare.GoOnAfter(s_bare with { State = IncidentState.TakenOver, SettlesAt = At(1) }, At(20)).Timeline[^1].What.ShouldContain("was taken over and is not closed after 4 h");
        s_bare.GoOnAfter(s_bare with { State = IncidentState.Resolved }, At(20)).ShouldBe(s_bare);
    }

    [Theory]
    [InlineData(0, null, 0.0, 500, true)]
    [InlineData(0, null, 5.0, 500, true)]
    [InlineData(0, null, 6.0, 20, false)]
    [InlineData(null, null, null, 249, true)]
    [InlineData(null, null, null, 250, false)]
    [InlineData(0, null, null, 249, true)]
    [InlineData(0, null, null, 250, false)]
    [InlineData(null, null, 0.0, 250, false)]
    [InlineData(8, 10.0, 8.0, 500, true)]
    [InlineData(8, 10.0, 9.9, 500, true)]
    [InlineData(8, 10.0, 10.0, 500, false)]
    [InlineData(8, 30.0, 14.0, 500, false)]
    [InlineData(8, 10.0, null, 20, false)]
    [InlineData(null, 10.0, 8.0, 20, false)]
    public void No_IsRememberedForItsEpisode(int? known, double? endedAt, double? startsAt, int now, bool remembers)
    {
        var incident = s_bare with { Alerts = [Known(known) with { Resolved = endedAt is not null, EndsAt = endedAt is { } ends ? At(ends) : null }] };

        Rejected(incident).Remembers(Message(startsAt), At(now)).ShouldBe(remembers);
        incident.Remembers(Message(startsAt), At(now)).ShouldBeFalse("nobody said no");
        Rejected(incident with { Alerts = [incident.Alerts[0] with { AskedNobody = true }] }).Remembers(Message(startsAt), At(now)).ShouldBeFalse("nobody was asked about it");
        Rejected(incident with { Alerts = [incident.Alerts[0] with { HandedTo = "another" }] }).Remembers(Message(startsAt), At(now)).ShouldBeFalse("it is decided elsewhere");
        Rejected(incident).Remembers(Message(startsAt, resolved: true), At(now)).ShouldBeFalse("it is over");
        Rejected(incident).Remembers(Message(startsAt) with { Fingerprint = "new" }, At(now)).ShouldBeFalse("it is another alert");
    }

    /// <summary>What was done is being taken back, which may wait for hours; alerts still reach the incident. Whoever said no at minute 10 did not mean those.</summary>
    [Theory]
    [InlineData(15, true, false)]
    [InlineData(8, true, true)]
    [InlineData(15, false, true)]
    public void EpisodeThatBeganAfterTheNo_IsNotMeantByIt(int startsAt, bool again, bool remembers)
    {
        var known = Known(startsAt) with { EarlierStarts = again ? [At(0)] : [] };

        Rejected(s_bare with { Alerts = [known] }).Remembers(Message(startsAt), At(20)).ShouldBe(remembers, "by the sender's clock");
        Rejected(s_bare with { Alerts = [known with { Alert = Message(startsAt), IsWhole = true }] }).BegunUnseen().Count.ShouldBe(remembers ? 0 : 1, "no other message of it may come");
        Rejected(s_bare with { Alerts = [known with { FirstAt = At(11) }] }).Remembers(Message(startsAt), At(20)).ShouldBeFalse("it came after it");
        Rejected(s_bare with { Alerts = [Known(10) with { FirstAt = At(10), EarlierStarts = [At(0)] }] }).Remembers(Message(10), At(20)).ShouldBeTrue("it was there when the no was said");
        Rejected(s_bare with { Alerts = [Known(null) with { FirstAt = At(11) }] }).Remembers(Message(null), At(20)).ShouldBeFalse();
    }

    [Fact]
    public void FiresOnAfterTheNo_IsCountedAndToldOnce()
    {
        var rejected = Rejected(Take(Message(0), Message(0) with { Fingerprint = "other" }));

        var told = rejected.AttachRemembered(Message(0), At(30));
        (told.AlertCount, told.UpdatedAt, told.Timeline[^1].What).ShouldBe((3, At(30), $"Slow still fires. It does not ask again: {rejected.SaidNo()!.Text}"));
        told.Alerts.Select(alert => (alert.Count, alert.LastAt, alert.ToldAfterNo)).ShouldBe([(2, At(30), true), (1, Some.Time, false)]);

        var counted = told.AttachRemembered(Message(0), At(31));
        (counted.AlertCount, counted.Timeline.Count).ShouldBe((4, told.Timeline.Count));
        rejected.AttachRemembered(Message(0) with { Fingerprint = "new" }, At(30)).ShouldBeSameAs(rejected);
        var open = Take(Message(0));
        open.AttachRemembered(Message(0), At(30)).ShouldBeSameAs(open);
    }

    [Fact]
    public void AnotherMessageOfAnOutage_IsOfTheSameNo()
    {
        var rejected = Rejected(Take(Outage("first")));

        rejected.Remembers(Outage("second"), At(500)).ShouldBeTrue();
        (rejected with { Alerts = [rejected.Alerts[0] with { HandedTo = "another" }] }).Remembers(Outage("second"), At(500)).ShouldBeFalse();
        rejected.AttachRemembered(Outage("second"), At(30)).Alerts.ShouldHaveSingleItem().Count.ShouldBe(2);
    }

    private static AttachedAlert Known(int? startsAt) => new("slow", "alertmanager", "Slow", 1, Some.Time, Some.Time, false) { StartsAt = startsAt is { } minutes ? At(minutes) : null };

    private static Alert Outage(string fingerprint) => Message(0) with
    {
        Source = "azure-monitor",
        Fingerprint = fingerprint,
        Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = "ABCD-123" },
    };

    private static Incident Take(params Alert[] alerts) => Take(s_bare, alerts);

    private static Incident Take(Incident incident, params Alert[] alerts) => alerts.Aggregate(incident, (taken, alert) => taken.Attach(alert, Some.Time));

    private static Incident Rejected(Incident incident) =>
        incident with { State = IncidentState.Rejected, Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "ada", "link", At(10), "Not now.")] }] };
}
