using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What is due on a question, and what is not yet.</summary>
public sealed class ApprovalScheduleTests
{
    private static readonly Gate s_gate = Some.Gate();

    /// <summary>Nobody could answer while the host was down.</summary>
    [Theory]
    [InlineData(2, OnTimeout.Abort, false)]
    [InlineData(3, OnTimeout.Abort, true)]
    [InlineData(3, OnTimeout.Escalate, true)]
    public void TimeThatWasUpWhileTheHostWasDown_IsGivenOnceMore(int minutesLate, OnTimeout onTimeout, bool again)
    {
        var gate = Some.Gate() with { OnTimeout = onTimeout };
        var late = gate.ExpiresAt.AddMinutes(minutesLate);

        var (asked, due) = Some.Advance(Some.Waiting(gate: gate), gate.Id, late);

        (asked.OpenGate?.ExpiresAt, due is not null).ShouldBe((again ? late + (gate.ExpiresAt - gate.OpenedAt) : null, again));
        if (again)
        {
            asked.OpenGate!.MessageKey.ShouldNotBe(gate.MessageKey, "it is asked again");
            Some.Advance(asked, gate.Id, asked.OpenGate.ExpiresAt.AddHours(onTimeout == OnTimeout.Abort ? 1 : 0)).Incident.FindGate(gate.Id)!.Outcome.ShouldBe(GateOutcome.Expired, "once");
        }
    }

    [Fact]
    public void NothingIsDueYet_NothingChanges()
    {
        var waiting = Some.Waiting(gate: s_gate with { Reminders = [new(Some.Time.AddMinutes(5), [])] });

        var (early, none) = Some.Advance(waiting, s_gate.Id, Some.Time.AddMinutes(5).AddTicks(-1));
        (early.Timeline.Count, early.OpenGate!.Asked, none).ShouldBe((waiting.Timeline.Count, 0, null));

        var (reminded, due) = Some.Advance(waiting, s_gate.Id, Some.Time.AddMinutes(5));
        (reminded.OpenGate!.Asked, reminded.OpenGate.Reminders.Count, due).ShouldBe((1, 0, CardKind.Reminder));
    }

    [Theory]
    [InlineData(false, GateOutcome.Cancelled)]
    [InlineData(true, GateOutcome.Pending)]
    public void Stopped_OnlyTakingBackIsStillAskedFor(bool undoes, GateOutcome outcome)
    {
        var waiting = Some.Waiting(gate: s_gate with { Task = new("fix", "Turn the key.", [], Undoes: undoes) }) with { Stop = new("ada", "enough", Some.Time) };

        Some.Advance(waiting, s_gate.Id, Some.Time).Incident.FindGate(s_gate.Id)!.Outcome.ShouldBe(outcome);
    }

    [Theory]
    [InlineData(0, 14, GateOutcome.Pending)]
    [InlineData(0, 15, GateOutcome.SelfRecovered)]
    [InlineData(10, 19, GateOutcome.Pending)]
    [InlineData(10, 20, GateOutcome.SelfRecovered)]
    public void ComesAndGoes_StandsUntilItIsQuietOrItsTimeIsUp(int lastAt, int minutes, GateOutcome outcome)
    {
        var flapping = Some.Waiting() with
        {
            AlertResolvedAt = Some.Time,
            Recovery = new(Some.Time, Some.Time, RecoveryAnswer.Confirmed),
            Recurrences = [new("alertmanager", "HighLatency_Cluster_B", 3, Some.Time, Some.Time.AddMinutes(lastAt), [Some.Time, Some.Time, Some.Time])],
        };

        Some.Advance(flapping, s_gate.Id, Some.Time.AddMinutes(minutes)).Incident.FindGate(s_gate.Id)!.Outcome.ShouldBe(outcome);
    }

    [Fact]
    public void TimeIsUp_EscalatesOnceAsAMessageOfItsOwn()
    {
        var (escalated, due) = Some.Advance(Some.Waiting(gate: s_gate with { OnTimeout = OnTimeout.Escalate }), s_gate.Id, s_gate.ExpiresAt);

        var gate = escalated.OpenGate.ShouldNotBeNull();
        (gate.Asked, gate.OnTimeout, gate.ExpiresAt, due).ShouldBe((1, OnTimeout.Abort, s_gate.ExpiresAt.AddMinutes(20), CardKind.Escalation));
        gate.Approvers.ShouldBe(["oncall", "fallback"]);
    }

    /// <summary>The host was down from before the escalation until long after the end.</summary>
    [Theory]
    [InlineData(OnTimeout.Abort, GateOutcome.Expired)]
    [InlineData(OnTimeout.Escalate, GateOutcome.Pending)]
    [InlineData(OnTimeout.ProceedIfReversible, GateOutcome.Expired)]
    public void TimeIsUpBeforeEverybodyWasAsked_TheyAreAskedFirstAndHaveTheirTime(OnTimeout onTimeout, GateOutcome outcome)
    {
        var (missed, later) = (Some.Time.AddMinutes(12), Some.Time.AddHours(6));
        var waiting = Some.Waiting(gate: s_gate with { OnTimeout = onTimeout, Reminders = [new(Some.Time.AddMinutes(5), []), new(missed, ["lead"]), new(missed.AddMinutes(1), ["boss"])] });

        var (asked, due) = Some.Advance(waiting, s_gate.Id, later);

        var gate = asked.OpenGate.ShouldNotBeNull();
        (due, gate.Asked, gate.ExpiresAt, Silence.Needed(gate)).ShouldBe((CardKind.Escalation, 1, later + (s_gate.ExpiresAt - missed), s_gate.ExpiresAt - s_gate.OpenedAt));
        gate.Approvers.ShouldBe(["oncall", "lead", "boss"]);
        gate.Reminders.ShouldBeEmpty();
        asked.Timeline[^2].What.ShouldStartWith("Its time was up before lead and boss had been asked. ");

        Some.Advance(asked, s_gate.Id, gate.ExpiresAt).Incident.FindGate(s_gate.Id)!.Outcome.ShouldBe(outcome);
    }

    /// <summary>Why it was not looked after is not known: the host was down, the store refused, or much else waited.</summary>
    [Fact]
    public void TimeThatWasUpLongBeforeItWasLookedAt_SaysNoMoreThanThat()
    {
        var late = s_gate.ExpiresAt.AddMinutes(30);

        var asked = Some.Advance(Some.Waiting(gate: s_gate), s_gate.Id, late).Incident;

        string Clock(DateTimeOffset at) => GateText.Clock(at, s_gate.OpenedAt);
        asked.Timeline[^1].What.ShouldBe($"Its time was up at {Clock(s_gate.ExpiresAt)}, and it was not looked at before {Clock(late)}. It is asked once more, until {Clock(asked.OpenGate!.ExpiresAt)}.");
    }

    [Theory]
    [InlineData(OnTimeout.Abort)]
    [InlineData(OnTimeout.Escalate)]
    public void TimeIsUpInAStormBeforeEverybodyWasAsked_TheyAreAskedFirst(OnTimeout onTimeout)
    {
        var later = Some.Time.AddHours(6);
        var waiting = Some.Waiting(gate: s_gate with { OnTimeout = onTimeout, Reminders = [new(Some.Time.AddMinutes(12), ["lead"])] });

        var gate = ApprovalSchedule.AskWithOthers(waiting, s_gate.Id, later.AddMinutes(1), later).OpenGate.ShouldNotBeNull();

        gate.Approvers.ShouldBe(["oncall", "lead"]);
        gate.ExpiresAt.ShouldBeGreaterThan(later);
    }

    /// <summary>Asked with others at minute 1, what is due by minute 20. At minute 20 its own time is up, and who was missed is asked first.</summary>
    [Theory]
    [InlineData(OnTimeout.Escalate, 1, 20, 1, "oncall, fallback")]
    [InlineData(OnTimeout.Escalate, 1, 19, 1, "oncall, lead")]
    [InlineData(OnTimeout.Abort, 1, 20, 1, "oncall, lead")]
    [InlineData(OnTimeout.Abort, 1, 9, 0, "oncall")]
    [InlineData(OnTimeout.Abort, 20, 30, 1, "oncall, lead")]
    public void InAStorm_WhatIsDueSoonIsAskedWithTheOthersAndNothingIsClosed(OnTimeout onTimeout, int now, int by, int asked, string approvers)
    {
        var waiting = Some.Waiting(gate: s_gate with { OnTimeout = onTimeout, Reminders = [new(Some.Time.AddMinutes(10), ["lead"])] });

        var gate = ApprovalSchedule.AskWithOthers(waiting, s_gate.Id, Some.Time.AddMinutes(by), Some.Time.AddMinutes(now)).OpenGate.ShouldNotBeNull();

        (gate.Asked, string.Join(", ", gate.Approvers)).ShouldBe((asked, approvers));
    }

    [Fact]
    public void InAStorm_RemindersGoAndEscalationsStay()
    {
        var waiting = Some.Waiting(gate: s_gate with { Reminders = [new(Some.Time.AddMinutes(5), []), new(Some.Time.AddMinutes(9), ["lead"])] });

        ApprovalSchedule.RemindNoMore(waiting, s_gate.Id).OpenGate!.Reminders.ShouldHaveSingleItem().To.ShouldBe(["lead"]);
    }

    [Fact]
    public void InAStorm_WhoWasNotReachedAndWhatAWindowHoldsBackIsStillAskedAgain()
    {
        var (soon, end) = (Some.Time.AddMinutes(1), Some.Time.AddMinutes(15));
        var waiting = Some.Waiting(gate: s_gate with { Reminders = [new(soon, []), new(Some.Time.AddMinutes(5), []), new(Some.Time.AddMinutes(9), [])] });
        var tried = ApprovalSchedule.AskAgain(waiting, s_gate.Id, Some.Time).NoteHeldBack(s_gate.Id, "ada", "A window is open.", end, Some.Time);
        ApprovalSchedule.RemindNoMore(tried, s_gate.Id).OpenGate!.Reminders.ShouldHaveSingleItem().At.ShouldBe(end);

        ApprovalSchedule.RemindNoMore(ApprovalSchedule.AskAgain(waiting, s_gate.Id, Some.Time), s_gate.Id).OpenGate!.Reminders.ShouldHaveSingleItem().At.ShouldBe(soon);
    }

    /// <summary>Whoever was asked as well could only wait, too.</summary>
    [Theory]
    [InlineData(2, 10, 68)]
    [InlineData(2, 40, 75)]
    [InlineData(9, 5, 60)]
    [InlineData(2, 61, 61)]
    public void HeldBackByAWindow_EscalatesAfterItsEnd(int answered, int escalates, int asked)
    {
        var waiting = Some.Waiting(gate: s_gate with { Reminders = [new(Some.Time.AddMinutes(escalates), ["lead"])] });

        var gate = waiting.NoteHeldBack(s_gate.Id, "ada", "A window is open.", Some.Time.AddMinutes(60), Some.Time.AddMinutes(answered)).OpenGate!;

        gate.Reminders.Single(reminder => reminder.To.Count > 0).At.ShouldBe(Some.Time.AddMinutes(asked));
        gate.ExpiresAt.ShouldBe(Some.Time.AddMinutes(90));
        (gate.IsHeldBack(Some.Time.AddMinutes(59)), gate.IsHeldBack(Some.Time.AddMinutes(60))).ShouldBe((true, false));
    }

    /// <summary>It never falls silent, however long it is open.</summary>
    [Theory]
    [InlineData(5, 180, 13)]
    [InlineData(60, 7 * 24 * 60, 16)]
    [InlineData(5, 20, 3)]
    public void Reminders_BecomeRarerAndGoOnToTheEnd(int every, int timeout, int count)
    {
        var reminders = Reminder.Of(TimeSpan.FromMinutes(every), [], TimeSpan.FromMinutes(timeout), Some.Time);

        reminders.Count.ShouldBe(count);
        (Some.Time.AddMinutes(timeout) - reminders[^1].At).ShouldBeLessThanOrEqualTo((reminders[^1].At - Some.Time) * 2);
    }

    [Fact]
    public void InAStorm_MessageWaitsForAQuarterOfTheTimeSinceItWasAskedLast()
    {
        ApprovalSchedule.ToldBy(s_gate).ShouldBe(Some.Time.AddMinutes(5));
        ApprovalSchedule.ToldBy(s_gate with { AskedAt = Some.Time.AddMinutes(4) }).ShouldBe(Some.Time.AddMinutes(9));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 4)]
    [InlineData(9, 16)]
    public void ReachedNobody_IsAskedAgainEverMoreRarely(int asked, int minutes)
    {
        var waiting = Some.Waiting(gate: s_gate with { Asked = asked, Reminders = [new(Some.Time.AddMinutes(minutes).AddTicks(1), ["lead"])] });

        var reminders = ApprovalSchedule.AskAgain(waiting, s_gate.Id, Some.Time).OpenGate!.Reminders;

        (reminders.Count, reminders[0].At, reminders[0].To.Count).ShouldBe((2, Some.Time.AddMinutes(minutes), 0));
    }

    [Fact]
    public void ReachedNobodyAndIsAskedBySoonAnyway_IsNotAskedTwice()
    {
        var waiting = Some.Waiting(gate: s_gate with { Reminders = [new(Some.Time.AddMinutes(1), [])] });

        ApprovalSchedule.AskAgain(waiting, s_gate.Id, Some.Time).OpenGate!.Reminders.ShouldHaveSingleItem().At.ShouldBe(Some.Time.AddMinutes(1));
    }
}
