using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>A runbook that acts when nobody answers: silence counts only while somebody could have answered.</summary>
public sealed class SilenceTests : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = Given.Approval().Timeout;
    private static readonly Runbook s_runbook = Given.Runbook() with
    {
        Mitigation = Given.Runbook().Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } },
        Resolution = new(),
    };

    private readonly IncidentWorld _world = new(configure: services => services.AddSingleton<IAction, KeptAction>());

    public SilenceTests() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

    [Fact]
    public async Task NobodyIsEverReached_SilenceIsNoYes()
    {
        _world.Notifier.Failure = _ => new IOException("down");
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(10));

        incident.State.ShouldBe(IncidentState.Expired);
        incident.Reason.ShouldStartWith("Nobody answered, and for too much of the time nobody could: silence is no yes.");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task QuestionWasOnlyHandedOver_SilenceIsNoYesAndNobodyIsPagedForIt()
    {
        _world.Notifier.IsHandedOver = true;
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
        incident.Timeline.ShouldContain(entry => entry.What == "Handed to test for oncall. Whether it arrived is not known.");
        incident.Deliveries.ShouldNotContain(delivery => delivery.Contact == "fallback" && delivery.Key.StartsWith(incident.LatestGate!.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task SomebodyIsReachedLate_HasTheWholeTimeFromThen()
    {
        _world.Notifier.Failure = _ => new IOException("down");
        var opened = await _world.OpenAsync(s_runbook);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(12));
        _world.Notifier.Failure = _ => null;
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        var reached = incident.Deliveries.First(delivery => delivery.Reached).At;

        incident = await _world.AdvanceAsync(opened.Id, reached + s_timeout - TimeSpan.FromMinutes(1) - _world.Time.GetUtcNow());
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task HostWasDownWhileItWaited_AsksAgainAndGoesOnlyWhenItWasHeardLongEnough()
    {
        var opened = await _world.OpenAsync(s_runbook);

        // In one leap: no review runs on the way.
        _world.Time.Advance(TimeSpan.FromHours(6));
        var incident = await _world.SettleAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
        _world.Notifier.To(CardKind.Escalation).ShouldBe(["oncall", "platform-lead"], ignoreOrder: true);

        incident = await _world.AdvanceAsync(opened.Id, s_timeout - TimeSpan.FromMinutes(3));
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Prolonged.ShouldBe(1);
        _world.Notifier.To(CardKind.Reminder).ShouldContain("oncall");

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Asked.Count(check => check == "stuck").ShouldBe(3, "diagnosed, asked again before it acted, verified");
    }

    /// <summary>The sender has not said that it is over, and one look is no all-clear; but nothing acts on answers that are not so any more.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    public async Task NobodyAnswersAndTheChecksPassByThen_PeopleAreAskedAnewAndSilenceIsNoYes(int minutes)
    {
        var patient = s_runbook.Mitigation.Approval! with { Timeout = TimeSpan.FromMinutes(minutes) };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = patient } });
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        var asked = await _world.AdvanceAsync(opened.Id, patient.Timeout + TimeSpan.FromMinutes(1));

        (asked.State, asked.OpenGate!.Round).ShouldBe((IncidentState.AwaitingApproval, 2));
        GroundCheck.IsOfAnswers(asked.OpenGate.Difference.ShouldNotBeNull()).ShouldBeTrue();
        asked.OpenGate.Difference.ShouldContain("stuck: passing");
        asked.Timeline.ShouldContain(line => line.What.Contains("the reasons to act are not seen any more", StringComparison.Ordinal));
        await ShouldExpireAsync(opened.Id, patient.Timeout);
    }

    [Fact]
    public async Task NobodyAnswersAndTheChecksPassByThen_TheSendersWordEndsIt()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        await _world.AdvanceAsync(opened.Id, s_timeout + TimeSpan.FromMinutes(1));

        (await _world.ResolveAlertAsync(opened.Id)).State.ShouldBe(IncidentState.SelfRecovered);
    }

    /// <summary>What shows that the fix helps is no reason for it: users who were moved to another model are no sign that theirs is down.</summary>
    [Fact]
    public async Task NobodyAnswers_WhatCallsForItIsAskedOnceMoreBeforeItActs()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { When = new(Quantifier.Any, ["full"]) } });
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var asked = await _world.AdvanceAsync(opened.Id, s_timeout + TimeSpan.FromMinutes(1));

        asked.OpenGate!.Difference.ShouldNotBeNull().ShouldStartWith("The checks were asked once more before the first step, and no longer call for it. ");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>Whether it is called for can no longer be told: with nobody's yes that is no reason to act either.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    public async Task NobodyAnswersAndTheChecksCannotSayByThen_PeopleAreAskedAnewAndDecide(int minutes)
    {
        var patient = s_runbook.Mitigation.Approval! with { Timeout = TimeSpan.FromMinutes(minutes) };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = patient } });
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Unknown;

        var asked = await _world.AdvanceAsync(opened.Id, patient.Timeout + TimeSpan.FromMinutes(1));

        (asked.State, asked.OpenGate!.Round).ShouldBe((IncidentState.AwaitingApproval, 2));
        asked.OpenGate.Difference.ShouldNotBeNull().ShouldContain("stuck: unknown");
        asked.OpenGate.Difference.ShouldNotContain("no longer call for it", Case.Sensitive, "nobody could look");
        GroundCheck.IsOfAnswers(asked.OpenGate.Difference).ShouldBeTrue();
        _world.Script.Deeds.ShouldBeEmpty();

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task LastFixDidNotHold_SilenceIsNoYes() => await ShouldExpireAsync(s_runbook, Given.Incident(s_runbook) with { Follows = "i-0" });

    [Fact]
    public async Task SameWasTriedLatelyAndFailed_SilenceIsNoYes() => await ShouldExpireAsync(s_runbook, Given.Incident(s_runbook) with { Tried = new("i-0", Given.Night, []) });

    [Fact]
    public async Task LastDecisionWasANo_SilenceIsNoYes() => await ShouldExpireAsync(s_runbook, After(s_runbook));

    [Fact]
    public async Task LastDecisionWasANo_SelfHealingRunbookAsks()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } };

        var incident = await _world.OpenAsync(runbook, After(runbook));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Warnings.ShouldHaveSingleItem().ShouldStartWith("The last decision on this target was a no");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task PeopleAreCounted_SilenceIsNoneOfThem(int required, bool separate)
    {
        var counting = s_runbook.Mitigation.Approval! with { Required = required, SeparationOfDuties = separate };
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = counting } };
        var opened = await _world.OpenAsync(runbook, Given.Incident(runbook) with { StartedBy = "ada" });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, "ada");

        await ShouldExpireAsync(opened.Id);
    }

    [Fact]
    public async Task ResolutionActs_SilenceIsNoYesSinceThatIsNeverTakenBack() =>
        await ShouldExpireAsync(s_runbook with { Resolution = new() { Steps = [Given.Step("ticket")] } });

    [Fact]
    public async Task PersonTakesAStepBack_SilenceIsNoYes() =>
        await ShouldExpireAsync(Then(Given.Step("swap", "person", new { instruction = "Swap it.", who = new[] { "hands" }, undo = "Put it back." })));

    [Fact]
    public async Task StepThatIsKeptDependsOnOneBefore_SilenceIsNoYes() =>
        await ShouldExpireAsync(Then(Given.Step("kept", "script.kept", new { name = "kept", text = "{{ steps.fix.result }}", keep = true })));

    [Fact]
    public async Task StepTurnsOutToBeKept_DoesNotActUnanswered()
    {
        var opened = await _world.OpenAsync(Then(Given.Step("kept", "script.kept", new { name = "kept", text = "{{ steps.fix.result }}" })));

        var incident = await _world.AdvanceAsync(opened.Id, s_timeout + TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBe(["do fix"]);
        incident.OpenGate!.Difference.ShouldBe("Nobody has said yes, and what step 'kept' changes would not be taken back by this program.");
    }

    /// <summary>Its file was read by rules that did not know it yet, or what it does came from a step before it.</summary>
    [Fact]
    public async Task StepTurnsOutToBeOneThatAlwaysAsks_DoesNotActUnanswered()
    {
        var opened = await _world.OpenAsync(Then(Given.Step("kept", "script.kept", new { name = "kept", text = "as it is", asks = true })));

        var incident = await _world.AdvanceAsync(opened.Id, s_timeout + TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBe(["do fix"]);
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldStartWith("Nobody has said yes");
    }

    [Fact]
    public void UndoIsLeftToAPerson_DoesNotRunUnanswered()
    {
        var gate = TestKit.Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible };
        var kept = gate with { Plan = gate.Plan with { Steps = [TestKit.Some.Step() with { Undo = "Left to a person.", UndoneByHand = true }] } };

        var incident = TestKit.Some.Advance(TestKit.Some.Waiting(gate: kept), kept.Id, kept.ExpiresAt).Incident;

        incident.LatestGate!.Outcome.ShouldBe(GateOutcome.Expired);
        GateText.Silence(kept).ShouldContain("nothing is done");
    }

    private static Incident After(Runbook runbook) =>
        Given.Incident(runbook) with { EarlierNo = new("i-0", "ada", "rejected", Given.Night, "Leave it.") };

    private static Runbook Then(StepSpec second) =>
        s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [.. s_runbook.Mitigation.Steps, second] } };

    private async Task ShouldExpireAsync(Runbook runbook, Incident? incident = null) =>
        await ShouldExpireAsync((await _world.OpenAsync(runbook, incident)).Id);

    private async Task ShouldExpireAsync(string id, TimeSpan? timeout = null)
    {
        var incident = await _world.AdvanceAsync(id, (timeout ?? s_timeout) + TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>Left to a person where the file says so, and where it finds a text when it looks.</summary>
    private sealed class KeptAction(Script script) : RunbookAction<KeptAction.Parameters>("script.kept", "Does what the test says.")
    {
        public sealed record Parameters(string Name, string Text, bool Keep = false, bool Asks = false);

        public override bool Reversible => true;

        public override bool AlwaysAsks(JsonElement with) => with.TryGetProperty("asks", out _);

        public override Reversal ReversalOf(JsonElement with) => with.TryGetProperty("keep", out _) ? Reversal.Kept : Reversal.Undone;

        protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new Preparation { PlannedEffect = "Keep it.", Undo = "Left to a person.", UndoneByHand = !parameters.Asks, UndoState = JsonSerializer.SerializeToElement(parameters.Name) });

        protected override Task<ActionResult> ApplyAsync(Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
        {
            script.Deeds.Enqueue($"do {parameters.Name}");
            return Task.FromResult(new ActionResult("Kept it."));
        }
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
