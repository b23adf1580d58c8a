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

        done.FinishStep(done.Steps[0], StepStatus.Failed, new("It broke."), Some.Time).ShouldBeSameAs(done);

        var stuck = done.FinishStep(done.Steps[0], StepStatus.UndoFailed, new("It is locked."), Some.Time);
        var undone = stuck.FinishStep(stuck.Steps[0], StepStatus.Undone, new("Put back."), Some.Time);
        (undone.Steps[0].Status, undone.Steps[0].UndoneFrom, undone.Timeline[^1].Kind).ShouldBe((StepStatus.Undone, StepStatus.Done, TimelineKind.Undo));
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
}
