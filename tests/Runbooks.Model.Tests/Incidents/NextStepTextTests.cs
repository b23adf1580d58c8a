using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What a page tells people to do can be done.</summary>
public sealed class NextStepTextTests
{
    private static readonly Incident s_undoing = Some.Incident() with { State = IncidentState.Holding, UndoBeganAt = Some.Time, Steps = [Step(StepStatus.Done)] };

    [Fact]
    public void UndoThatWaitsForTheKillSwitch_SaysWhatHelps() => Of(s_undoing.HoldUndo("reroute", "The kill switch is on.", Some.Time.AddMinutes(30), Some.Time))
        .ShouldBe("Release the kill switch under Safety (role admin) if it is on, and within half an hour this is taken back: reroute. Or take it back by hand.");

    [Fact]
    public void UndoThatRuns_IsSaidToRun() => Of(s_undoing).ShouldBe("This is being taken back: reroute. Open the incident and look whether that comes to an end.");

    [Fact]
    public void WhatWasTakenBack_HoldsUpNoLaterQuestion() =>
        Of((s_undoing with { Steps = [Step(StepStatus.Undone)] }).AddGate(Some.Gate() with { Id = "resolution-1", Phase = Phase.Resolution }, Some.Time))
            .ShouldBe("Answer the question before 03:32:00 UTC: Recycle pod llm-b-0?");

    /// <summary>A take-over answers a question, and none is open.</summary>
    [Theory]
    [InlineData(IncidentState.Diagnosing)]
    [InlineData(IncidentState.Mitigating)]
    [InlineData(IncidentState.Verifying)]
    [InlineData(IncidentState.Resolving)]
    public void WhereNothingIsAsked_NobodyIsTakenOver(IncidentState state) =>
        Of(Some.Incident() with { State = state }).ShouldBe("Open the incident and look where it stands. Stop it if it should not go on by itself.");

    [Fact]
    public void WhatIsStopped_IsNotToBeStopped() =>
        Of((Some.Incident() with { State = IncidentState.Holding }).RequestStop(new("ada", "no", Some.Time))).ShouldBe("ada has asked for it to be stopped. Open the incident and look whether it comes to its end.");

    [Fact]
    public void WhatNobodyCanClose_IsNotToBeClosed()
    {
        var resolved = Some.Incident().End(IncidentState.Resolved, "", Some.Time, new() { SettleEvent = "settle-1", SettleFor = TimeSpan.FromHours(1) });

        resolved.CanBeClosedByHand().ShouldBeFalse();
        Of(resolved).ShouldBe("Look whether anything is left to do.");
        Of((s_undoing with { Steps = [Step(StepStatus.UndoFailed)], UndoBeganAt = null })).ShouldBe("Take back by hand what could not be undone: reroute.");
        Of((Some.Incident() with { Steps = [Step(StepStatus.UndoFailed)] }).End(IncidentState.Failed, "so", Some.Time)).ShouldBe($"Take back by hand what could not be undone: reroute. Then close the incident.{Acknowledge}");
    }

    /// <summary>What the old one left is there all the same, and nobody tries it again twice.</summary>
    [Theory]
    [InlineData(null, "Incident next tries it again.")]
    [InlineData(StepStatus.Kept, "Incident next tries it again. Decide what becomes of what was left on purpose: reroute.")]
    [InlineData(StepStatus.Unknown, "Look whether reroute happened: nobody knows. Then close the incident.")]
    [InlineData(StepStatus.UndoFailed, "Take back by hand what could not be undone: reroute. Then close the incident.")]
    public void WhatIsTriedAgain_IsNotToBeTriedAgain(StepStatus? left, string words) =>
        Of((Some.Incident() with { Steps = left is { } status ? [Step(status)] : [] }).End(IncidentState.Failed, "so", Some.Time).NoteRetried("next", "ada", "once more", Some.Time)).ShouldBe(words);

    [Fact]
    public void WorkThatNobodySaidWasDone_WasNotRefused()
    {
        var gate = Some.Gate() with { Task = new("inspect", "Look at the node.", []), Outcome = GateOutcome.Expired };

        Of(Some.Waiting(gate: gate).End(IncidentState.Expired, "so", Some.Time)).ShouldBe($"Nobody said in time that it was done, so what comes after it did not run. Look whether it was, then close the incident, or try it again.{Acknowledge}");
    }

    /// <summary>What is taken back by hand after the end of a question does not become the question.</summary>
    [Fact]
    public void WorkThatWasTakenBack_IsNotWhatWasAskedLast()
    {
        var undo = Some.Gate() with { Id = "mitigation-reroute-undo", Task = new("reroute", "Take it back.", [], null, Undoes: true), Outcome = GateOutcome.Approved };
        var work = Some.Gate() with { Phase = Phase.Resolution, Task = new("inspect", "Look at the node.", []), Outcome = GateOutcome.Rejected };

        Of(Some.Incident() with { State = IncidentState.Expired, Gates = [Some.Gate(round: 2) with { Outcome = GateOutcome.Expired }, undo] })
            .ShouldStartWith("It was not approved in time, so nothing more is done.");
        Of(Some.Waiting(gate: work).End(IncidentState.Failed, "so", Some.Time, new() { InResolution = true }) with { Gates = [work, undo] })
            .ShouldStartWith("'inspect' could not be done,");
    }

    /// <summary>What comes after a test that failed, such as giving the node back to its users, is not left to do.</summary>
    [Fact]
    public void WorkThatCouldNotBeDone_LeavesNothingToBeDoneBlindly()
    {
        var gate = Some.Gate() with { Phase = Phase.Resolution, Task = new("inspect", "Look at the node.", []), Outcome = GateOutcome.Rejected };

        Of(Some.Waiting(gate: gate).End(IncidentState.Failed, "so", Some.Time, new() { InResolution = true })).ShouldBe(
            "'inspect' could not be done, so what comes after it did not run. See why before you do any of that by hand: it may be wrong now. "
            + $"Then close the incident. Trying it again starts over with the checks.{Acknowledge}");
    }

    /// <summary>The fix is in place, and to do it again is not what is left.</summary>
    [Theory]
    [InlineData(IncidentState.Expired, "The resolution was not approved in time.")]
    [InlineData(IncidentState.Failed, "The resolution did not come to its end.")]
    public void ResolutionThatDidNotRun_IsWhatIsLeftToDo(IncidentState end, string says)
    {
        var gate = Some.Gate() with { Id = "resolution-1", Phase = Phase.Resolution, Outcome = GateOutcome.Expired };
        var ended = Some.Waiting(gate: gate).End(end, "so", Some.Time, new() { InResolution = true });

        Of(ended).ShouldBe($"{says} Do by hand what is left of it. Then close the incident. Trying it again starts over with the checks.{Acknowledge}");
        Of(ended.Acknowledge("ada", null, Some.Time)).ShouldBe($"{says} Do by hand what is left of it. Then close the incident. Trying it again starts over with the checks.");
    }

    /// <summary>What could not be found out is not known to be broken.</summary>
    [Theory]
    [InlineData(StepStatus.Done, true, "Look whether it is well: nothing shows whether the fix helped. If it is, close the incident; if not, fix it by hand or try it again.")]
    [InlineData(StepStatus.Undone, true, "Look whether it is well: nothing shows whether the fix helped. If it is, close the incident; if not, fix it by hand or try it again.")]
    [InlineData(StepStatus.Done, false, "Fix it by hand and close the incident, or try it again.")]
    [InlineData(null, true, "Fix it by hand and close the incident, or try it again.")]
    public void WhetherTheFixHelpedIsNotKnown_PeopleLookFirst(StepStatus? status, bool inconclusive, string words) =>
        Of((Some.Incident() with { Steps = status is { } how ? [Step(how)] : [] }).End(IncidentState.Failed, "so", Some.Time, new() { IsInconclusive = inconclusive })).ShouldBe($"{words}{Acknowledge}");

    private const string Acknowledge = " Acknowledge it first, so that others see that you are on it.";

    private static string Of(Incident incident) => NextStepText.Of(incident, Some.Time.AddMinutes(1));

    private static StepRecord Step(StepStatus status) => new()
    {
        Phase = Phase.Mitigation,
        Name = "reroute",
        Action = "trafficManager.reroute",
        GateId = "mitigation-1",
        Status = status,
        Preparation = new() { PlannedEffect = "Send the traffic away.", UndoState = JsonSerializer.SerializeToElement(1) },
        StartedAt = Some.Time,
    };
}
