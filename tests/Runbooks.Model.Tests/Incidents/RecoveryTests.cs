using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>The sender says that it is over before anything was done: what the checks make of that, and what people read of it. Times are minutes.</summary>
public sealed class RecoveryTests
{
    private static readonly Incident s_over = Some.Incident() with { AlertResolvedAt = At(1) };
    private static readonly Incident s_endedUnseen = Some.Incident().Attach(
        Some.Alert() with { Status = AlertStatus.Resolved, Annotations = new Dictionary<string, string> { ["grafana_state_reason"] = "MissingSeries" } }, At(1));
    private static readonly StepRecord s_step = new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = At(0) };
    private static readonly Recurrence s_flaps = new("alertmanager", "Slow", 3, At(0), At(2), [At(0), At(1), At(2)]);

    [Fact]
    public void Claim_IsOneUntilSomethingWasDone()
    {
        var byHand = Some.Gate() with { Task = new("fix", "Turn it.", [new("left")]) };

        (s_over.ClaimsRecovery, s_endedUnseen.ClaimsRecovery, Some.Incident().ClaimsRecovery).ShouldBe((true, true, false));
        (s_over with { Steps = [s_step] }).ClaimsRecovery.ShouldBeFalse();
        (s_over with { Gates = [Some.Gate(2), byHand] }).ClaimsRecovery.ShouldBeTrue("nobody has begun");
        (s_over with { Gates = [Some.Gate(2), byHand with { Task = new("fix", "Turn it.", [new("left", "ada", At(1))]) }] }).ClaimsRecovery.ShouldBeFalse();
    }

    [Theory]
    [InlineData(RecoveryAnswer.Confirmed, true, true)]
    [InlineData(RecoveryAnswer.NoChecks, true, false)]
    [InlineData(RecoveryAnswer.StillFailing, false, false)]
    [InlineData(RecoveryAnswer.Unclear, false, false)]
    public void Recovered_IsWhatTheChecksConfirmOrWhereThereAreNoneTheAllClear(RecoveryAnswer answer, bool afterAllClear, bool afterAnotherEnd)
    {
        Incident.RecoveredBeforeActing(s_over with { Recovery = new(At(1), At(2), answer) }).ShouldBe(afterAllClear);
        Incident.RecoveredBeforeActing(s_endedUnseen with { Recovery = new(At(1), At(2), answer) }).ShouldBe(afterAnotherEnd);
        Incident.RecoveredBeforeActing(s_over with { Recovery = new(At(0), At(2), answer) }).ShouldBeFalse("that was another claim");
        Incident.RecoveredBeforeActing(s_over with { Recovery = new(At(1), At(2), answer), Steps = [s_step] }).ShouldBeFalse("something was done");
    }

    /// <summary>It was quiet since minute 2, and is believed to be over at minute 17.</summary>
    [Fact]
    public void OneThatComesAndGoes_HasRecoveredOnceItWasQuiet()
    {
        var over = s_over with { Recovery = new(At(1), At(2), RecoveryAnswer.Confirmed) };
        var flaps = over with { Recurrences = [s_flaps] };

        Incident.RecoveredBeforeActing(over, At(2)).ShouldBeTrue();
        Incident.RecoveredBeforeActing(flaps, At(17).AddTicks(-1)).ShouldBeFalse();
        Incident.RecoveredBeforeActing(flaps, At(17)).ShouldBeTrue();
        Incident.RecoveredBeforeActing(s_over, At(17)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, RecoveryAnswer.NoChecks, null)]
    [InlineData(false, RecoveryAnswer.Confirmed, null, Verdict.Passing, Verdict.Passing)]
    [InlineData(false, RecoveryAnswer.StillFailing, "The sender says it is over; the checks still fail: check-1: failing (It is so.)", Verdict.Passing, Verdict.Failing)]
    [InlineData(false, RecoveryAnswer.Unclear, "The sender says it is over; not every check could be answered: check-1: unknown (It is so.)", Verdict.Passing, Verdict.Unknown)]
    [InlineData(true, RecoveryAnswer.NoChecks, "The sender ended it without an all-clear (MissingSeries); this runbook has no checks that could say whether it is over.")]
    [InlineData(true, RecoveryAnswer.Confirmed, null, Verdict.Passing)]
    [InlineData(true, RecoveryAnswer.StillFailing, "The sender ended it without an all-clear (MissingSeries); the checks still fail: check-0: failing (It is so.)", Verdict.Failing)]
    public void AnswersToAClaim_AreToldWhereTheyDoNotBearItOut(bool unseen, RecoveryAnswer answer, string? told, params Verdict[] verdicts)
    {
        var claimed = unseen ? s_endedUnseen : s_over;

        var recorded = Record(claimed, verdicts);

        (recorded.Recovery, recorded.UpdatedAt).ShouldBe((new(At(1), At(2), answer), At(2)));
        RecoveryNews(recorded).ShouldBe(told);
        (told is null || (recorded.Timeline[^1].Who, recorded.Timeline[^1].What) == ("runbook", told)).ShouldBeTrue();
        recorded.VerificationRounds.Count.ShouldBe(verdicts.Length == 0 ? 0 : 1);
        RecoveryNews(Record(recorded, Verdict.Passing)).ShouldBeNull("what no longer holds is shown no longer");
        RecoveryNews(Record(claimed with { Recurrences = [s_flaps] }, verdicts)).ShouldBeNull("it would be said and taken back each time");
    }

    [Fact]
    public void AnswersToWhatIsNoClaimAnyMore_AreNotRecorded()
    {
        foreach (var incident in new[] { Some.Incident(), s_over with { AlertResolvedAt = At(2) }, s_over with { State = IncidentState.Cancelled }, s_over with { Steps = [s_step] } })
        {
            Record(incident, Verdict.Passing).ShouldBeSameAs(incident);
        }
    }

    [Fact]
    public void Reason_SaysWhoseWordItIsAndHowFarPeopleHadCome()
    {
        var (asked, byHand) = (Some.Gate(), Some.Gate() with { Task = new("fix", "Turn it.", []) });
        var approved = asked with { Outcome = GateOutcome.Approved };
        var byAda = approved with { Decisions = [new(DecisionVerb.Approve, "ada", "link", At(0))] };

        Reason(s_over).ShouldBe("The alert was resolved before anybody was asked, and the checks no longer call for the mitigation.");
        Reason(s_over, asked).ShouldBe("The alert was resolved before the steps were approved, and the checks no longer call for the mitigation.");
        Reason(s_over, byHand).ShouldBe("The alert was resolved before the work by hand was done, and the checks no longer call for the mitigation.");
        Reason(s_over, approved).ShouldBe("The alert was resolved before anything was done, and the checks no longer call for the mitigation.");
        Reason(s_over, byAda, byHand with { Outcome = GateOutcome.Approved }).ShouldBe("It was approved and then not needed: the alert was resolved before anything was done, and the checks no longer call for the mitigation.");
        Reason(s_endedUnseen).ShouldBe("The sender ended the alert without an all-clear (MissingSeries) before anybody was asked, and the checks no longer call for the mitigation.");
        Reason(s_over with { Recovery = new(At(1), At(2), RecoveryAnswer.NoChecks) }).ShouldBe("The alert was resolved before anybody was asked. The sender says so; this runbook has no checks that could confirm it.");
        Reason(s_over with { Recurrences = [s_flaps] }).ShouldEndWith("call for the mitigation. Slow: 3 times since 03:12 UTC.");
        Reason(s_over with { Recurrences = [s_flaps with { Starts = [At(0), At(2)] }] }).ShouldEndWith("call for the mitigation.");

        static string Reason(Incident incident, params Gate[] gates) => Incident.RecoveryReason(incident with { Gates = gates });
    }

    [Fact]
    public void EndedForSeveralReasons_NamesEachOnce()
    {
        var ended = s_endedUnseen with { Alerts = [s_endedUnseen.Alerts[0], s_endedUnseen.Alerts[0] with { Name = "More" }, s_endedUnseen.Alerts[0] with { EndedBecause = "NoData" }] };

        Incident.RecoveryReason(ended).ShouldStartWith("The sender ended the alert without an all-clear (MissingSeries, NoData) before");
    }

    [Fact]
    public void News_IsToldOnceAndTheLastOfManyAreKept()
    {
        var told = s_over.AddNews("outage", "azure", "It began.", At(1));
        (told.Timeline[^1].Who, told.Timeline[^1].What, told.News.Single()).ShouldBe(("azure", "It began.", new("outage", At(1), "It began.")));

        var more = told.AddNews("other", "azure", "Another one.", At(2), urgent: true).AddNews("outage", "azure", "It goes on.", At(3));
        more.News.ShouldBe([new("outage", At(1), "It goes on."), new("other", At(2), "Another one.", Urgent: true)]);
        more.Timeline.Count.ShouldBe(told.Timeline.Count + 1);
        more.DropNews("outage").News.ShouldHaveSingleItem().Key.ShouldBe("other");
        more.DropNews("nothing").ShouldBeSameAs(more);

        Enumerable.Range(0, 12).Aggregate(s_over, (incident, n) => incident.AddNews($"n{n}", "azure", "More.", At(n))).News.Select(news => news.Key).ShouldBe(Enumerable.Range(2, 10).Select(n => $"n{n}"));
    }

    /// <summary>The cards that asked are drawn again when it changes.</summary>
    [Fact]
    public void MarkOfTheNews_ChangesWithWhatTheCardsHaveToSay()
    {
        var told = Some.Incident().AddNews("outage", "azure", "It began.", At(1));

        Some.Incident().NewsMark.ShouldBeNull();
        told.NewsMark.ShouldBe($"{At(1).UtcTicks}+1");
        told.AddNews("other", "azure", "More.", At(2)).NewsMark.ShouldBe($"{At(1).UtcTicks} {At(2).UtcTicks}+1");
        Some.Incident().Attach(Some.Alert("Other"), At(1)).NewsMark.ShouldBe("+2");
        (Some.Incident() with { Recurrences = [s_flaps, s_flaps with { Name = "Down", Times = 4 }] }).NewsMark.ShouldBe("+1+7");
    }

    /// <summary>At minute 2, of the claim of minute 1.</summary>
    private static Incident Record(Incident incident, params Verdict[] verdicts) => incident.RecordRecovery(
        At(1), Condition.AnyCheck, [.. verdicts.Select((verdict, n) => new Finding($"check-{n}", "Is it so?", new CheckResult(verdict, "It is so."), At(2), TimeSpan.Zero))], At(2));

    private static string? RecoveryNews(Incident incident) => incident.News.SingleOrDefault(news => news.Key == "recovery")?.Text;

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
