using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Intent first, one outcome, and what a person did by hand.</summary>
public sealed class StepRecordTests
{
    private static readonly StepSpec s_spec = new("fix", "script.act", default, TimeSpan.FromMinutes(5), StepRetry.Default);
    private static readonly Preparation s_preparation = new() { PlannedEffect = "Fix it.", Undo = "Put it back." };

    [Theory]
    [InlineData(Phase.Mitigation, IncidentState.Mitigating)]
    [InlineData(Phase.Resolution, IncidentState.Resolving)]
    public void StepThatBeginsOrWaits_SaysWhichPhaseItIs(Phase phase, IncidentState state)
    {
        Some.Incident().BeginStep(s_spec, phase, "mitigation-1", s_preparation, Some.Time).State.ShouldBe(state);
        Some.Incident().HoldStep("fix", phase, "the switch is on.", Some.Time, Some.Time).State.ShouldBe(state);
    }

    [Fact]
    public void StepThatRunsAfterAWait_WaitsNoMore()
    {
        var held = Some.Incident().HoldStep("fix", Phase.Mitigation, "a window is open.", Some.Time.AddDays(1), Some.Time);
        held.WaitsUntil.ShouldBe(Some.Time.AddDays(1));

        held.BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time).WaitsUntil.ShouldBeNull();
    }

    [Fact]
    public void TakingBack_IsSaidOnceWithWhatAndWhy()
    {
        var begun = Some.Incident().BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation with { UndoState = JsonSerializer.SerializeToElement(1) }, Some.Time);
        var undoing = begun.BeginUndo("The fix did not help.", Some.Time);

        (undoing.UndoBeganAt, undoing.Timeline[^1].What).ShouldBe((Some.Time, "Taking back fix: The fix did not help."));
        undoing.BeginUndo("It was stopped.", Some.Time).ShouldBeSameAs(undoing);
        Some.Incident().BeginUndo("It was stopped.", Some.Time).Timeline.Count.ShouldBe(Some.Incident().Timeline.Count, "nothing is to be taken back");
    }

    [Fact]
    public void StepThatWaits_IsSaidOnceForEachReason()
    {
        var held = Some.Incident().HoldStep("fix", Phase.Mitigation, "the switch is on.", Some.Time, Some.Time);
        held.Timeline[^1].What.ShouldBe("fix waits: the switch is on.");

        held.HoldStep("fix", Phase.Mitigation, "the switch is on.", Some.Time, Some.Time).Timeline.Count.ShouldBe(held.Timeline.Count);
        held.HoldStep("fix", Phase.Mitigation, "it is not its turn.", Some.Time, Some.Time).Timeline.Count.ShouldBe(held.Timeline.Count + 1);
    }

    [Fact]
    public void SecondOutcome_ChangesNothingAndOnlyUndoingComesAfterTheFirst()
    {
        var begun = Some.Incident().BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time);
        var done = begun.FinishStep(begun.Steps[0], StepStatus.Done, new("It worked."), Some.Time);
        (done.Steps[0].Status, done.Steps[0].UndoneFrom, done.Timeline[^1].Kind).ShouldBe((StepStatus.Done, null, TimelineKind.Step));
        (done.Timeline[^1].Who, done.Timeline[^1].What).ShouldBe(("runbook", "fix: It worked."));

        done.FinishStep(done.Steps[0], StepStatus.Failed, new("It broke."), Some.Time).ShouldBeSameAs(done);

        var stuck = done.FinishStep(done.Steps[0], StepStatus.UndoFailed, new("It is locked."), Some.Time);
        var undone = stuck.FinishStep(stuck.Steps[0], StepStatus.Undone, new("Put back."), Some.Time);
        (undone.Steps[0].Status, undone.Steps[0].UndoneFrom, undone.Timeline[^1].Kind).ShouldBe((StepStatus.Undone, StepStatus.Done, TimelineKind.Undo));
    }

    /// <summary>It was to be tried again, and somebody stopped the incident first: on an incident that has ended nothing runs.</summary>
    [Fact]
    public void StepThatBeganAndIsNotTriedAgain_HasAnOutcomeAtTheEndAndMayBeKnownLater()
    {
        var begun = Some.Incident().BeginStep(s_spec, Phase.Resolution, "mitigation-1", s_preparation, Some.Time);

        var ended = begun.End(IncidentState.Cancelled, "ada stopped the incident.", Some.Time.AddMinutes(1));

        (ended.Steps[0].Status, ended.Steps[0].FinishedAt, ended.Steps[0].Outcome).ShouldBe((StepStatus.Unknown, Some.Time.AddMinutes(1), "An attempt was cut off, and it is not tried again."));
        ended.Reason!.ShouldContain("Nobody knows whether fix happened.");
        ended.FinishStep(ended.Steps[0], StepStatus.Done, new("It worked."), Some.Time.AddMinutes(2)).OutcomesToTell.ShouldHaveSingleItem().Message.ShouldBe("fix is known now: It worked.");
    }

    [Fact]
    public void StepWhoseLastAttemptDidNothing_FailsAtTheEndAndIsNotUnknown()
    {
        var waits = Some.Incident()
            .BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time)
            .BreakOffStep(s_spec, Phase.Mitigation, attempt: 1, "Azure turned it away.", nothingDone: true, Some.Time);

        var ended = waits.End(IncidentState.Cancelled, "ada stopped the incident.", Some.Time.AddMinutes(1));

        (ended.Steps[0].Status, ended.Steps[0].NothingDone, ended.HasActed).ShouldBe((StepStatus.Failed, true, false));
        ended.Reason!.ShouldNotContain("Nobody knows");
    }

    /// <summary>Another process took it for cut off and ended the incident; it was at work all the same.</summary>
    [Fact]
    public void OutcomeOfAnAttemptThatWasTakenForCutOff_IsOnRecordAndToBeTold()
    {
        var begun = Some.Incident().BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time);
        var lost = begun.FinishStep(begun.Steps[0] with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off."), Some.Time);
        var ended = lost.End(IncidentState.Failed, "Nobody knows whether fix happened.", Some.Time);
        ended.FinishStep(ended.Steps[0], StepStatus.Unknown, new("It broke off."), Some.Time).ShouldBeSameAs(ended, "that is known no better");

        var known = ended.FinishStep(ended.Steps[0], StepStatus.Done, new("It worked."), Some.Time.AddMinutes(2));

        (known.Steps[0].Status, known.Steps[0].Outcome, known.Timeline[^1].What).ShouldBe((StepStatus.Done, "It worked.", "fix is known now: It worked."));
        known.Reason.ShouldStartWith("Nobody knows whether fix happened.");
        known.Reason.ShouldEndWith("fix is known now: It worked.");
        known.OutcomesToTell.ShouldHaveSingleItem().Message.ShouldBe("fix is known now: It worked.");
        (known.IsEndUnfinished, known.IsUnfinished).ShouldBe((true, true));
        known.FinishStep(known.Steps[0], StepStatus.Failed, new("It broke."), Some.Time).ShouldBeSameAs(known);

        // So it is where it came a moment before the end.
        var open = lost.FinishStep(lost.Steps[0], StepStatus.Done, new("It worked."), Some.Time);
        open.IsEndUnfinished.ShouldBeFalse();
        open.End(IncidentState.Failed, "Nobody knows whether fix happened.", Some.Time).IsEndUnfinished.ShouldBeTrue();
    }

    /// <summary>It may take five minutes: a machine that slept was not at work for longer. Times are minutes.</summary>
    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 5)]
    [InlineData(60, 5)]
    public void AttemptThatBreaksOff_WasAtWorkUntilThenAndNoLongerThanItMay(int after, int atWork)
    {
        var third = Begin(Begin(Begin(Some.Incident(), 0), 36), 40);
        (third.Steps[0].Attempts, third.Steps[0].StartedAt, third.Steps[0].AttemptedAt).ShouldBe((3, Some.Time, Some.Time.AddMinutes(40)));

        third.BreakOffStep(s_spec, Phase.Mitigation, 3, "no answer", nothingDone: false, Some.Time.AddMinutes(40 + after)).Steps[0].AttemptedAt.ShouldBe(Some.Time.AddMinutes(40 + atWork));
        Begin(Some.Incident(), 0).BreakOffStep(s_spec, Phase.Mitigation, 1, "no answer", nothingDone: false, Some.Time.AddMinutes(after)).Steps[0].AttemptedAt.ShouldBe(Some.Time.AddMinutes(atWork));
    }

    /// <summary>A step of the resolution may have the name of one of the mitigation.</summary>
    [Fact]
    public void AttemptOfOneStep_LeavesTheOthersAlone()
    {
        var other = s_spec with { Name = "other" };
        var all = Begin(Some.Incident(), 0).BeginStep(other, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time).BeginStep(s_spec, Phase.Resolution, "mitigation-1", s_preparation, Some.Time);

        var again = Begin(all, 1);

        again.Steps.Select(step => (step.Name, step.Phase, step.Attempts)).ShouldBe([("fix", Phase.Mitigation, 2), ("other", Phase.Mitigation, 1), ("fix", Phase.Resolution, 1)]);
        again.ForgetBegin(Phase.Mitigation, "fix", all.Steps[0]).Steps.ShouldBe(all.Steps);
    }

    [Fact]
    public void AttemptThatDidNothing_IsForgottenUnlessAnotherHasBegunOrItEnded()
    {
        var first = Begin(Some.Incident().BeginStep(s_spec with { Name = "other" }, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time), 0);
        first.ForgetBegin(Phase.Mitigation, "fix", null).Steps.ShouldHaveSingleItem().Name.ShouldBe("other");
        first.ForgetBegin(Phase.Mitigation, "fix", first.Steps[1]).ShouldBeSameAs(first);

        var second = Begin(first, 1);
        second.ForgetBegin(Phase.Mitigation, "fix", null).ShouldBeSameAs(second);
        var done = first.FinishStep(first.Steps[1], StepStatus.Done, new("It worked."), Some.Time);
        done.ForgetBegin(Phase.Mitigation, "fix", null).ShouldBeSameAs(done);
    }

    [Fact]
    public void UndoThatWaits_SaysWhyUntilTheEnd()
    {
        var acted = Begin(Some.Incident(), 0);

        var held = acted.HoldUndo("fix", "it is locked.", Some.Time.AddMinutes(5), Some.Time);

        (held.Reason, held.WaitsUntil, held.Timeline[^1].Who, held.Timeline[^1].What).ShouldBe(
            ("fix is not taken back yet: it is locked.", Some.Time.AddMinutes(5), "runbook", "fix is not taken back yet: it is locked."));
        var ended = acted with { State = IncidentState.Failed };
        ended.HoldUndo("fix", "it is locked.", Some.Time, Some.Time).ShouldBeSameAs(ended);
    }

    [Theory]
    [InlineData(GateOutcome.Approved, false, StepStatus.Done, "Turn it back.", false)]
    [InlineData(GateOutcome.Rejected, false, StepStatus.Failed, null, true)]
    [InlineData(GateOutcome.Rejected, true, StepStatus.Failed, "Turn it back.", false)]
    [InlineData(GateOutcome.Expired, false, StepStatus.Unknown, null, false)]
    public void DoneByHand_IsTakenBackOnlyWhereSomebodyBegan(GateOutcome outcome, bool begun, StepStatus status, string? undo, bool tellsOnly)
    {
        var asked = Some.Gate() with
        {
            Outcome = outcome,
            ClosedAt = Some.Time,
            Task = new("fix", "Turn the key.", [new("left", begun ? "grace" : null, begun ? Some.Time : null), new("right")], "Turn it back."),
            Decisions = outcome == GateOutcome.Expired ? [] : [new(outcome == GateOutcome.Approved ? DecisionVerb.Approve : DecisionVerb.Reject, "ada", "link", Some.Time, "It is stuck.")],
        };

        var step = Some.Incident().RecordManualStep(s_spec, "mitigation-1", asked, Some.Time).Steps.ShouldHaveSingleItem();

        (step.Status, step.Preparation.Undo, step.Preparation.UndoState?.ValueKind, step.Preparation.TellsOnly)
            .ShouldBe((status, undo, undo is null ? null : (JsonValueKind?)JsonValueKind.String, tellsOnly));
        step.Outputs.ShouldBe(outcome == GateOutcome.Approved ? new Dictionary<string, string> { ["by"] = "ada" } : []);
    }

    private static Incident Begin(Incident incident, int minute) => incident.BeginStep(s_spec, Phase.Mitigation, "mitigation-1", s_preparation, Some.Time.AddMinutes(minute));
}
