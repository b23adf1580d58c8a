using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Orchestration;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>Limits, windows, modes and places: what keeps an incident from acting, seen from the outside.</summary>
public sealed class GuardrailTests : GuardedWorld
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
        BlastRadius.None.With(limits, "a", now.AddDays(1)).Exceeded(limits, "b", now).ShouldBeNull();
    }

    [Fact]
    public void RunThatAClockAheadHasNoted_HidesNoOtherFromTheCoolDown()
    {
        var (limits, now) = (new Limits { MaxRuns = 3, Per = TimeSpan.FromHours(1), CoolDown = TimeSpan.FromMinutes(30), MaxTargets = 1 }, Given.Night);

        CountedRuns.None.With(limits, "i-1", now.AddMinutes(-10)).With(limits, "i-2", now.AddDays(1)).Exceeded(limits, "i-3", now)
            .ShouldBe("It ran on this target at 02:50:00 UTC; the cool-down is 30m.");
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

    [Theory]
    [InlineData(MaintenanceEffect.DiagnoseOnly, 1)]
    [InlineData(MaintenanceEffect.Suppress, 0)]
    public async Task MaintenanceWindow_NothingRunsAndNobodyIsPaged(MaintenanceEffect effect, int told)
    {
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 2, 2, 0, 0), Duration = "2h", Repeat = "FREQ=WEEKLY;BYDAY=MO", Effect = effect });

        var incident = await OpenAsync(s_asks);

        incident.State.ShouldBe(IncidentState.NotNeeded);
        incident.Reason!.ShouldContain("'patching' is open until 04:00");
        incident.Findings.Count.ShouldBe(2);
        _world.Notifier.Sent.Count.ShouldBe(told);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>That everything is paused as well does not hide that a window is open: the step waits for both, and nobody is paged in it.</summary>
    [Fact]
    public async Task KillSwitchInAWindow_StepWaitsForTheWindowAllTheSame()
    {
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 1, 0), Duration = "6h", Effect = MaintenanceEffect.Suppress });
        await EngageKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(4))).State.ShouldBe(IncidentState.Mitigating);

        await ReleaseKillSwitchAsync();
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3))).State.ShouldBe(IncidentState.Resolved);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    /// <summary>Approved a moment before a window, and read in it: what waits for a window does not fail, however long it lasts.</summary>
    [Fact]
    public async Task WindowBetweenTheApprovalAndTheStep_IsWaitedFor()
    {
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 1, 0), Duration = "24h", Effect = MaintenanceEffect.Suppress });

        var waiting = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(23));

        waiting.State.ShouldBe(IncidentState.Mitigating);
        waiting.Reason!.ShouldStartWith("fix waits: Maintenance window 'patching' is open until");
        _world.Script.Deeds.ShouldBeEmpty();
        IncidentProgress.Of(waiting, s_asks, _world.Time.GetUtcNow()).Due.ShouldBeGreaterThan(_world.Time.GetUtcNow());
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(500);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2))).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ApprovalInAWindowThatBeganAfterTheQuestion_QuestionWaitsForItsEndAndIsAskedAgain(bool again)
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromMinutes(30), Escalate = [], RemindAfter = null } } });
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 10, 0), Duration = "2h" });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));

        var (_, held) = await ApproveAsync(opened.Id);
        held.Status.ShouldBe(DecisionStatus.HeldBack);
        held.Message.ShouldContain("The question stays open until 05:40:00 UTC");
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(114))).State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Notifier.To(CardKind.Reminder).ShouldBeEmpty();

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        _world.Notifier.To(CardKind.Reminder).ShouldBe(["oncall"]);
        if (again)
        {
            (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        }

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(again ? IncidentState.Resolved : IncidentState.Expired);
        if (!again)
        {
            ended.Reason!.ShouldStartWith("alice wanted to approve at 03:15:00 UTC, which could not be taken (Maintenance window 'patching' is open until 05:10:00 UTC; nothing runs in it), and it was not approved in time after that.");
            EndingText.Headline(ended).ShouldBe("Not approved in time");
        }
    }

    [Fact]
    public async Task SystemThatAsksAlways_AsksForASelfHealingRunbookToo()
    {
        _options.Mode = RunMode.ApproveAll;

        (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task RunbookThatAsksAlways_DoesNotTakeSilenceForAYes()
    {
        var opened = await OpenAsync(s_asks with { Mode = RunMode.ApproveAll, Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } });

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task SystemSetToAskAlwaysAfterTheQuestion_SilenceIsNoYes()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } });
        _options.Mode = RunMode.ApproveAll;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(25));

        incident.OpenGate!.Difference.ShouldBe("The system asks a person before anything runs.");
        _world.Script.Deeds.ShouldBeEmpty();
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task SystemSetToAskAlwaysBeforeASelfHealingStepActs_AsksFirst()
    {
        await _world.OthersActForAsync(TimeSpan.FromSeconds(30));
        var opened = await OpenAsync(s_heals);
        _options.Mode = RunMode.ApproveAll;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task SystemSetToDryRunAfterTheQuestion_RunsNothing()
    {
        var opened = await OpenAsync(s_asks);
        _options.Mode = RunMode.DryRun;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task PersonWhoDidNotSeeAWarning_HasNotOverruledIt()
    {
        var runbook = s_asks with { Limits = new() { CoolDown = TimeSpan.FromMinutes(10) } };
        var (first, second) = (await OpenAsync(runbook), await OpenAsync(runbook));
        await _world.DecideAsync(first.Id, DecisionVerb.Approve);
        Breaks();

        var (incident, _) = await _world.DecideAsync(second.Id, DecisionVerb.Approve);

        incident.OpenGate!.Difference!.ShouldContain("cool-down");
        _world.Script.Count("do fix").ShouldBe(1);
        (await _world.DecideAsync(second.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
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
}
