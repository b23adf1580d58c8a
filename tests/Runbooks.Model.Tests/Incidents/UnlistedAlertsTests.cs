using Runbooks.Engine;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>More alerts on one target than the list has room for. The first is the one that opened the incident.</summary>
public sealed class UnlistedAlertsTests
{
    private const int Known = Incident.MaxListed + Incident.MaxUnlisted;

    [Fact]
    public void AsManyAsOnePostHolds_AreKnownAgainAndTakeLittleRoom()
    {
        var incident = With(Known);
        var json = DurableJson.Write(incident);
        var read = DurableJson.Read<Incident>(json)!;

        (incident.Alerts.Count, incident.Unlisted.Count, incident.HasUnknownAlerts).ShouldBe((Incident.MaxListed, Incident.MaxUnlisted, false));
        ((json.Length - DurableJson.Write(incident with { Unlisted = [] }).Length) / Incident.MaxUnlisted).ShouldBeLessThan(85);
        Enumerable.Range(0, Known).ShouldAllBe(i => read.Knows(Alert(i)));
        read.Unlisted.ShouldBe(incident.Unlisted);
    }

    [Fact]
    public void MoreThanThat_AreCountedAndSaidToBeUnknown()
    {
        var incident = With(Known + 2);

        (incident.AlertCount, incident.Unlisted.Count, incident.HasUnknownAlerts, incident.Knows(Alert(Known))).ShouldBe((Known + 2, Incident.MaxUnlisted, true, false));
        incident.UnlistedLines().ShouldBe(
        [
            "950 more alerts on this target are only counted; 950 of them still fire.",
            "Still more came than one record knows; whether those are over is not known.",
        ]);
    }

    /// <summary>Written by a version that knew only the number of messages.</summary>
    [Fact]
    public void OlderRecord_IsReadAndKnowsNoMoreThanItSays()
    {
        var older = DurableJson.Read<Incident>(DurableJson.Write(With(1) with { AlertCount = 2 }).Replace("\"unlisted\":[],", "", StringComparison.Ordinal))!;

        (older.Unlisted, older.HasUnknownAlerts).ShouldBe(([], true));
        (older.Attach(Over(0), Some.Time).AlertResolvedAt, older.Attach(Over(0), Some.Time).EndedUnseenAt).ShouldBe((null, Some.Time));
    }

    [Fact]
    public void AllAreOver_TheSenderHasSaidSo()
    {
        var firing = With(60);
        var last = Enumerable.Range(0, 59).Aggregate(firing, (incident, i) => incident.Attach(Over(i), Some.Time));

        last.AlertResolvedAt.ShouldBeNull();
        last.News.ShouldHaveSingleItem().Text.ShouldBe("The sender says that HighLatency_Cluster_B, for which this incident was opened, is over. Still firing on this target: 1 alert, only counted here.");

        var over = last.Attach(Over(59), Some.Time);

        (over.AlertResolvedAt, over.EndedUnseenAt, over.News.Count).ShouldBe((Some.Time, null, 0));
        over.UnlistedLines().ShouldBe(["10 more alerts on this target are only counted; none of them fires any more."]);
    }

    /// <summary>Whether what is not on record is over nobody can say: that is a question to the checks, and no all-clear.</summary>
    [Fact]
    public void AllOnRecordAreOverAndSomeAreNotOnRecord_TheChecksAreAsked()
    {
        var over = Enumerable.Range(0, Known).Aggregate(With(Known + 1), (incident, i) => incident.Attach(Over(i), Some.Time));

        (over.AlertResolvedAt, over.EndedUnseenAt, over.ClaimsRecovery).ShouldBe((null, Some.Time, true));
        over.RecordRecovery(Some.Time, new(Model.Definition.Quantifier.Any, []), [Some.Finding()], Some.Time).News.ShouldHaveSingleItem().Text
            .ShouldStartWith("The sender says that every alert on record is over, but more came than one record knows; the checks still fail: ");
    }

    [Fact]
    public void EndedWithoutAnAllClear_IsNone()
    {
        var last = Over(59) with { Annotations = new Dictionary<string, string> { ["grafana_state_reason"] = "MissingSeries" } };
        var over = Enumerable.Range(0, 59).Aggregate(With(60), (incident, i) => incident.Attach(Over(i), Some.Time)).Attach(last, Some.Time);

        (over.AlertResolvedAt, over.EndedUnseenAt).ShouldBe((null, Some.Time));
        over.Find(last)!.EndedBecause.ShouldBe("MissingSeries");
    }

    [Fact]
    public void ANo_HoldsForThemAndForTheirEpisodeOnly()
    {
        var rejected = Rejected(With(60));
        var later = Some.Time.AddMinutes(30);

        Enumerable.Range(0, 60).ShouldAllBe(i => rejected.Remembers(Alert(i), later));
        rejected.Remembers(Alert(60), later).ShouldBeFalse();
        rejected.Remembers(Alert(59) with { StartsAt = Some.Time.AddMinutes(20) }, later).ShouldBeFalse();
        rejected.Attach(Over(59), later).Remembers(Alert(59) with { StartsAt = Some.Time.AddMinutes(20) }, later).ShouldBeFalse();
        rejected.RefusedBy([Alert(59)]).ShouldBe([rejected.Id]);

        var told = rejected.AttachRemembered(Alert(58), later).AttachRemembered(Alert(59), later);
        told.Timeline.Count(line => line.What.Contains("still fires. It does not ask again", StringComparison.Ordinal)).ShouldBe(1);
        (told.AlertCount, told.HasUnknownAlerts).ShouldBe((62, false));
    }

    [Fact]
    public void OneOfThemFiresAndTheListedEndedWithoutAnAllClear_TheReasonIsNotWhy()
    {
        var resolved = With(60).End(IncidentState.Resolved, "", Some.Time, new() { SettleFor = TimeSpan.FromMinutes(30) });
        var ended = Enumerable.Range(0, Incident.MaxListed).Aggregate(
            resolved, (incident, i) => incident.Attach(Over(i) with { Annotations = new Dictionary<string, string> { ["grafana_state_reason"] = "MissingSeries" } }, Some.Time.AddMinutes(1)));

        ended.EndedUnseenBecause().ShouldBe("MissingSeries");
        var fires = ended.Attach(Alert(59), Some.Time.AddMinutes(2));
        (fires.FiresUnseen(), fires.EndedUnseenBecause()).ShouldBe((true, null));
    }

    /// <summary>It is listed where one that is over gives way. Where none does, it asks: nobody would look at it when the no holds no longer.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ANoToOneThatComesAndGoes_HoldsWhereTheListHasRoomForIt(bool hasRoom)
    {
        var flapping = new[] { 0, 2, 4 }.Aggregate(With(60) with { Recurrences = [] }, (incident, minute) =>
            incident.Attach(Over(59) with { StartsAt = null }, Some.Time.AddMinutes(minute)).Attach(Alert(59) with { StartsAt = Some.Time.AddMinutes(minute + 1) }, Some.Time.AddMinutes(minute + 1)));
        var rejected = Rejected(hasRoom ? flapping.Attach(Over(7), Some.Time.AddMinutes(6)) : flapping).Attach(Over(59) with { StartsAt = null }, Some.Time.AddMinutes(11));

        var folded = rejected.FoldRefused(Alert(59) with { StartsAt = Some.Time.AddMinutes(12) }, Some.Time.AddMinutes(12));

        (folded is not null, folded?.HoldsUnasked()).ShouldBe(hasRoom ? (true, true) : (false, null));
    }

    [Fact]
    public void AnotherNameInAFullList_TakesThePlaceOfOneOfMany()
    {
        var other = Alert(99) with { Name = "HeartbeatMissing-database", Summary = "the database is gone" };
        var incident = With(Incident.MaxListed).Attach(other, Some.Time);

        (incident.Alerts.Count, incident.Alerts[^1].Name, incident.Unlisted.Count).ShouldBe((Incident.MaxListed, other.Name, 1));
        incident.Timeline[^1].What.ShouldBe("Another alert on this target: HeartbeatMissing-database (critical): the database is gone.");
        incident.OtherLines().ShouldContain("HeartbeatMissing-database (critical): the database is gone. It still fires.");
        incident.OtherLines()[^1].ShouldBe("1 more alert on this target is only counted; it still fires.");
        incident.NewsMark.ShouldNotBe(With(Incident.MaxListed).NewsMark, "the cards have to say it");
    }

    [Fact]
    public void WhatIsWorse_TakesAPlaceAndStaysTheWorst()
    {
        var mild = Enumerable.Range(0, Incident.MaxListed).Select(i => Alert(i) with { Severity = "warning" }).ToList();
        var incident = mild.Skip(1).Aggregate(Some.Incident() with { Alert = mild[0] }, (known, alert) => known.Attach(alert, Some.Time));
        var worse = incident.Attach(Alert(99), Some.Time);

        (worse.Alerts[^1].Fingerprint, worse.WorstSeverity).ShouldBe((Alert(99).Fingerprint, "critical"));
    }

    /// <summary>What still fires is named, as soon as it says so and something that is over can give way.</summary>
    [Fact]
    public void OneThatFiresOn_IsListedWhenThereIsRoom()
    {
        var incident = With(51).Attach(Over(7), Some.Time).Attach(Alert(50), Some.Time);

        (incident.Alerts[^1].Fingerprint, incident.Unlisted.Count, incident.UnlistedFiring, incident.HasUnknownAlerts).ShouldBe((Alert(50).Fingerprint, 1, 0, false));
        incident.Find(Alert(7))!.Resolved.ShouldBeTrue();
    }

    [Fact]
    public void OpenerIsOverAndThenAnother_TheNewsNamesWhatStillFires()
    {
        var three = With(1).Attach(Alert(1) with { Name = "B" }, Some.Time).Attach(Alert(2) with { Name = "C" }, Some.Time).Attach(Over(0), Some.Time);
        three.News.ShouldHaveSingleItem().Text.ShouldEndWith("Still firing on this target: B (critical): Requests hang. C (critical): Requests hang.");

        three.Attach(Over(1) with { Name = "B" }, Some.Time).News.ShouldHaveSingleItem().Text.ShouldEndWith("Still firing on this target: C (critical): Requests hang.");
    }

    [Fact]
    public void OpenerIsOverAndManyAlikeFire_TheNewsCountsThem() =>
        With(5).Attach(Over(0), Some.Time).News.ShouldHaveSingleItem().Text.ShouldEndWith("Still firing on this target: HighLatency_Cluster_B (critical): Requests hang (4 alerts).");

    private static Incident With(int count) => Enumerable.Range(1, count - 1).Aggregate(
        Some.Incident() with { Alerts = [Some.Incident().Alerts[0] with { StartsAt = Some.Time.AddHours(-1) }] }, (incident, i) => incident.Attach(Alert(i), Some.Time));

    /// <summary>Number 0 is the one that opened it.</summary>
    private static Alert Alert(int i) => (i == 0 ? Some.Alert() : Some.Alert() with { Fingerprint = $"f-{i}", Labels = new Dictionary<string, string> { ["container"] = $"c-{i}" } })
        with { StartsAt = Some.Time.AddHours(-1) };

    private static Alert Over(int i) => Alert(i) with { Status = AlertStatus.Resolved };

    private static Incident Rejected(Incident incident) => incident with
    {
        State = IncidentState.Rejected,
        ClosedAt = Some.Time.AddMinutes(10),
        Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "ada", "page", Some.Time.AddMinutes(10), "planned work")] }],
    };
}
