using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>How an incident goes, from the outside: states, deeds and messages.</summary>
public sealed class IncidentStoryTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task FailingChecks_AskAPersonWithFindingsAndPlan()
    {
        var incident = await _world.OpenAsync(s_runbook);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.Findings.Select(finding => finding.Verdict).ShouldBe([Verdict.Failing, Verdict.Failing]);
        incident.OpenGate!.Plan.Steps.Select(step => step.PlannedEffect).ShouldBe(["Do fix.", "Do ticket."]);
        var (to, card) = _world.Notifier.Sent.ShouldHaveSingleItem();
        to.ShouldBe("oncall");
        card.Title.ShouldBe("Fix llm-b-0?");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task Approved_IsFixedVerifiedAndResolved()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
        incident.Steps.ShouldAllBe(step => step.Status == StepStatus.Done);
        _world.Notifier.To(CardKind.Closed).ShouldBe(["oncall"]);
        Incident.FindBreak(incident.Id, incident.Timeline).ShouldBeNull();
    }

    [Theory]
    [InlineData(DecisionVerb.Reject, IncidentState.Rejected)]
    [InlineData(DecisionVerb.TakeOver, IncidentState.TakenOver)]
    public async Task NoOrMine_EndsWithoutADeed(DecisionVerb verb, IncidentState expected)
    {
        var opened = await _world.OpenAsync(s_runbook);

        var (incident, _) = await _world.DecideAsync(opened.Id, verb);

        incident.State.ShouldBe(expected);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>Whoever takes over has their hands on it; whoever says no wants it as it was.</summary>
    [Theory]
    [InlineData(DecisionVerb.TakeOver, IncidentState.TakenOver, "do first")]
    [InlineData(DecisionVerb.Reject, IncidentState.Rejected, "do first, undo first")]
    public async Task NoOrMineOnceAStepHasRun_OnlyANoTakesItBack(DecisionVerb verb, IncidentState expected, string deeds)
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("first"), Given.Step("second")] } });
        _world.Script.OnDone = _ => _world.Script.Identities["second"] = "another";
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.OpenGate!.Id.ShouldBe("mitigation-2");

        var (incident, _) = await _world.DecideAsync(opened.Id, verb);

        incident.State.ShouldBe(expected);
        string.Join(", ", _world.Script.Deeds).ShouldBe(deeds);
    }

    /// <summary>The mitigation cannot give the alert a label that it has not.</summary>
    [Fact]
    public async Task StepOfTheResolutionCannotBeUsed_IsSaidWithTheQuestion()
    {
        var resolution = new Resolution { Steps = [Given.Step("back", "script.act", new { name = "{{ labels.nod }}" })] };

        var opened = await _world.OpenAsync(s_runbook with { Resolution = resolution });

        opened.OpenGate!.Warnings.ShouldHaveSingleItem().ShouldStartWith("The resolution cannot come to its end as things are. Step 'back': ");
        opened.OpenGate.Plan.Steps.Single(step => step.Name == "back").Deferred.ShouldBeFalse("no earlier step gives it");
    }

    [Fact]
    public async Task EveryCheckPasses_NothingIsDoneAndNobodyIsWoken()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.OpenAsync(s_runbook);

        incident.State.ShouldBe(IncidentState.NotNeeded);
        incident.Findings.Count.ShouldBe(2);
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyAnswers_RemindsEscalatesExpiresAndPages()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(9));
        _world.Notifier.To(CardKind.Reminder).ShouldBe(["oncall"]);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        _world.Notifier.To(CardKind.Escalation).ShouldBe(["oncall", "platform-lead"]);
        incident.OpenGate!.Approvers.ShouldBe(["oncall", "platform-lead"]);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        incident.State.ShouldBe(IncidentState.Expired);
        _world.Notifier.To(CardKind.Page).ShouldContain(ContactBook.Fallback);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyAnswersButEverythingCanBeUndone_Proceeds()
    {
        var runbook = s_runbook with
        {
            Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } },
            Resolution = new() { Steps = [Given.Step("say", "note", new { text = "Write the report." })] },
        };
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21));

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
        incident.Gates[0].ClosedBy.ShouldBe("Nobody answered in time; it goes ahead, since what the steps change can be undone.");
    }

    [Theory]
    [InlineData(Phase.Mitigation)]
    [InlineData(Phase.Resolution)]
    public async Task NobodyAnswersAndOneCoveredStepCannotBeUndone_Expires(Phase phase)
    {
        StepSpec[] steps = [Given.Step("fix"), Given.Step("rotate", "script.once")];
        var runbook = s_runbook with
        {
            Mitigation = s_runbook.Mitigation with
            {
                Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible },
                Steps = phase == Phase.Mitigation ? steps : [Given.Step("stop")],
            },
            Resolution = phase == Phase.Resolution ? new() { Steps = steps } : s_runbook.Resolution,
        };
        var opened = await _world.OpenAsync(runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyAnswersTheResolutionsOwnGateAndItCannotBeUndone_MitigationHoldsAndNothingMoreRuns()
    {
        var approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible };
        var runbook = s_runbook with { Resolution = new() { Approval = approval, Steps = [Given.Step("rotate", "script.once")] } };
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21));

        incident.State.ShouldBe(IncidentState.Expired);
        incident.Reason.ShouldStartWith("The fix was verified, but the resolution did not run:");
        _world.Script.Deeds.ShouldBe(["do fix"]);
        _world.Notifier.To(CardKind.Page).ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task NobodyAnswersAndTheRunbookEscalates_FallbackIsAskedForOneMoreTimeout()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.Escalate } } };
        var opened = await _world.OpenAsync(runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21));
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Approvers.ShouldContain(ContactBook.Fallback);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));
        incident.State.ShouldBe(IncidentState.Expired);
    }

    [Fact]
    public async Task AlertResolvedBeforeAnAnswerAndTheChecksAgree_ClosesAsSelfRecovered()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.ResolveAlertAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        incident.Gates[0].Outcome.ShouldBe(GateOutcome.SelfRecovered);
        var (_, late) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        late.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task StoppedWhileWaiting_IsCancelled()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.StopAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason.ShouldBe("alice stopped the incident: wrong alarm. Nothing was done.");
    }

    [Fact]
    public async Task LostWakeUp_OnlyDelaysTheDecision()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        incident.State.ShouldBe(IncidentState.AwaitingApproval);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task EngineEventWithoutARecordedDecision_ApprovesNothing()
    {
        var opened = await _world.OpenAsync(s_runbook);

        await _world.Engine.RaiseAsync(opened.Id, opened.WakeEvent!);
        var incident = await _world.SettleAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
