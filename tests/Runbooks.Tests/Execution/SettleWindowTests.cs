using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Execution;

/// <summary>Where alerts go that come in shortly after a verified fix.</summary>
public sealed class SettleWindowTests : SettleWorld
{
    [Fact]
    public async Task AlertWhileTheFixHolds_BelongsToTheClosedIncident()
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(2));

        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Folded);

        var incident = await _world.SettleAsync(closed.Id);
        incident.State.ShouldBe(IncidentState.Resolved);
        incident.AlertCount.ShouldBe(2);
        incident.Timeline[^1].What.ShouldContain("fires after the incident was resolved");
        _world.Store.All.Count.ShouldBe(1);
        _world.Script.Count("do fix").ShouldBe(1);
    }

    [Fact]
    public async Task AlertWhenTheChecksFailAgain_OpensANewIncidentAtOnceAndSaysSo()
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        await AlertAsync();
        await _world.Engine.SettleAsync();

        _world.Store.All.Count.ShouldBe(2);
        var next = _world.Store.All[^1];
        next.State.ShouldBe(IncidentState.AwaitingApproval);
        next.Follows.ShouldBe(closed.Id);
        next.Team.ShouldBe("ml");
        next.Timeline[0].What.ShouldStartWith("The last fix did not hold");
        next.OpenGate!.Warnings[0].ShouldContain($"incident {closed.Id}");
        _world.Store.All[0].Timeline[^1].What.ShouldContain(next.Id);
        (await _world.Get<RunHistoryStore>().ReadAsync(s_runbook.Id, CancellationToken.None)).Runs.ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Recurred);

        (await AlertAsync()).Id.ShouldBe(next.Id);
    }

    /// <summary>Nobody answers that one, or it was refused before it did anything: the same fix is no better for that.</summary>
    [Fact]
    public async Task NobodyAnswersTheNewIncident_TheNextAlertSaysAgainThatTheFixDidNotHold()
    {
        _loaded = s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } };
        var closed = await ResolvedAsync(_loaded);
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        await AlertAsync();
        await _world.Engine.SettleAsync();
        (await _world.AdvanceAsync(_world.Store.All[1].Id, TimeSpan.FromMinutes(30))).State.ShouldBe(IncidentState.Expired);

        await AlertAsync();
        await _world.Engine.SettleAsync();

        var next = _world.Store.All[2];
        (next.Follows, next.OpenGate!.OnTimeout).ShouldBe((closed.Id, OnTimeout.Abort));
    }

    /// <summary>The note of it on the closed one is lost, and the activity runs again when people have dealt with the new one.</summary>
    [Fact]
    public async Task NewIncidentHasEnded_NoSecondOneIsOpenedForTheSameEnd()
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        _world.Script.OnAsk = _ => closed = _world.Store.All.Count == 1 ? _world.Store.All[0] : closed;
        await AlertAsync();
        await _world.Engine.SettleAsync();
        await _world.DecideAsync(_world.Store.All[1].Id, DecisionVerb.Reject);

        await _world.Store.UpdateAsync(closed.Id, _ => closed, CancellationToken.None);
        await _world.Get<SettleWindow>().RecheckAsync(closed, s_runbook, new(closed.Id, IncidentState.Resolved, ["stuck"], "wake-9"), CancellationToken.None);

        _world.Store.All.Select(incident => incident.State).ShouldBe([IncidentState.Resolved, IncidentState.Rejected]);
    }

    [Fact]
    public async Task FixOfAnIncidentStartedByHandDoesNotHold_NextOneKnowsWhoStartedIt()
    {
        var closed = await ResolvedAsync();
        await _world.Store.UpdateAsync(closed.Id, i => i with { StartedBy = "ada" }, CancellationToken.None);
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        await AlertAsync();
        await _world.Engine.SettleAsync();

        _world.Store.All[^1].ShouldSatisfyAllConditions(next => next.Follows.ShouldBe(closed.Id), next => next.StartedBy.ShouldBe("ada"));
    }

    /// <summary>A check that wavers: nobody asked how it is now, an alert fires.</summary>
    [Fact]
    public async Task FixOfAnIncidentStartedByHandDoesNotHold_OneLookThatPassesDoesNotEndTheNextOne()
    {
        var closed = await ResolvedAsync();
        await _world.Store.UpdateAsync(closed.Id, i => i with { StartedBy = "ada" }, CancellationToken.None);
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        _world.Script.Verdicts["full"] = Verdict.Passing;
        _world.Script.OnAsk = _ => _world.Script.Verdicts["stuck"] = _world.Store.All.Count == 1 ? Verdict.Failing : Verdict.Passing;

        await AlertAsync();
        await _world.Engine.SettleAsync();

        _world.Store.All[^1].ShouldSatisfyAllConditions(next => next.Follows.ShouldBe(closed.Id), next => next.State.ShouldBe(IncidentState.Diagnosing));
    }

    [Theory]
    [InlineData(RunMode.DryRun, RunMode.Normal)]
    [InlineData(RunMode.Normal, RunMode.DryRun)]
    public async Task SetToDryRunSinceTheFix_NextOneDoesNotActForReal(RunMode system, RunMode file)
    {
        await ResolvedAsync();
        (_safety.Mode, _loaded) = (system, s_runbook with { Mode = file });
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        await AlertAsync();
        await _world.Engine.SettleAsync();

        _world.Store.All[^1].Mode.ShouldBe(RunMode.DryRun);
    }

    [Fact]
    public async Task AlertAfterTheWindow_OpensANewIncident()
    {
        var closed = await ResolvedAsync();

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));

        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Opened);
        (await _world.Engine.FindAsync(closed.Id, CancellationToken.None))!.Status.ShouldBe(EngineStatus.Completed);
    }

    [Fact]
    public async Task NothingVerifiesTheFix_TheNextAlertOpensAnIncident()
    {
        var closed = await ResolvedAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Verify = null } });

        closed.SettlesAt.ShouldBeNull();
        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Opened);
    }
}
