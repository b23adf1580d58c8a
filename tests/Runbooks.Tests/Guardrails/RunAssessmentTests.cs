using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

/// <summary>What an ended incident says about its fix.</summary>
public sealed class RunAssessmentTests
{
    [Theory]
    [InlineData(Phase.Mitigation, StepStatus.Done, false, RunOutcome.Unverified)]
    [InlineData(Phase.Mitigation, StepStatus.Done, true, null)]
    [InlineData(Phase.Mitigation, StepStatus.DryRun, false, null)]
    [InlineData(Phase.Resolution, StepStatus.Done, false, null)]
    public void Fix_IsWhatTheMitigationChanged(Phase phase, StepStatus status, bool tells, RunOutcome? outcome) =>
        (RunAssessment.Of(Ended(IncidentState.Resolved, [Step() with { Phase = phase, Status = status, Preparation = new() { PlannedEffect = "Do fix.", TellsOnly = tells } }]))?.Outcome).ShouldBe(outcome);

    /// <summary>People stopped it in its resolution: whether the fix helped is known all the same.</summary>
    [Theory]
    [InlineData(RunOutcome.Verified, false, Verdict.Passing)]
    [InlineData(null, true, Verdict.Passing)]
    [InlineData(null, false, Verdict.Passing, Verdict.Failing)]
    [InlineData(null, false)]
    public void FixThatHadPassed_WorkedWhateverEndedTheIncidentUnlessItWasTakenBack(RunOutcome? outcome, bool takenBack, params Verdict[] verdicts)
    {
        var steps = (StepRecord[])[Step(), Step() with { Name = "second", UndoneFrom = takenBack ? StepStatus.Done : null }];

        (RunAssessment.Of(Ended(IncidentState.Cancelled, steps, verdicts))?.Outcome).ShouldBe(outcome);
    }

    /// <summary>The host crashed in one of its steps: that the rest did not help says nothing.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, RunOutcome.Ineffective)]
    public void OneStepThatWasCutOff_SaysNothingAboutTheFix(bool cutOff, RunOutcome? outcome) =>
        (RunAssessment.Of(Ended(IncidentState.Failed, [Step(), Step() with { Name = "second", CutOff = cutOff }]))?.Outcome).ShouldBe(outcome);

    /// <summary>A call that timed out may have helped, also where it was taken back since.</summary>
    [Theory]
    [InlineData(StepStatus.Unknown, null, Phase.Mitigation, true)]
    [InlineData(StepStatus.Undone, StepStatus.Unknown, Phase.Mitigation, true)]
    [InlineData(StepStatus.Unknown, null, Phase.Resolution, false)]
    [InlineData(StepStatus.Undone, StepStatus.Done, Phase.Mitigation, false)]
    public void StepThatMayHaveHappenedOrNot_SaysNothingAboutTheFix(StepStatus status, StepStatus? undoneFrom, Phase phase, bool unknown)
    {
        var run = RunAssessment.Of(Ended(IncidentState.Failed, [Step(), Step() with { Name = "second", Phase = phase, Status = status, UndoneFrom = undoneFrom }])).ShouldNotBeNull();

        (run.Outcome, run.IsUnknown).ShouldBe(unknown ? (RunOutcome.Unverified, true) : (RunOutcome.Ineffective, false));
    }

    /// <summary>A clock that was set back makes no time that is less than none.</summary>
    [Theory]
    [InlineData(1, 3, 9)]
    [InlineData(20, 30, 0)]
    public void HowLongItTook_IsFromTheFirstOfItsSteps(int first, int second, int minutes) =>
        RunAssessment.Of(Ended(IncidentState.Resolved, [Step(first), Step(second) with { Name = "second" }]))!.Took.ShouldBe(TimeSpan.FromMinutes(minutes));

    [Theory]
    [InlineData("alertmanager", "vm-1", null)]
    [InlineData("azure-monitor", "vm-1", null)]
    [InlineData("alertmanager", "VM-1", null)]
    [InlineData("azure-monitor", "VM-1", "vm-1")]
    public void Target_IsKeptAsItIsComparedWhereThatIsAnotherForm(string source, string target, string? key)
    {
        var ended = Ended(IncidentState.Resolved, [Step()]);

        RunAssessment.Of(ended with { Target = target, Alert = ended.Alert with { Source = source } })!.TargetKey.ShouldBe(key);
    }

    private static Incident Ended(IncidentState state, StepRecord[] steps, params Verdict[] verdicts)
    {
        Finding[] before = [Answer("check-0", Verdict.Failing)];
        var acted = Given.Incident(Given.Runbook()) with { Findings = before, Steps = steps, State = IncidentState.Mitigating };
        var looked = verdicts.Length == 0 ? acted : acted.RecordVerification(IncidentState.Verifying, [.. verdicts.Select((verdict, i) => Answer($"check-{i}", verdict))], null, Given.Night.AddMinutes(5));
        return looked.End(state, "It ended.", Given.Night.AddMinutes(10));
    }

    private static Finding Answer(string name, Verdict verdict) => new(name, "Is it so?", new(verdict, "It is so."), Given.Night, TimeSpan.Zero);

    private static StepRecord Step(int minute = 0) => new()
    {
        Phase = Phase.Mitigation, Name = "fix", Action = "script.act", GateId = "mitigation-1", Status = StepStatus.Done,
        StartedAt = Given.Night.AddMinutes(minute), FinishedAt = Given.Night.AddMinutes(minute), Preparation = new() { PlannedEffect = "Do fix." },
    };
}
