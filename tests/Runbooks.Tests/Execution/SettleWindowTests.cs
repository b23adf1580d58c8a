using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Execution;

/// <summary>Alerts that come in shortly after a verified fix.</summary>
public sealed class SettleWindowTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new(), Limits = new() { SettleFor = TimeSpan.FromMinutes(10) } };
    private readonly IncidentWorld _world;
    private readonly SafetyOptions _safety = new();
    private Runbook _loaded = s_runbook;

    public SettleWindowTests() => _world = new IncidentWorld(configure: services => services
        .AddSingleton<LoadedRunbooks>(() => [_loaded])
        .AddSingleton<Microsoft.Extensions.Options.IOptionsMonitor<SafetyOptions>>(new FixedOptions<SafetyOptions>(_safety))
        .AddIncidentIntake());

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

    /// <summary>It began anew: what passed before that does not say that the fix holds.</summary>
    [Fact]
    public async Task AlertThatBeganAfterTheNewestValue_IsLookedIntoUntilANewerOneComes()
    {
        var closed = await ResolvedAsync();
        _world.Script.Measured["stuck"] = _world.Time.GetUtcNow() + TimeSpan.FromMinutes(1);
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        await _world.ResolveAlertAsync(closed.Id);
        await AlertAsync();
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(2));
        _world.Store.All.Count.ShouldBe(1);

        (_world.Script.Verdicts["stuck"], _world.Script.Measured["stuck"]) = (Verdict.Failing, _world.Time.GetUtcNow());
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromSeconds(15));

        _world.Store.All[^1].Follows.ShouldBe(closed.Id);
    }

    [Fact]
    public async Task NoNewerValueUntilTheWindowEnds_ANewIncidentLooksIntoIt()
    {
        var closed = await ResolvedAsync();
        _world.Script.Measured["stuck"] = _world.Time.GetUtcNow() + TimeSpan.FromMinutes(1);
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        await _world.ResolveAlertAsync(closed.Id);
        await AlertAsync();

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(9));

        _world.Store.All[^1].FollowUpOf.ShouldBe(closed.Id);
    }

    /// <summary>The run history cannot be written for longer than the activity is tried.</summary>
    [Fact]
    public async Task EndThatBreaksOffAfterItIsOnRecord_IsWatchedAllTheSame()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.OnDone = _ => (_world.Script.Verdicts["stuck"], _world.State.Fault) = (Verdict.Passing, () => new StoreUnavailableException("busy"));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4.5));
        _world.State.Fault = null;
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        await AlertAsync();
        await _world.Engine.SettleAsync();

        _world.Store.All.Count.ShouldBe(2);
        _world.Store.All[^1].Follows.ShouldBe(opened.Id);
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
    public async Task ManyAlertsInTheWindow_AskTheChecksNoMoreOftenThanVerifying()
    {
        var closed = await ResolvedAsync();
        for (var i = 0; i < 100; i++)
        {
            await AlertAsync();
            await _world.AdvanceAsync(closed.Id, TimeSpan.FromSeconds(1));
        }

        _world.Script.Asked.Count(name => name == "stuck").ShouldBeLessThan(12);
    }

    [Fact]
    public async Task AlertAfterTheWindow_OpensANewIncident()
    {
        var closed = await ResolvedAsync();

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));

        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Opened);
        (await _world.Engine.FindAsync(closed.Id, CancellationToken.None))!.Status.ShouldBe(EngineStatus.Completed);
    }

    [Theory]
    [InlineData(Verdict.Unknown, false, 2)]
    [InlineData(Verdict.Unknown, true, 1)]
    [InlineData(Verdict.Passing, false, 1)]
    public async Task CheckThatCannotBeAsked_IsAskedOnAndAnAlertThatStillFiresAtTheEndOpensAnIncident(Verdict later, bool saidToBeOver, int incidents)
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        await AlertAsync();
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(5));
        _world.Store.All.Count.ShouldBe(1, "an unknown answer proves nothing yet");

        _world.Script.Verdicts["stuck"] = later;
        if (saidToBeOver)
        {
            await _world.Get<IncidentIntake>().ReceiveAsync([Given.Alert() with { Status = AlertStatus.Resolved }], CancellationToken.None);
        }

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(4));

        _world.Store.All.Count.ShouldBe(incidents);
        if (incidents > 1)
        {
            var next = _world.Store.All[^1];
            (next.Follows, next.FollowUpOf).ShouldBe((null, closed.Id));
            next.Timeline[0].What.ShouldContain("whether that fix holds could not be found out");
            next.OpenGate.ShouldNotBeNull();
            (await _world.Get<RunHistoryStore>().ReadAsync(s_runbook.Id, CancellationToken.None)).Runs.ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Verified);
        }
    }

    [Fact]
    public async Task NothingVerifiesTheFix_TheNextAlertOpensAnIncident()
    {
        var closed = await ResolvedAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Verify = null } });

        closed.SettlesAt.ShouldBeNull();
        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Fact]
    public async Task AlertBetweenTheLastLookAndTheEnd_IsLookedIntoAtTheEnd()
    {
        var verify = s_runbook.Mitigation.Verify! with { Every = TimeSpan.FromMinutes(10), SuccessThreshold = 1 };
        var closed = await ResolvedAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Verify = verify } });
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        await AlertAsync();
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        (await AlertAsync()).Outcome.ShouldBe(IntakeResult.Folded);

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(8));

        _world.Store.All[^1].Follows.ShouldBe(closed.Id);
    }

    [Theory]
    [InlineData(Verdict.Failing, false, 2)]
    [InlineData(Verdict.Failing, true, 1)]
    [InlineData(Verdict.Passing, false, 1)]
    public async Task AlertThatWokeNobody_IsLookedIntoAtTheEnd(Verdict later, bool saidToBeOver, int incidents)
    {
        var closed = await ResolvedAsync();
        await ((IIncidentStore)_world.Store).UpdateAsync(closed.Id, incident => incident.Attach(Given.Alert(), _world.Time.GetUtcNow().AddMinutes(9)), CancellationToken.None);
        if (saidToBeOver)
        {
            await ((IIncidentStore)_world.Store).UpdateAsync(closed.Id, incident => incident.Attach(Given.Alert() with { Status = AlertStatus.Resolved }, _world.Time.GetUtcNow().AddMinutes(9)), CancellationToken.None);
        }

        _world.Script.Verdicts["stuck"] = later;
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));

        _world.Store.All.Count.ShouldBe(incidents);
        (await _world.Engine.FindAsync(closed.Id, CancellationToken.None))!.Status.ShouldBe(EngineStatus.Completed);
    }

    [Fact]
    public async Task NothingCame_NoCheckIsAskedInTheWindow()
    {
        var closed = await ResolvedAsync();
        var asked = _world.Script.Asked.Count;

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(30));

        _world.Script.Asked.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task LookThatBreaks_IsTakenAgainWhileThereIsTime()
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        var until = _world.Time.GetUtcNow().AddMinutes(6);
        _world.State.Fault = () => _world.Time.GetUtcNow() < until ? new IOException("away") : null;
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        await AlertAsync();

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(10));

        _world.Store.All[^1].Follows.ShouldBe(closed.Id);
    }

    [Fact]
    public async Task LookThatBreaksToTheEnd_PagesAPerson()
    {
        var closed = await ResolvedAsync();
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        var until = _world.Time.GetUtcNow().AddMinutes(14);
        _world.State.Fault = () => _world.Time.GetUtcNow() < until ? new IOException("away") : null;
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        await AlertAsync();

        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(20));

        _world.Store.All.Count.ShouldBe(1);
        var page = _world.Notifier.Sent.First(sent => sent.Card.Kind == CardKind.Page).Card;
        page.Sections.SelectMany(section => section.Lines).Append(page.Title).ShouldContain(line => line.Contains("Whether the fix still holds could not be found out"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> ResolvedAsync(Runbook? like = null)
    {
        var runbook = like ?? s_runbook;
        var opened = await _world.OpenAsync(runbook, Given.Incident(runbook) with { Team = "ml" });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (closed, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        closed.State.ShouldBe(IncidentState.Resolved);
        return closed;
    }

    private async Task<IntakeOutcome> AlertAsync() =>
        (await _world.Get<IncidentIntake>().ReceiveAsync([Given.Alert()], CancellationToken.None)).ShouldHaveSingleItem();
}
