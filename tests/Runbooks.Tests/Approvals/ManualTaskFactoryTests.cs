using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Approvals;

/// <summary>What a question about work by hand says, and whom it asks.</summary>
public sealed class ManualTaskFactoryTests
{
    private static readonly DateTimeOffset s_now = Given.Night.AddMinutes(1);
    private static readonly Runbook s_asks = Given.Runbook();
    private static readonly Incident s_incident = Given.Incident(s_asks);
    private static readonly string[] s_hands = ["hands"];
    private static readonly string[] s_items = ["Power is off", "New card"];
    private static readonly object[] s_boss = [new { after = "30m", to = (string[])["boss"] }];

    [Fact]
    public void WorkByHand_IsAskedOfThoseWhomItsStepNames()
    {
        var gate = Task(undoes: false, new { instruction = $"Swap {new string('x', 400)}", who = s_hands, checklist = s_items, undo = "Put it back.", remindAfter = "20m", escalate = s_boss });

        (gate.Id, gate.Phase, gate.Round, gate.Outcome, gate.Question.Length, gate.Fallback).ShouldBe(("mitigation-swap", Phase.Mitigation, 1, GateOutcome.Pending, 300, "ml.fallback"));
        gate.Approvers.ShouldBe(["hands"]);
        (gate.Task!.Step, gate.Task.Instruction.Length, gate.Task.Undo, gate.Task.Undoes).ShouldBe(("swap", 405, "Put it back.", false));
        gate.Task.Items.Select(item => item.Text).ShouldBe(["Power is off", "New card"]);
        gate.Plan.Steps.ShouldBeEmpty();
        gate.Plan.Hash.ShouldNotBe(Task(undoes: true, new { instruction = "Swap it.", who = s_hands, undo = "Put it back." }).Plan.Hash);
        (gate.OpenedAt, gate.ExpiresAt).ShouldBe((s_now, s_now.AddMinutes(60)));
        gate.Reminders.Select(reminder => (Minutes: (reminder.At - s_now).TotalMinutes, reminder.To.Count)).ShouldBe([(20, 0), (30, 1), (40, 0)]);
    }

    /// <summary>Whoever stops an incident wants what was done taken back all the more.</summary>
    [Theory]
    [InlineData(false, GateOutcome.Cancelled, "Swap it.", 2)]
    [InlineData(true, GateOutcome.Pending, "Take back what was done by hand: Put it back.", 0)]
    public void StoppedIncident_AsksForNothingButToTakeItBack(bool undoes, GateOutcome outcome, string question, int items)
    {
        var gate = Task(undoes, new { instruction = "Swap it.", who = s_hands, checklist = s_items, undo = "Put it back." }, stop: new("ada", "enough", s_now));

        (gate.Outcome, gate.Question, gate.Task!.Items.Count, gate.Task.Undoes).ShouldBe((outcome, question, items, undoes));
        (gate.ClosedBy, gate.ClosedAt).ShouldBe(undoes ? (null, null) : ("ada stopped the incident: enough", s_now));
    }

    /// <summary>Whoever could not do it is told that nothing is undone only where nothing was done.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void MessageBeforeIt_IsNothingThatWasDone(bool tells)
    {
        var before = new StepRecord { Phase = Phase.Mitigation, Name = "first", Action = "a", GateId = "g", StartedAt = s_now, Preparation = new() { PlannedEffect = "Do it.", TellsOnly = tells } };

        Task(undoes: false, new { instruction = "Swap it.", who = s_hands }, steps: before).IsBeforeFirstStep.ShouldBe(tells);
    }

    [Fact]
    public void StepThatCannotBeAsked_IsSaidToBeTheFault()
    {
        Should.Throw<InvalidOperationException>(() => ManualTaskFactory.Make(s_incident, s_asks, Phase.Mitigation, "none", undoes: false, s_now)).Message.ShouldBe("Runbook 'broken-thing' has no step 'none'.");
        Should.Throw<InvalidOperationException>(() => Task(undoes: false, new { who = s_hands })).Message.ShouldBe("Step 'swap': instruction: is missing. Write a text of at most 1000 characters.");
    }

    private static Gate Task(bool undoes, object with, StopRequest? stop = null, params StepRecord[] steps)
    {
        var runbook = s_asks with { Fallback = "ml.fallback", Mitigation = s_asks.Mitigation with { Steps = [Given.Step("swap", BuiltInSteps.Person, with) with { Timeout = TimeSpan.FromMinutes(60) }] } };
        return ManualTaskFactory.Make(s_incident with { Stop = stop, Steps = steps }, runbook, Phase.Mitigation, "swap", undoes, s_now);
    }
}
