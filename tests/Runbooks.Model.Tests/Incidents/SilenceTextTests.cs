using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>One line of silence never speaks for questions that end otherwise.</summary>
public sealed class SilenceTextTests
{
    [Fact]
    public void AlikeQuestions_ShareOneLine() =>
        SilenceText.Of([("Hung GPU", Some.Gate()), ("Hung GPU", Some.Gate())]).ShouldBe([$"2 targets: {GateText.Silence(Some.Gate())}"]);

    [Fact]
    public void OneQuestion_SpeaksForItself() => SilenceText.Of([("Hung GPU", Some.Gate())]).ShouldBe([GateText.Silence(Some.Gate())]);

    /// <summary>The usual storm: one runbook, and targets that opened at different seconds.</summary>
    [Fact]
    public void AlikeQuestionsOfOtherTimes_AreToldTheFirstOfThem() =>
        SilenceText.Of([("Hung GPU", Some.Gate() with { ExpiresAt = Some.Time.AddMinutes(24) }), ("Hung GPU", Some.Gate())])
            .ShouldBe(["2 targets, the first of them: At 03:32:00 UTC nothing is done and the incident is closed as expired."]);

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
    public void WhatGoesAheadWithoutAnAnswer_StandsFirstWithItsRunbook()
    {
        var runs = Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible, ExpiresAt = Some.Time.AddMinutes(25), Plan = new Plan("plan-1", [Some.Step() with { Undo = "Give it back." }]) };

        var lines = SilenceText.Of([("Hung GPU", Some.Gate()), ("Hung GPU", Some.Gate()), ("Rate limited", runs)]);

        lines.Count.ShouldBe(2);
        lines[0].ShouldStartWith("1 target of 'Rate limited': At 03:37:00 UTC it goes ahead without an answer");
        lines[1].ShouldStartWith("2 targets of 'Hung GPU': At 03:32:00 UTC nothing is done");
    }

    [Fact]
    public void LateYes_IsToldThatItGoesAhead()
    {
        var gate = Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible, Plan = new Plan("plan-1", [Some.Step() with { Undo = "Give it back." }]) };

        var (_, told) = Some.Waiting(gate: gate).Decide(gate.Id, new Decision(DecisionVerb.Approve, "ada", "link", gate.ExpiresAt.AddSeconds(1), null, gate.Plan.Hash), null);

        told.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        told.Message.ShouldStartWith("Your answer came too late and does not count. The time for an answer ended at 03:32:00 UTC: it goes ahead without an answer");
        told.Message.ShouldEndWith("To stop it, stop the incident.");
    }

    /// <summary>On a phone the title is all there is.</summary>
    [Fact]
    public void QuestionThatNobodyApproved_IsNotTitledAsApproved()
    {
        var gone = Some.Gate() with { Outcome = GateOutcome.Approved };

        GateText.Brief(gone).ShouldBe("Goes ahead without an answer");
        GateText.Brief(gone with { Decisions = [new Decision(DecisionVerb.Approve, "ada", "link", Some.Time, null, null)] }).ShouldBe("Approved");
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
        GateText.WhatYesMeans(Some.Gate(), RunMode.Normal).ShouldBe("The steps run as shown, unless something stops them first.");
        GateText.WhatYesMeans(Some.Gate(), RunMode.DryRun).ShouldBe("The steps are rehearsed: nothing outside is touched.");
        GateText.WhatNoMeans(Some.Gate(), Some.Waiting()).ShouldBe("Nothing is done, and the incident ends. This firing of the alert asks again only if it becomes more severe.");
        GateText.WhatNoMeans(Some.Gate(round: 2), Some.Waiting()).ShouldBe("Nothing more is done, whatever was done before is undone where it can be, and the incident ends. This firing of the alert asks again only if it becomes more severe.");
        GateText.WithoutApproval(Some.Gate(round: 2) with { IsBeforeFirstStep = true }).ShouldBe("nothing is done");
        GateText.WithoutApproval(Some.Gate(round: 2) with { Phase = Phase.Resolution }).ShouldBe("nothing more of the resolution runs");
        GateText.WithoutApproval(Some.Gate(round: 2) with { Phase = Phase.Resolution, IsBeforeFirstStep = true }).ShouldBe("the resolution does not run");
        ManualTaskText.Without(Some.Gate() with { Task = new ManualTask("inspect", "Look.", []), IsBeforeFirstStep = true }).ShouldBe("the steps after it do not run");
        ManualTaskText.Without(Some.Gate() with { Task = new ManualTask("inspect", "Look.", []) }).ShouldBe("the steps after it do not run, what was done before it is undone where it can be");
        GateText.WhatNoMeans(Some.Gate() with { Phase = Phase.Resolution }, Some.Waiting()).ShouldBe("The resolution does not run, and the incident ends. This firing of the alert asks again only if it becomes more severe.");
    }

    /// <summary>Nothing fires that could ask again.</summary>
    [Fact]
    public void IncidentStartedByHand_IsNotSaidToHaveAnAlert()
    {
        var incident = Some.Waiting() with { Alert = Some.Waiting().Alert with { Source = "manual" } };

        GateText.WhatNoMeans(Some.Gate(), incident).ShouldBe("Nothing is done, and the incident ends.");
        StopText.Of(incident).ShouldBe("What can be taken back is taken back.");
        StopText.NoIsRemembered(incident).ShouldBeEmpty();
    }

    /// <summary>Who is asked already is asked no more than reminded.</summary>
    [Fact]
    public void WhoIsAskedAlready_IsNotSaidToBeAskedLater()
    {
        var gate = Some.Gate() with { Approvers = ["oncall", "Lead"], Reminders = [new(Some.Time.AddMinutes(5), ["lead"]), new(Some.Time.AddMinutes(10), ["oncall", "boss"])] };

        GateText.Silence(gate).ShouldStartWith("At 03:22:00 UTC boss is asked too. At 03:32:00 UTC ");
    }

    /// <summary>The first yes of several runs nothing, and the last one runs it.</summary>
    [Fact]
    public void WhatAYesMeansWhereOthersHaveToApproveToo_DependsOnWhatIsMissing()
    {
        var ada = new Decision(DecisionVerb.Approve, "ada", "link", Some.Time);
        var two = Some.Gate() with { Required = 2 };

        Of(two).ShouldBe(("Your yes counts, and then 1 more is needed.", "your yes counts, 1 more needed"));
        Of(two with { Required = 3, OwnerTeam = "ml" }).ShouldBe(("Your yes counts, and then 2 more are needed. Somebody from ml, which owns the runbook, has to be among those who approve.", "your yes counts, 2 more needed"));
        Of(two with { Decisions = [ada] }).ShouldBe(("Your yes is the last one needed. The steps run as shown, unless something stops them first.", "run 1 step"));
        Of(two with { Decisions = [ada], OwnerTeam = "ml" }).ShouldBe((
            "If you are in ml, which owns the runbook, your yes is enough. The steps run as shown, unless something stops them first. Otherwise somebody from ml is needed too.", "run 1 step if you are in ml, otherwise your yes counts"));
        Of(two with { Decisions = [ada with { OfOwner = true }], OwnerTeam = "ml" }).Button.ShouldBe("run 1 step");
        GateText.WhatYesMeans(two with { Decisions = [ada] }, RunMode.DryRun).ShouldBe("Your yes is the last one needed. The steps are rehearsed: nothing outside is touched.");

        static (string Means, string Button) Of(Gate gate) => (GateText.WhatYesMeans(gate, RunMode.Normal), GateText.ButtonForYes(gate, dryRun: false));
    }

    [Fact]
    public void ApprovalOfADryRun_IsSaidToRehearse()
    {
        var rehearsed = (Some.Waiting() with { Mode = RunMode.DryRun }).Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "api", Some.Time)).Result;

        rehearsed.Message.ShouldBe("You approved this at 03:12:00 UTC. The steps are rehearsed: nothing outside is touched.");
    }

    /// <summary>A task lasts for hours, and what was ticked the day before says so.</summary>
    [Fact]
    public void TickOfAnotherDay_IsShownWithItsDay()
    {
        var item = new TaskItem("Run the test.", "ada", Some.Time);

        ManualTaskText.Line(item, 1, Some.Time).ShouldBe("☑ 1. Run the test. (ada, 03:12:00 UTC)");
        ManualTaskText.Line(item, 1, Some.Time.AddHours(22)).ShouldBe("☑ 1. Run the test. (ada, 2026-11-23 03:12:00 UTC)");
    }

    /// <summary>Somebody did answer: with a part of it.</summary>
    [Fact]
    public void ChecklistThatWasBegun_IsNotSaidToBeUnanswered()
    {
        var task = new ManualTask("inspect", "Look at the node.", [new("Run the test.", "ada", Some.Time), new("Return it.")]);
        var gate = Some.Gate() with { Task = task, Outcome = GateOutcome.Expired };

        (GateText.Brief(gate), GateText.NotApproved(gate)).ShouldBe(("Not done in time", "Not all of it was said to be done in time"));
        EndingText.Headline(Some.Waiting(gate: gate) with { State = IncidentState.Expired }).ShouldBe("Not done in time");
        GateText.Brief(gate with { Task = task with { Items = [new("Run the test."), new("Return it.")] } }).ShouldBe("Nobody answered");
    }
}
