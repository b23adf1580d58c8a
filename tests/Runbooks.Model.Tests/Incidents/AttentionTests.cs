using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Storage;

namespace Runbooks.Model.Tests.Incidents;

public sealed class AttentionTests
{
    private static readonly DateTimeOffset s_later = Some.Time.AddMinutes(5);

    [Theory]
    [InlineData(IncidentState.Failed, true)]
    [InlineData(IncidentState.Expired, true)]
    [InlineData(IncidentState.Resolved, false)]
    [InlineData(IncidentState.NotNeeded, false)]
    [InlineData(IncidentState.SelfRecovered, false)]
    [InlineData(IncidentState.Rejected, false)]
    [InlineData(IncidentState.TakenOver, false)]
    [InlineData(IncidentState.Cancelled, false)]
    public void End_NeedsAPersonWhenNobodyHasDecidedIt(IncidentState state, bool needed)
    {
        var ended = Ended(state);

        ended.NeedsPerson.ShouldBe(needed);
        ended.Attention.ShouldBe(needed ? new Attention(Some.Time, "So it ended. Nothing was done.") : null);
        ended.IsLeftToPeople.ShouldBe(needed || state == IncidentState.TakenOver);
    }

    [Fact]
    public void Acknowledged_NeedsNobodyAndSaysWhoSeesToIt()
    {
        var seen = Ended(IncidentState.Expired).Acknowledge("ada", "I look at the node", s_later);

        seen.NeedsPerson.ShouldBeFalse();
        seen.Attention.ShouldBe(new Attention(Some.Time, "So it ended. Nothing was done.") { AcknowledgedBy = "ada", AcknowledgedAt = s_later, Note = "I look at the node" });
        seen.Timeline[^1].ShouldSatisfyAllConditions(line => line.Who.ShouldBe("ada"), line => line.What.ShouldBe("ada acknowledged it: I look at the node"));
        seen.Acknowledge("ben", null, s_later).ShouldBeSameAs(seen);
    }

    [Fact]
    public void OpenIncident_CannotBeAcknowledged()
    {
        var waiting = Some.Waiting();

        waiting.Acknowledge("ada", null, s_later).ShouldBeSameAs(waiting);
    }

    [Fact]
    public void FailureThatIsClosedByHand_NeedsNobodyAndIsNoNo()
    {
        var closed = Ended(IncidentState.Failed).CloseByHand("ada", "restarted the node", s_later);

        closed.NeedsPerson.ShouldBeFalse();
        closed.CanBeClosedByHand().ShouldBeFalse();
        closed.SaidNo().ShouldBeNull("whether it is over is for the checks to say when it fires on");
        closed.Remembers(Some.Alert(), s_later).ShouldBeFalse();
    }

    [Fact]
    public void Acknowledged_AsksAgainWhenItFiresOn()
    {
        var seen = Ended(IncidentState.Failed).Acknowledge("ada", null, s_later);

        seen.Remembers(Some.Alert(), s_later).ShouldBeFalse();
        seen.CanBeClosedByHand().ShouldBeTrue();
    }

    [Fact]
    public void TriedAgain_NeedsNobodyAndNamesTheNextIncident()
    {
        var retried = Ended(IncidentState.Failed).NoteRetried("261123-0400-next0000", "ada", "the node is back", s_later);

        retried.NeedsPerson.ShouldBeFalse();
        retried.Timeline[^1].What.ShouldBe("ada had it tried again as incident 261123-0400-next0000: the node is back");
    }

    /// <summary>The workflow broke while a lease was held, or a step's outcome is unknown: nobody came to take it back, and it stays until somebody has.</summary>
    [Theory]
    [InlineData(IncidentState.Failed, StepStatus.Done, null, true)]
    [InlineData(IncidentState.Failed, StepStatus.Running, null, true)]
    [InlineData(IncidentState.Failed, StepStatus.Failed, null, true)]
    [InlineData(IncidentState.Failed, StepStatus.Undone, null, false)]
    [InlineData(IncidentState.Failed, StepStatus.DryRun, null, false)]
    [InlineData(IncidentState.Failed, StepStatus.Done, Phase.Mitigation, true)]
    [InlineData(IncidentState.Failed, StepStatus.Done, Phase.Resolution, false)]
    [InlineData(IncidentState.Resolved, StepStatus.Done, null, false)]
    [InlineData(IncidentState.Rejected, StepStatus.Done, null, false)]
    public void LeftBehind_IsListedUntilAPersonClosesIt(IncidentState state, StepStatus status, Phase? asked, bool listed)
    {
        var gate = asked is { } phase ? Some.Gate() with { Phase = phase } : null;
        var ended = (Some.Incident().WithChange(status) with { Gates = gate is null ? [] : [gate] }).End(state, "So it ended.", Some.Time);

        ChangeText.InPlace(ended).Count.ShouldBe(listed ? 1 : 0);
        var seen = ended.Acknowledge("ada", null, s_later);
        (seen.IsUnfinished, seen.CloseByHand("ada", "taken back", s_later).IsUnfinished).ShouldBe((listed, false));
    }

    /// <summary>Its plan told how things were before, such as "(now active)".</summary>
    [Fact]
    public void LeftOnPurpose_IsListedByWhatBecameOfIt()
    {
        var left = Some.Incident().WithChange(StepStatus.Kept);
        var ended = (left with { Steps = [left.Steps[0] with { Outcome = "Left it suspended; reactivate it by hand." }] }).End(IncidentState.Failed, "So it ended.", Some.Time);

        ChangeText.InPlace(ended).ShouldBe([$"{left.Steps[0].Name}: Left it suspended; reactivate it by hand."]);
    }

    [Theory]
    [InlineData(StepStatus.Done, "fix: It is so.")]
    [InlineData(StepStatus.Undone, "fix: undone. It is so.")]
    [InlineData(StepStatus.UndoFailed, "fix: not known to be undone. It is so.")]
    [InlineData(StepStatus.LeftAlone, "fix: NOT undone. It is so.")]
    public void LineOfAStep_SaysWhetherItsOutcomeIsOfUndoingIt(StepStatus status, string line) =>
        (Some.Incident().WithChange(status).Steps[0] with { Name = "fix", Outcome = "It is so." }).Line.ShouldBe(line);

    /// <summary>A store may go by the one or by the other, and the watch finds only what it lists.</summary>
    [Fact]
    public void Summary_IsUnfinishedWhereTheIncidentIs()
    {
        var failed = Ended(IncidentState.Failed);
        var closing = failed.CloseByHand("ada", "done", s_later).BeginClosing();
        var seen = failed.Acknowledge("ada", null, s_later).BeginShowing();
        (Incident Incident, bool IsUnfinished)[] known =
        [
            (Some.Waiting(), false), (Ended(IncidentState.Resolved), false), (failed, true), (Ended(IncidentState.TakenOver), true),
            (failed.Acknowledge("ada", null, s_later), false), (seen, true), (seen.FinishShowing(), false), (seen.CloseByHand("ada", "done", s_later), false), (closing, true), (closing.FinishClosing(), false),
            (Ended(IncidentState.Resolved) with { IsEndUnfinished = true }, true), (Some.Waiting() with { IsEndUnfinished = true }, false),
            (Some.Incident().WithChange(StepStatus.Kept).End(IncidentState.Failed, "So it ended.", Some.Time).Acknowledge("ada", null, s_later), true),
        ];

        known.Select(one => (one.Incident.IsUnfinished, IncidentSummary.Of(one.Incident).IsUnfinished)).ShouldBe(known.Select(one => (one.IsUnfinished, one.IsUnfinished)));
    }

    /// <summary>What is not told yet of a close is the watch's to do.</summary>
    [Fact]
    public void CloseThatIsBeingTold_LeavesNothingToPeople()
    {
        var closing = Ended(IncidentState.Failed).CloseByHand("ada", "done", s_later).BeginClosing();

        closing.LeavesWork.ShouldBeFalse();
        IncidentReport.LeftToDo(closing, s_later).ShouldBe(["ada closed it: done"]);
    }

    /// <summary>Also before the cards say so, and where what it changed is still in place.</summary>
    [Fact]
    public void WhoeverAcknowledgedIt_StandsInWhatIsLeft()
    {
        var seen = Ended(IncidentState.Failed).Acknowledge("ada", null, s_later);
        var changed = Some.Incident().WithChange(StepStatus.Kept).End(IncidentState.Failed, "So it ended.", Some.Time).Acknowledge("ada", null, s_later);

        foreach (var incident in new[] { seen, seen.BeginShowing(), changed, changed.BeginShowing() })
        {
            IncidentReport.LeftToDo(incident, s_later)[0].ShouldBe("ada sees to it.");
        }
    }

    private static Incident Ended(IncidentState state) => Some.Waiting().End(state, "So it ended.", Some.Time);
}
