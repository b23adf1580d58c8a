using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>What counts as a fix that did not help, and what follows from it.</summary>
public sealed class BreakerTests : GuardedWorld
{
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
        held.OpenGate!.AllWarnings[0].ShouldContain("breaker");
        (await ApproveAsync(held.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);
        _world.Script.Count("do fix").ShouldBe(2);

        (await _world.Get<RunHistoryStore>().ResetAsync(s_heals.Id, "ada", "new image rolled out", CancellationToken.None)).ShouldNotBeNull();
        Works();
        (await OpenAsync(s_heals, "inference/llm-b-8")).State.ShouldBe(IncidentState.Resolved);
        (await _world.Get<RunHistoryStore>().ReadAsync(s_heals.Id, CancellationToken.None)).Resets.ShouldHaveSingleItem().Reason.ShouldBe("new image rolled out");
    }

    [Fact]
    public async Task MonitorThatDoesNotAnswer_SaysNothingAboutTheFix()
    {
        _options.BreakerAfter = 1;
        Breaks();
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        var opened = await OpenAsync(s_heals);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldStartWith("Whether the fix helped could not be found out");
        var history = await _world.Get<RunHistoryStore>().ReadAsync(s_heals.Id, CancellationToken.None);
        (history.Runs.Count, history.Breaker).ShouldBe((0, null));
    }

    [Theory]
    [InlineData(false, false, RunOutcome.Ineffective)]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    public void FixThatFailed_CountsAsIneffectiveUnlessTheHostIsToBlame(bool cutOff, bool inconclusive, RunOutcome? outcome) =>
        AssessFailed(inconclusive, Step(StepStatus.Failed) with { CutOff = cutOff }).ShouldBe(outcome);

    /// <summary>Each call has timed out, and all may have worked: that is no fix that did not help, and no runbook that goes on by itself either.</summary>
    [Fact]
    public async Task NobodyKnowsWhetherTheFixesHappened_APersonIsAskedFirst()
    {
        _options.BreakerAfter = 2;
        for (var i = 0; i < 2; i++)
        {
            await _world.Get<RunHistoryStore>().RecordAsync(Failed(inconclusive: false, Step(StepStatus.Unknown)) with { Id = $"timed-out-{i}" }, s_heals, CancellationToken.None);
        }

        var asked = await OpenAsync(s_heals, "inference/llm-b-7");

        (asked.State, _world.Script.Count("do fix")).ShouldBe((IncidentState.AwaitingApproval, 0));
        asked.OpenGate!.Warnings.ShouldHaveSingleItem().ShouldContain("None of its last 2 runs is known to have helped: of 2 nobody knows whether the fix happened.");
        (await _world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
        Breaks();
        (await OpenAsync(s_heals, "inference/llm-b-8")).State.ShouldBe(IncidentState.AwaitingApproval, "nobody has reset it");
    }

    /// <summary>That the trouble lasts where nothing was changed says nothing about what the fix would have changed.</summary>
    [Theory]
    [InlineData(null, true)]
    [InlineData(null, true, true)]
    [InlineData(RunOutcome.Ineffective, true, false)]
    public void FixThatFailed_CountsOnlyIfItChangedAnything(RunOutcome? outcome, params bool[] wasSo) =>
        AssessFailed(inconclusive: false, [.. wasSo.Select(isSo => Step(StepStatus.Done, isSo))]).ShouldBe(outcome);

    /// <summary>A setting or a role is missing: once it is there, nothing may stand in the way, and nothing was tried that the next card could warn of.</summary>
    [Fact]
    public async Task StepThatWasRefusedAndDidNothing_SaysNothingAboutTheFix()
    {
        _options.BreakerAfter = 1;
        Breaks();
        _world.Script.BeforeActing = _ => new StepRefusedException("this identity lacks the role.") { NothingDone = true };
        var refused = await OpenAsync(s_heals);
        (refused.State, refused.Steps.ShouldHaveSingleItem().NothingDone).ShouldBe((IncidentState.Failed, true));
        var history = await _world.Get<RunHistoryStore>().ReadAsync(s_heals.Id, CancellationToken.None);
        (history.Runs.Count, history.Breaker).ShouldBe((0, null));

        _world.Script.BeforeActing = _ => null;

        (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.Resolved, "nobody is asked because of it");
    }

    /// <summary>A fix of which only a part was made says nothing about the whole.</summary>
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, RunOutcome.Ineffective)]
    public void LaterStepThatWasRefused_SaysNothingAboutTheFix(bool nothingDone, RunOutcome? outcome) =>
        AssessFailed(inconclusive: false, Step(StepStatus.Done), Step(StepStatus.Failed) with { Name = "second", NothingDone = nothingDone }).ShouldBe(outcome);

    private static StepRecord Step(StepStatus status, bool isSo = false) => new()
    {
        Phase = Phase.Mitigation, Name = "fix", Action = "script.act", GateId = "mitigation-1", StartedAt = Given.Night, FinishedAt = Given.Night,
        Status = status, Preparation = new() { PlannedEffect = "Do fix.", IsSo = isSo },
    };

    private static RunOutcome? AssessFailed(bool inconclusive, params StepRecord[] steps) =>
        RunAssessment.Of(Failed(inconclusive, steps))?.Outcome;

    private static Incident Failed(bool inconclusive, params StepRecord[] steps) =>
        (Given.Incident(s_asks) with { Steps = steps }).End(IncidentState.Failed, "It failed.", Given.Night, new() { IsInconclusive = inconclusive });

    [Fact]
    public async Task HostThatCrashesInTheStep_DoesNotOpenTheBreaker()
    {
        _options.BreakerAfter = 1;
        var once = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Given.Step("fix", "script.once")] } };
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

        (await _world.DecideAsync(third.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
        _world.Time.Advance(TimeSpan.FromHours(3));
        Breaks();
        (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.Resolved, "that is too long ago to count");
    }

    /// <summary>Three disks of one machine fill up: none of them came back. A message may say what it likes.</summary>
    [Theory]
    [InlineData("folder", "Worked in 2 of 2 runs, median 1s.")]
    [InlineData("seenAt", null)]
    [InlineData("pod", null)]
    public async Task SameTargetWithAnotherLabel_CameBackUnlessTheStepsReadItBesideTheTarget(string label, string? told)
    {
        var runbook = s_heals with
        {
            Mitigation = s_heals.Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", text = "{{ labels.folder }} of {{ labels.pod }}" }), Given.Step("say", "note", new { text = "{{ labels.seenAt }}" })] },
        };
        Incident opened = null!;
        foreach (var value in (string[])["/var", "/tmp", "/srv"])
        {
            Breaks();
            var labels = new Dictionary<string, string>(Given.Alert().Labels) { ["folder"] = "/", ["seenAt"] = "/", [label] = value };
            opened = await OpenAsync(runbook, change: incident => incident with { Alert = incident.Alert with { Labels = labels } });
            _world.Time.Advance(TimeSpan.FromMinutes(5));
        }

        opened.OpenGate?.Warnings.ShouldContain(warning => warning.Contains("came undone 2 times"));
        opened.LatestGate!.TrackRecord.ShouldBe(told);
        opened.State.ShouldBe(told is null ? IncidentState.AwaitingApproval : IncidentState.Resolved);
    }

    /// <summary>People took three minutes to say yes, and the fix is held for ten after it has worked: neither is counted.</summary>
    [Fact]
    public async Task HowLongAFixTook_IsFromItsFirstStepUntilItHadWorked()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { HoldUntil = new(["full"], TimeSpan.FromMinutes(10), TimeSpan.FromHours(2), TimeSpan.FromSeconds(30)) } });
        _world.Time.Advance(TimeSpan.FromMinutes(3));
        _world.Script.OnDone = _ =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(2));
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        };
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Holding);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(12));

        ended.State.ShouldBe(IncidentState.Resolved);
        RunAssessment.Of(ended).ShouldBe(new RecordedRun(ended.Id, ended.Target, RunOutcome.Verified, ended.OpenedAt, ended.ClosedAt!.Value, TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task WhatWorkedBefore_StandsOnTheCard()
    {
        await _world.DecideAsync((await OpenAsync(s_asks, "inference/llm-b-1")).Id, DecisionVerb.Approve);
        Breaks();

        var opened = await OpenAsync(s_asks, "inference/llm-b-2");

        opened.OpenGate!.TrackRecord.ShouldBe("Worked in 1 of 1 run, median 1s.");
        opened.OpenGate.Warnings.ShouldBeEmpty();
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
        incident.Reason!.ShouldContain("Not known to be undone: fix");
    }
}
