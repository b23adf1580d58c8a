using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What a step rests on, how it ages, and what becomes of it when the checks are asked again. Times are minutes.</summary>
public sealed class GroundTests
{
    private static readonly Gate s_gate = Some.Gate();
    private static readonly Gate s_byHand = s_gate with { Id = Gate.IdOf(Phase.Mitigation, "fix", undoes: false), Round = 2, Task = new("fix", "Turn the key.", []), Difference = "Another key." };
    private static readonly StepRecord s_done = new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = s_gate.Id, Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = At(0), FinishedAt = At(10) };
    private static readonly StepRecord s_told = s_done with { Preparation = s_done.Preparation with { TellsOnly = true } };
    private static readonly Incident s_asked = Some.Waiting() with { Gates = [s_gate] };

    [Fact]
    public void Answers_AreGroundForHalfAnHour()
    {
        s_asked.IsGroundTooOld(Phase.Mitigation, s_gate, At(30)).ShouldBeFalse();
        s_asked.IsGroundTooOld(Phase.Mitigation, s_gate, At(30).AddTicks(1)).ShouldBeTrue();
        IsTooOld(s_asked with { Verification = [Finding("slow", Verdict.Passing, 10)] }, Phase.Resolution).ShouldBeFalse();
        IsTooOld(s_asked with { Verification = [Finding("slow", Verdict.Passing, 10)] }).ShouldBeTrue("those are of the mitigation");
    }

    [Fact]
    public void Ground_IsAsYoungAsTheLastLookOrWhatWeDidLast()
    {
        IsTooOld(s_asked with { ConfirmedAt = At(10) }).ShouldBeFalse();
        IsTooOld(s_asked with { Steps = [s_done] }).ShouldBeFalse();
        IsTooOld(s_asked with { Steps = [s_told] }).ShouldBeTrue("a message is no look");
        IsTooOld(s_asked with { Steps = [s_done], Gates = [s_gate, s_byHand] }).ShouldBeTrue("a person did it, and said so when they liked");
        IsTooOld(s_asked with { Steps = [s_done with { FinishedAt = null, AttemptedAt = At(10) }] }).ShouldBeFalse("it was at work then");
        IsTooOld(s_asked with { Steps = [s_done with { FinishedAt = null }] }).ShouldBeTrue("nobody was at it since it began");
    }

    [Fact]
    public void Approval_IsGroundOnlyWhereThereAreNoAnswers()
    {
        var approved = s_gate with { ClosedAt = At(10) };

        (s_asked with { Findings = [] }).IsGroundTooOld(Phase.Mitigation, approved, At(40)).ShouldBeFalse();
        (s_asked with { Findings = [] }).IsGroundTooOld(Phase.Mitigation, approved, At(41)).ShouldBeTrue();
        s_asked.IsGroundTooOld(Phase.Mitigation, approved, At(40)).ShouldBeTrue();
    }

    [Fact]
    public void ActedOnAnApproval_HasWhatWeDidOnIt()
    {
        s_asked.HasActedOn(s_gate).ShouldBeFalse();
        (s_asked with { Steps = [s_told with { Name = "tell" }, s_done] }).HasActedOn(s_gate).ShouldBeTrue();
        (s_asked with { Steps = [s_told] }).HasActedOn(s_gate).ShouldBeFalse();
        (s_asked with { Steps = [s_done with { GateId = "mitigation-2" }] }).HasActedOn(s_gate).ShouldBeFalse();
        (s_asked with { Steps = [s_done], Gates = [s_gate, s_byHand] }).HasActedOn(s_gate).ShouldBeFalse("a person did it");
        (s_asked with { Steps = [s_told] }).HasActed.ShouldBeFalse();
    }

    /// <summary>What the checks said once holds for every later attempt, and so does that people were asked anew.</summary>
    [Fact]
    public void Approval_LapsesByTheChecksOrByALaterQuestionAboutThePhase()
    {
        var first = s_gate with { Difference = "It was another one." };
        var second = Some.Gate(2) with { Difference = "Another pod." };
        var resolution = s_gate with { Id = Gate.IdOf(Phase.Resolution, 1), Phase = Phase.Resolution, Difference = "Another command." };
        var all = s_asked with { Gates = [first, s_byHand, second, resolution] };

        all.FindLapse(first, Phase.Mitigation).ShouldBe("Another pod.");
        all.FindLapse(first with { Lapsed = "The checks pass." }, Phase.Mitigation).ShouldBe("The checks pass.");
        all.FindLapse(first, Phase.Resolution).ShouldBe("Another command.");
        all.FindLapse(second, Phase.Mitigation).ShouldBeNull();
        all.FindLapse(resolution, Phase.Resolution).ShouldBeNull();
        (all with { Gates = [first, s_byHand] }).FindLapse(first, Phase.Mitigation).ShouldBeNull("work by hand is no question about the plan");
        (all with { Gates = [first, s_byHand, second] }).FindLapse(first, Phase.Resolution).ShouldBeNull();
    }

    [Fact]
    public void Confirmed_LeavesTheAnswersThatPeopleWereShown()
    {
        var confirmed = s_asked.Confirm([Finding("gpu-memory", Verdict.Failing, 40)], At(40));

        (confirmed.ConfirmedAt, confirmed.Timeline[^1].Who, confirmed.Timeline[^1].What).ShouldBe(
            (At(40), "runbook", "The answers of the checks were no longer fresh, so they were asked again: the reasons to act still hold. gpu-memory: failing (GPU memory is at 98 %.)"));
        confirmed.Findings.ShouldBe(s_asked.Findings);
        confirmed.VerificationRounds.ShouldHaveSingleItem().At.ShouldBe(At(40));
        var ended = s_asked with { State = IncidentState.Cancelled };
        ended.Confirm([], At(40)).ShouldBeSameAs(ended);
    }

    [Fact]
    public void FirstStep_NeedsAnswersOfTheLastMinute()
    {
        var late = At(1).AddTicks(1);

        s_asked.NeedsLookBeforeActing(At(1)).ShouldBeFalse();
        s_asked.NeedsLookBeforeActing(late).ShouldBeTrue();
        (s_asked with { ConfirmedAt = At(1) }).NeedsLookBeforeActing(late).ShouldBeFalse();
        (s_asked with { Mode = RunMode.DryRun }).NeedsLookBeforeActing(late).ShouldBeFalse();
        (s_asked with { Steps = [s_done] }).NeedsLookBeforeActing(late).ShouldBeFalse("it is not the first");
        (s_asked with { Findings = [], ConfirmedAt = At(0) }).NeedsLookBeforeActing(late).ShouldBeFalse("there is nothing to ask");
    }

    [Fact]
    public void RightBeforeTheFirstStep_WhatCameRightByItselfIsSaid()
    {
        var asked = s_asked with { Findings = [Finding("slow", Verdict.Failing), Finding("full", Verdict.Unknown), Finding("up", Verdict.Passing), Finding("hot", Verdict.Failing)] };
        Finding[] now = [Finding("slow", Verdict.Passing, 5), Finding("full", Verdict.Passing, 5), Finding("up", Verdict.Passing, 5), Finding("hot", Verdict.Failing, 5)];

        var looked = asked.RecordBeforeActing(now, At(5));

        (looked.Timeline[^1].Who, looked.Timeline[^1].What).ShouldBe(
            ("runbook", "This passed before the first step already, so the step is not credited with it. slow: passing (GPU memory is at 98 %.) full: passing (GPU memory is at 98 %.)"));
        looked.VerificationRounds.ShouldHaveSingleItem().At.ShouldBe(At(5));
        asked.RecordBeforeActing([now[2], now[3]], At(5)).Timeline.ShouldBe(asked.Timeline);
        var ended = asked with { State = IncidentState.Cancelled };
        ended.RecordBeforeActing(now, At(5)).ShouldBeSameAs(ended);
        var acted = asked with { Steps = [s_done] };
        acted.RecordBeforeActing(now, At(5)).ShouldBeSameAs(acted);
    }

    [Theory]
    [InlineData(true, "what the steps rely on does not pass")]
    [InlineData(false, "the reasons to act are not seen any more")]
    public void NoLongerSo_WhoeverIsAskedAnewSeesTheNewAnswers(bool stillCalls, string words)
    {
        var asked = s_asked with { Findings = [Finding("slow", Verdict.Failing, 2), Finding("up", Verdict.Passing, 1)] };

        var unsettled = asked.Unsettle(s_gate, Phase.Mitigation, "It passes now.", stillCalls, [Finding("slow", Verdict.Passing, 40)], At(40));

        (unsettled.Timeline[^1].Who, unsettled.Timeline[^1].What).ShouldBe(
            ("runbook", $"The answers of the checks were no longer fresh, so they were asked again: {words}. slow: passing (GPU memory is at 98 %.)"));
        (unsettled.FindGate(s_gate.Id)!.Lapsed, unsettled.ConfirmedAt).ShouldBe(("It passes now.", At(40)));
        unsettled.Findings.ShouldBe([Finding("slow", Verdict.Passing, 40), Finding("up", Verdict.Passing, 1)]);
        unsettled.VerificationRounds.Select(round => (round.State, round.At)).ShouldBe([(IncidentState.Diagnosing, At(1)), (IncidentState.AwaitingApproval, At(40))]);

        unsettled.Unsettle(s_gate, Phase.Mitigation, "Again.", stillCalls, [Finding("slow", Verdict.Failing, 80)], At(80)).VerificationRounds.Select(round => round.State)
            .ShouldBe([IncidentState.Diagnosing, IncidentState.AwaitingApproval, IncidentState.AwaitingApproval], "the first answers are there already");
        asked.Confirm([Finding("slow", Verdict.Failing, 30)], At(30)).Unsettle(s_gate, Phase.Mitigation, "It passes now.", stillCalls, [Finding("slow", Verdict.Passing, 70)], At(70)).VerificationRounds
            .Select(round => (round.State, round.At)).ShouldBe([(IncidentState.Diagnosing, At(1)), (IncidentState.AwaitingApproval, At(30)), (IncidentState.AwaitingApproval, At(70))], "they come first, however often they were confirmed");
        var ended = asked with { State = IncidentState.Cancelled };
        ended.Unsettle(s_gate, Phase.Mitigation, "It passes now.", stillCalls, [], At(40)).ShouldBeSameAs(ended);
    }

    [Fact]
    public void NoLongerSoBeforeTheResolution_TheAnswersAfterTheFixAreNew()
    {
        var verified = s_asked with { Verification = [Finding("slow", Verdict.Passing, 2), Finding("up", Verdict.Passing, 1)] };

        var unsettled = verified.Unsettle(s_gate, Phase.Resolution, "It fails now.", stillCalls: false, [Finding("slow", Verdict.Failing, 40)], At(40));

        unsettled.Verification.ShouldBe([Finding("slow", Verdict.Failing, 40), Finding("up", Verdict.Passing, 1)]);
        unsettled.Findings.ShouldBe(verified.Findings);
        unsettled.VerificationRounds.ShouldHaveSingleItem().State.ShouldBe(IncidentState.AwaitingApproval);
    }

    /// <summary>At minute 40.</summary>
    private static bool IsTooOld(Incident incident, Phase phase = Phase.Mitigation) => incident.IsGroundTooOld(phase, s_gate, At(40));

    private static Finding Finding(string name, Verdict verdict, int minute = 0) => new(name, "Is it so?", new CheckResult(verdict, "GPU memory is at 98 %."), At(minute), TimeSpan.Zero);

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
