using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Execution;

/// <summary>When the checks are asked whether a verified fix holds.</summary>
public sealed class SettleRecheckTests : SettleWorld
{
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
}
