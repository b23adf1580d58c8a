using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;
using TestKit.Incidents;
using Some = TestKit.Incidents.Some;

namespace Runbooks.Tests.Guardrails;

/// <summary>What keeps an incident from acting, seen from the outside.</summary>
public sealed class GuardrailTests : IAsyncDisposable
{
    private static readonly Runbook s_asks = Some.Runbook() with { Resolution = new() };
    private static readonly Runbook s_heals = s_asks with { Mitigation = s_asks.Mitigation with { Approval = null } };
    private readonly SafetyOptions _options = new();
    private readonly IncidentWorld _world;
    private int _opened;

    public GuardrailTests()
    {
        _world = new IncidentWorld(configure: services => services.AddSingleton<Microsoft.Extensions.Options.IOptionsMonitor<SafetyOptions>>(new FixedOptions<SafetyOptions>(_options)));
        Works();
    }

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

    [Fact]
    public async Task LaterStepsAndDryRuns_AreNotAnotherRun()
    {
        var twoSteps = s_heals with { Limits = new() { MaxRuns = 1, CoolDown = TimeSpan.FromMinutes(10) }, Mitigation = s_heals.Mitigation with { Steps = [Some.Step("one"), Some.Step("two")] } };
        (await OpenAsync(twoSteps with { Mode = RunMode.DryRun })).State.ShouldBe(IncidentState.Resolved);
        Breaks();

        (await OpenAsync(twoSteps)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two"]);
    }

    [Fact]
    public async Task FixThatNeverHelps_OpensTheBreakerUntilSomebodyResetsIt()
    {
        _options.BreakerAfter = 2;
        Breaks();
        _world.Script.OnDone = _ => { };
        for (var i = 0; i < 2; i++)
        {
            var failing = await OpenAsync(s_heals, $"inference/llm-b-{i}");
            (await _world.AdvanceAsync(failing.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Failed);
        }

        var held = await OpenAsync(s_heals, "inference/llm-b-7");
        held.State.ShouldBe(IncidentState.AwaitingApproval);
        held.OpenGate!.Warnings[0].ShouldContain("breaker");
        (await ApproveAsync(held.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);
        _world.Script.Count("do fix").ShouldBe(2);

        (await _world.Get<RunHistoryStore>().ResetAsync(s_heals.Id, "ada", "new image rolled out", CancellationToken.None)).ShouldNotBeNull();
        Works();
        (await OpenAsync(s_heals, "inference/llm-b-8")).State.ShouldBe(IncidentState.Resolved);
        (await _world.Get<RunHistoryStore>().ReadAsync(s_heals.Id, CancellationToken.None)).Resets.ShouldHaveSingleItem().Reason.ShouldBe("new image rolled out");
    }

    [Fact]
    public async Task ApprovingWhileTheKillSwitchIsOn_LeavesTheQuestionOpenAndIsTakenAfterTheRelease()
    {
        var opened = await OpenAsync(s_asks);
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None);

        var (held, result) = await ApproveAsync(opened.Id);

        result.Status.ShouldBe(DecisionStatus.HeldBack);
        result.Message.ShouldContain("it restarts the wrong pods");
        held!.State.ShouldBe(IncidentState.AwaitingApproval);
        held!.OpenGate!.Decisions.ShouldBeEmpty();
        held.Timeline[^1].What.ShouldContain("wanted to approve; it was not taken");
        _world.Script.Deeds.ShouldBeEmpty();

        await _world.Get<KillSwitch>().ReleaseAsync("ada", "it was another team", CancellationToken.None);
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task SelfHealingWhileTheKillSwitchIsOn_AsksAndRunsOnceItIsReleasedAndAPersonSaysYes()
    {
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None);

        var opened = await OpenAsync(s_heals);

        opened.State.ShouldBe(IncidentState.AwaitingApproval);
        opened.OpenGate!.Approvers.ShouldBe([ContactBook.Fallback]);
        opened.OpenGate!.Warnings.ShouldHaveSingleItem().ShouldContain("it restarts the wrong pods");
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);

        await _world.Get<KillSwitch>().ReleaseAsync("ada", "it was another team", CancellationToken.None);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.AwaitingApproval, "nothing runs by surprise");
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>What nobody lifts is not asked about, whatever else stands against it.</summary>
    [Fact]
    public async Task LimitThatForbidsWhileTheKillSwitchIsOn_EndsIt()
    {
        var runbook = s_asks with { Limits = new() { MaxRuns = 1, WhenExceeded = WhenExceeded.Forbid } };
        await _world.Get<RunLimits>().ReserveAsync(Some.Incident(runbook, "261123-0259-bbbbbb"), runbook, overruled: false, CancellationToken.None);
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None);

        (await OpenAsync(runbook)).State.ShouldBe(IncidentState.Failed);
    }

    [Fact]
    public async Task KillSwitchAfterTheApproval_HoldsTheNextStepAndGoesOnAfterTheRelease()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Some.Step("one"), Some.Step("two")] } };
        var opened = await OpenAsync(runbook);
        _world.Script.OnDone = _ =>
        {
            if (_world.Script.Count("do two") == 0)
            {
                _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None).GetAwaiter().GetResult();
            }
            else
            {
                _world.Script.Verdicts["stuck"] = Verdict.Passing;
            }
        };
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        held.State.ShouldBe(IncidentState.Mitigating);
        held.Reason!.ShouldStartWith("two waits: The kill switch is on");
        held.Timeline.Count(line => line.Kind == TimelineKind.Safety).ShouldBe(1);
        _world.Script.Deeds.ShouldBe(["do one"]);

        await _world.Get<KillSwitch>().ReleaseAsync("ada", "it was another team", CancellationToken.None);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two"]);
    }

    [Fact]
    public async Task RejectingWhileTheKillSwitchIsOn_IsTaken()
    {
        var opened = await OpenAsync(s_asks);
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None);

        (await _world.DecideAsync(opened.Id, DecisionVerb.Reject)).Incident.State.ShouldBe(IncidentState.Rejected);
    }

    [Fact]
    public async Task AlertWhileTheKillSwitchIsOn_IsAskedAboutAllTheSame()
    {
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None);

        var opened = await OpenAsync(s_asks);

        opened.State.ShouldBe(IncidentState.AwaitingApproval);
        opened.OpenGate!.Warnings.ShouldContain(warning => warning.StartsWith("When this was asked, nothing could run.", StringComparison.Ordinal));
    }

    private Task<DecisionReceipt> ApproveAsync(string id) => _world.Get<ApprovalService>()
        .DecideAsync(id, null, new DecisionRequest(DecisionVerb.Approve, "alice", "api"), CancellationToken.None);

    [Fact]
    public async Task KillSwitchThatStaysOn_EndsAnApprovedStepAfterAWhileAndUndoesNothing()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Some.Step("one"), Some.Step("two")] } };
        var opened = await OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None).GetAwaiter().GetResult();

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(45));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldContain("it restarts the wrong pods");
        _world.Script.Deeds.ShouldBe(["do one"]);
        incident.Timeline.ShouldContain(line => line.Kind == TimelineKind.Safety && line.What.Contains("kill switch"));
        _world.Notifier.To(CardKind.Page).ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task KillSwitchDuringALease_LeavesItInPlaceAndRevertsAfterTheRelease()
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(9), Every: TimeSpan.FromSeconds(30));
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { HoldUntil = lease } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var killSwitch = _world.Get<KillSwitch>();
        await killSwitch.EngageAsync("ada", "hands off", CancellationToken.None);
        _world.Script.Verdicts["full"] = Verdict.Passing;

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1))).State.ShouldBe(IncidentState.Holding);
        _world.Script.Count("undo fix").ShouldBe(0);

        await killSwitch.ReleaseAsync("ada", "understood", CancellationToken.None);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1))).State.ShouldBe(IncidentState.Resolved);
        (await killSwitch.ReadAsync(CancellationToken.None)).Changes.Select(change => change.Reason).ShouldBe(["hands off", "understood"]);
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

    [Fact]
    public async Task SystemThatAsksAlways_AsksForASelfHealingRunbookToo()
    {
        _options.Mode = RunMode.ApproveAll;

        (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task SystemThatAsksAlways_DoesNotTakeSilenceForAYes()
    {
        var opened = await OpenAsync(s_asks with { Mode = RunMode.ApproveAll, Mitigation = s_asks.Mitigation with { Approval = Some.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } });

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        incident.State.ShouldBe(IncidentState.Expired);
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
        _options.MaxConcurrent["script.act"] = 1;
        await _world.Get<ActionConcurrencyLimiter>().TakeAsync("script.act", "somebody-else", TimeSpan.FromSeconds(30), CancellationToken.None);
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
        _options.MaxConcurrent["script.act"] = 1;
        await _world.Get<ActionConcurrencyLimiter>().TakeAsync("script.act", "somebody-else", TimeSpan.FromHours(2), CancellationToken.None);
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(119));
        incident.State.ShouldBe(IncidentState.Mitigating);
        incident.Reason.ShouldNotBeNull().ShouldContain("It waits for its turn.");
        incident.Steps.ShouldBeEmpty();
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(700);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Steps.ShouldHaveSingleItem().Attempts.ShouldBe(1);
    }

    [Theory]
    [InlineData(false, false, RunOutcome.Ineffective)]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    public void FixThatFailed_CountsAsIneffectiveUnlessTheHostIsToBlame(bool cutOff, bool inconclusive, RunOutcome? outcome)
    {
        var step = new StepRecord
        {
            Phase = Phase.Mitigation, Name = "fix", Action = "script.act", GateId = "mitigation-1", StartedAt = Some.Night, FinishedAt = Some.Night,
            Status = StepStatus.Unknown, CutOff = cutOff, Preparation = new() { PlannedEffect = "Do fix." },
        };
        var ended = (Some.Incident(s_asks) with { Steps = [step] }).End(IncidentState.Failed, "It failed.", [], null, TimeSpan.Zero, Some.Night, isInconclusive: inconclusive);

        var assessed = RunAssessment.Of(ended)?.Outcome;
        assessed.ShouldBe(outcome);
    }

    [Fact]
    public async Task HostThatCrashesInTheStep_DoesNotOpenTheBreaker()
    {
        _options.BreakerAfter = 1;
        var once = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Some.Step("fix", "script.once")] } };
        var opened = await OpenAsync(once);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        var cutOff = await _world.Store.UpdateAsync(
            opened.Id, i => (i.BeginStep(once.Mitigation.Steps[0], Phase.Mitigation, "mitigation-1", new() { PlannedEffect = "Do fix." }, _world.Time.GetUtcNow()), true), CancellationToken.None);
        await _world.Engine.RaiseAsync(opened.Id, cutOff.Incident.WakeEvent!);

        var ended = await _world.SettleAsync(opened.Id);

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Unknown);
        (await _world.Get<RunHistoryStore>().ReadAsync(once.Id, CancellationToken.None)).Breaker.ShouldBeNull();
    }

    [Fact]
    public async Task FixThatKeepsComingUndone_IsNoLongerDoneWithoutAsking()
    {
        for (var i = 0; i < 2; i++)
        {
            Breaks();
            (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.Resolved);
            _world.Time.Advance(TimeSpan.FromMinutes(5));
        }

        Breaks();
        var third = await OpenAsync(s_heals);

        third.State.ShouldBe(IncidentState.AwaitingApproval);
        third.OpenGate!.Warnings.ShouldContain(warning => warning.Contains("came undone 2 times"));
    }

    [Fact]
    public async Task WhatWorkedBefore_StandsOnTheCard()
    {
        await _world.DecideAsync((await OpenAsync(s_asks, "inference/llm-b-1")).Id, DecisionVerb.Approve);
        Breaks();

        var opened = await OpenAsync(s_asks, "inference/llm-b-2");

        opened.OpenGate!.Warnings.ShouldBe(["Worked 1 of 1 time, median 1s."]);
        opened.OpenGate.Overrules.ShouldBeEmpty();
    }

    [Fact]
    public async Task UndoThatIsLeftUndone_IsAFailureWhateverEndedIt()
    {
        _world.Script.OnDone = _ => { };
        _world.Script.BeforeUndoing = _ => new IOException("unreachable");
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await _world.StopAsync(opened.Id);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldContain("NOT undone: fix");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<Incident> OpenAsync(Runbook runbook, string target = "inference/llm-b-0")
    {
        var now = _world.Time.GetUtcNow();
        return _world.OpenAsync(runbook, Some.Incident(runbook, $"i-{++_opened}") with { Target = target, OpenedAt = now, UpdatedAt = now, Mode = RunModes.Stricter(runbook.Mode, _options.Mode) });
    }

    private void Breaks()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        Works();
    }

    private void Works() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
}
