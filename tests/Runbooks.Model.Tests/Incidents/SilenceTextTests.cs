using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>One line of silence never speaks for questions that end otherwise.</summary>
public sealed class SilenceTextTests
{
    [Fact]
    public void AlikeQuestions_ShareOneLine() =>
        SilenceText.Of([("Hung GPU", Some.Gate()), ("Hung GPU", Some.Gate())]).ShouldBe([GateText.Silence(Some.Gate())]);

    [Fact]
    public void EachRunbook_HasItsOwnTime()
    {
        var later = Some.Gate() with { ExpiresAt = Some.Time.AddMinutes(30) };

        SilenceText.Of([("Hung GPU", Some.Gate()), ("Full disk", later), ("Full disk", later with { ExpiresAt = Some.Time.AddMinutes(40) })]).ShouldBe(
        [
            "1 target of 'Hung GPU': At 03:32:00 UTC nothing is done and the incident is closed as expired.",
            "2 targets of 'Full disk', the first of them: At 03:42:00 UTC nothing is done and the incident is closed as expired.",
        ]);
    }

    [Fact]
    public void WhatRunsAllTheSame_StandsFirstWithItsRunbook()
    {
        var runs = Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible, ExpiresAt = Some.Time.AddMinutes(25), Plan = new Plan("plan-1", [Some.Step() with { Undo = "Give it back." }]) };

        var lines = SilenceText.Of([("Hung GPU", Some.Gate()), ("Hung GPU", Some.Gate()), ("Rate limited", runs)]);

        lines.Count.ShouldBe(2);
        lines[0].ShouldStartWith("1 target of 'Rate limited': At 03:37:00 UTC the steps run all the same");
        lines[1].ShouldStartWith("2 targets of 'Hung GPU': At 03:32:00 UTC nothing is done");
    }

    [Fact]
    public void LateNo_IsToldThatTheStepsRun()
    {
        var gate = Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible, Plan = new Plan("plan-1", [Some.Step() with { Undo = "Give it back." }]) };

        var (_, told) = Some.Waiting(gate: gate).Decide(gate.Id, new Decision(DecisionVerb.Reject, "ada", "link", gate.ExpiresAt.AddSeconds(1), null, gate.Plan.Hash), null);

        told.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        told.Message.ShouldStartWith("Your answer came too late and does not count. The time for an answer ended at 03:32:00 UTC: the steps run all the same");
        told.Message.ShouldEndWith("To stop it, stop the incident.");
    }

    [Fact]
    public void HalfApprovedQuestionThatExpired_SaysHowItEnded()
    {
        var ada = new Decision(DecisionVerb.Approve, "ada", "link", Some.Time.AddMinutes(3), null, null);
        var gate = Some.Gate() with { Required = 2, Decisions = [ada], Outcome = GateOutcome.Expired, ClosedAt = Some.Time.AddMinutes(20), ClosedBy = "Not enough." };

        gate.EndedUndecided.ShouldBeTrue();
        (gate with { ClosedAt = ada.At, Outcome = GateOutcome.Approved }).EndedUndecided.ShouldBeFalse();
        Some.Gate().EndedUndecided.ShouldBeFalse();
    }

    [Fact]
    public void WhatAYesAndANoMean_DependsOnTheQuestion()
    {
        GateText.WhatYesMeans(Some.Gate(), RunMode.Normal).ShouldBe("The steps run as shown, unless something stands against it by then.");
        GateText.WhatYesMeans(Some.Gate(), RunMode.DryRun).ShouldBe("The steps are rehearsed: nothing outside is touched.");
        GateText.WhatYesMeans(Some.Gate() with { Required = 2 }, RunMode.Normal).ShouldBe("Your yes counts. 2 different people have to approve.");
        GateText.WhatNoMeans(Some.Gate()).ShouldBe("Nothing is done, and the incident ends.");
        GateText.WhatNoMeans(Some.Gate(round: 2)).ShouldBe("Nothing more is done, whatever was done before is undone, and the incident ends.");
        GateText.WhatNoMeans(Some.Gate() with { Phase = Phase.Resolution }).ShouldBe("The resolution does not run, and the incident ends.");
    }
}
