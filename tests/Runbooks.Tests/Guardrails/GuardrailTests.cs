using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>Limits, modes and places: what keeps an incident from acting, seen from the outside.</summary>
public sealed partial class GuardrailTests : GuardedWorld
{
    [Fact]
    public async Task SelfHealingBeyondItsLimit_AsksFirstAndRunsOnceAPersonSaysYes()
    {
        var runbook = s_heals with { Limits = new() { MaxRuns = 1 } };
        (await OpenAsync(runbook)).State.ShouldBe(IncidentState.Resolved);
        Breaks();

        var second = await OpenAsync(runbook);

        second.State.ShouldBe(IncidentState.AwaitingApproval);
        second.OpenGate!.Warnings.ShouldContain(warning => warning.Contains("the limit is 1"));
        _world.Notifier.Sent.Last().Card.Sections.ShouldContain(section => section.Heading == "Warning" && section.Lines.Any(line => line.Contains("the limit is 1")));
        (await _world.DecideAsync(second.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task LimitThatForbids_RefusesWhoeverWouldSayYes()
    {
        var runbook = s_heals with { Limits = new() { MaxRuns = 1, WhenExceeded = WhenExceeded.Forbid } };
        await OpenAsync(runbook);
        Breaks();

        var second = await OpenAsync(runbook);

        second.State.ShouldBe(IncidentState.Failed);
        second.LatestGate!.Outcome.ShouldBe(GateOutcome.Refused);
        _world.Script.Count("do fix").ShouldBe(1);
    }

    [Fact]
    public async Task LimitOnOneTarget_DoesNotCountAnother()
    {
        var runbook = s_heals with { Limits = new() { MaxRuns = 1, CoolDown = TimeSpan.FromMinutes(10) } };
        await OpenAsync(runbook);
        Breaks();

        (await OpenAsync(runbook, "inference/llm-b-1")).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public void RunsThatAClockAheadHasNoted_CountForNoLimit()
    {
        var (limits, now) = (new Limits { MaxRuns = 1, Per = TimeSpan.FromHours(1), CoolDown = TimeSpan.FromMinutes(10), MaxTargets = 1 }, Given.Night);

        CountedRuns.None.With(limits, "i-1", now.AddDays(1)).Exceeded(limits, "i-2", now).ShouldBeNull();
        BlastRadius.None.With(limits, "a", "i-1", now.AddDays(1)).Exceeded(limits, "b", now).ShouldBeNull();
    }

    [Fact]
    public void RunThatAClockAheadHasNoted_HidesNoOtherFromTheCoolDown()
    {
        var (limits, now) = (new Limits { MaxRuns = 3, Per = TimeSpan.FromHours(1), CoolDown = TimeSpan.FromMinutes(30), MaxTargets = 1 }, Given.Night);

        CountedRuns.None.With(limits, "i-1", now.AddMinutes(-10)).With(limits, "i-2", now.AddDays(1)).Exceeded(limits, "i-3", now)
            .ShouldBe("It ran on this target at 2026-11-23 02:50:00 UTC; the cool-down is 30m.");
    }

    [Fact]
    public async Task PlaceThatAClockAheadHasTaken_IsFree()
    {
        _options.MaxConcurrent["script.act"] = 1;
        var limiter = _world.Get<ActionConcurrencyLimiter>();
        await limiter.TakeAsync("script.act", "died", TimeSpan.FromHours(25), CancellationToken.None);

        (await limiter.TakeAsync("script.act", "next", TimeSpan.FromMinutes(5), CancellationToken.None)).ShouldBeTrue();
        (await limiter.TakeAsync("script.act", "third", TimeSpan.FromMinutes(5), CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task CoolDown_HoldsUntilItIsOver()
    {
        var runbook = s_heals with { Limits = new() { CoolDown = TimeSpan.FromMinutes(10) } };
        await OpenAsync(runbook);
        Breaks();
        _world.Time.Advance(TimeSpan.FromMinutes(9));
        var early = await OpenAsync(runbook);
        early.State.ShouldBe(IncidentState.AwaitingApproval);
        await _world.DecideAsync(early.Id, DecisionVerb.Reject);

        _world.Time.Advance(TimeSpan.FromMinutes(2));

        (await OpenAsync(runbook)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task TwoIncidentsApprovedTogether_OnlyOneTakesTheLastPlace()
    {
        var runbook = s_asks with { Limits = new() { MaxTargets = 1 } };
        var (first, second) = (await OpenAsync(runbook), await OpenAsync(runbook, "inference/llm-b-1"));
        await _world.DecideAsync(first.Id, DecisionVerb.Approve);
        Breaks();

        var (incident, _) = await _world.DecideAsync(second.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Difference!.ShouldContain("It acted on 1 target within");
        _world.Script.Count("do fix").ShouldBe(1);
    }

    /// <summary>It never acted: the next incident on its target may.</summary>
    [Fact]
    public async Task RunThatTooManyTargetsForbid_IsNotCountedForItsTarget()
    {
        var (limits, runbook) = (_world.Get<RunLimits>(), s_asks with { Limits = new() { MaxRuns = 1, MaxTargets = 1 } });
        var second = Given.Incident(s_asks, "i-2") with { Target = "inference/llm-b-1" };
        (await limits.ReserveAsync(Given.Incident(s_asks, "i-1"), runbook, overruled: false, CancellationToken.None)).ShouldBeNull();
        (await limits.ReserveAsync(second, runbook, overruled: false, CancellationToken.None))!.Why.ShouldStartWith("It acted on 1 target within");

        var wider = runbook with { Limits = runbook.Limits with { MaxTargets = null } };
        (await limits.ReserveAsync(second with { Id = "i-3" }, wider, overruled: false, CancellationToken.None)).ShouldBeNull();
    }

    /// <summary>The watch starts a workflow that the engine lost from its first question: what made it ask anew may be gone by then.</summary>
    [Fact]
    public async Task AskedAnewBecauseOfALimit_TheFirstYesCoversNothingWhenTheLimitsTimeIsOver()
    {
        var runbook = s_asks with { Limits = new() { MaxTargets = 1, Per = TimeSpan.FromMinutes(5) } };
        var (first, second) = (await OpenAsync(runbook), await OpenAsync(runbook, "inference/llm-b-1"));
        await _world.DecideAsync(first.Id, DecisionVerb.Approve);
        Breaks();
        var (asked, _) = await _world.DecideAsync(second.Id, DecisionVerb.Approve);
        _world.Time.Advance(runbook.Limits.Per);

        var again = await _world.Get<PhaseRunner>().RunAsync(new RunStepsRequest(second.Id, Phase.Mitigation, "mitigation-1"), CancellationToken.None);

        again.Result.ShouldBe(new StepResult(StepOutcome.PlanChanged, asked.OpenGate!.Difference!));
        _world.Script.Count("do fix").ShouldBe(1);
    }

    [Fact]
    public async Task LaterStepsAndDryRuns_AreNotAnotherRun()
    {
        var twoSteps = s_heals with { Limits = new() { MaxRuns = 1, CoolDown = TimeSpan.FromMinutes(10) }, Mitigation = s_heals.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
        (await OpenAsync(twoSteps with { Mode = RunMode.DryRun })).State.ShouldBe(IncidentState.Resolved);
        Breaks();

        (await OpenAsync(twoSteps)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two"]);
    }

    /// <summary>What has begun may finish, whatever people let run meanwhile.</summary>
    [Fact]
    public async Task LimitThatAnotherHasUsedUpBetweenTwoSteps_DoesNotHoldTheSecond()
    {
        var twoSteps = s_heals with { Limits = new() { MaxRuns = 1 }, Mitigation = s_heals.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
        _world.Script.OnDone = name =>
        {
            _world.Script.Verdicts["stuck"] = Verdict.Passing;
            _world.Get<RunLimits>().ReserveAsync(Given.Incident(twoSteps, $"beside-{name}"), twoSteps, overruled: true, CancellationToken.None).GetAwaiter().GetResult();
        };

        (await OpenAsync(twoSteps)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two"]);
    }

    [Fact]
    public async Task AsManyOfOneActionAsMayAct_TheNextWaitsForItsTurn()
    {
        await _world.OthersActForAsync(TimeSpan.FromSeconds(30));
        var opened = await OpenAsync(s_asks);

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldNotBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBeEmpty();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
        (await _world.Get<ActionConcurrencyLimiter>().TakeAsync("script.act", "the-next", TimeSpan.FromSeconds(30), CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task PlaceThatIsTakenForHours_IsWaitedForAndNoAttemptFails()
    {
        await _world.OthersActForAsync(TimeSpan.FromHours(2));
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(119));
        incident.State.ShouldBe(IncidentState.Mitigating);
        incident.Reason.ShouldNotBeNull().ShouldBe("fix waits: as many script.act steps are running as may run at once.");
        incident.Steps.ShouldBeEmpty();
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(700);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Steps.ShouldHaveSingleItem().Attempts.ShouldBe(1);
    }

    /// <summary>Nothing has run on the target, so the next card there must not say that it did.</summary>
    [Fact]
    public async Task StoppedWhileItWaitedForItsTurn_HasUsedUpNothing()
    {
        var runbook = s_asks with { Limits = new() { CoolDown = TimeSpan.FromHours(1), MaxTargets = 1, WhenExceeded = WhenExceeded.Forbid } };
        await _world.OthersActForAsync(TimeSpan.FromHours(2));
        var opened = await OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        (await _world.Get<RunLimits>().PeekAsync(Given.Incident(runbook, "beside"), runbook, CancellationToken.None)).ShouldNotBeNull("it has its place while it waits");
        await _world.StopAsync(opened.Id);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5))).State.ShouldBe(IncidentState.Cancelled);

        (await OpenAsync(runbook)).OpenGate!.Warnings.ShouldBeEmpty();
        (await OpenAsync(runbook, "inference/llm-b-1")).OpenGate!.Warnings.ShouldBeEmpty();
    }
}
