using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using TestKit.Incidents;

namespace Runbooks.Tests.Watchdog;

/// <summary>The whole story with the watch beside it: what waits as it may is no trouble, however long it waits.</summary>
public sealed class WatchedWaitTests : IAsyncDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly IncidentWorld _world = new(new() { ReplayEveryTurn = false }, services => services.AddWatchdog());

    [Fact]
    public async Task LeaseThatLastsTooLong_IsPagedOnceAndNotAsStandingStill()
    {
        var holding = await HoldAsync(atMost: TimeSpan.FromHours(2));

        var incident = await WatchAsync(holding.Id, TimeSpan.FromHours(8));

        incident.State.ShouldBe(IncidentState.Holding);
        Troubles(incident).ShouldBe(["lease"]);
    }

    [Fact]
    public async Task LeaseThatIsHeldWhileEverythingIsPaused_StandsStillByRight()
    {
        var holding = await HoldAsync(atMost: TimeSpan.FromHours(12));
        await _world.Get<KillSwitch>().EngageAsync("ben", "trouble", CancellationToken.None);

        var incident = await WatchAsync(holding.Id, TimeSpan.FromHours(3));

        incident.State.ShouldBe(IncidentState.Holding);
        Troubles(incident).ShouldBeEmpty();
    }

    [Fact]
    public async Task ClockThatWasAheadForAMinute_LeaseIsTakenBackOnTimeAllTheSame()
    {
        var holding = await HoldAsync(atMost: TimeSpan.FromDays(2));
        _world.Script.Verdicts["full"] = Verdict.Passing;
        _world.Time.Advance(TimeSpan.FromDays(1));
        (await _world.AdvanceAsync(holding.Id, s_minute)).State.ShouldBe(IncidentState.Holding);
        _world.Time.AdjustTime(_world.Time.GetUtcNow().AddDays(-1));

        var incident = await WatchAsync(holding.Id, s_minute * 20);

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
        Troubles(incident).ShouldBeEmpty();
    }

    [Fact]
    public async Task ClockThatWasAheadForAMinuteWhileVerifying_AFixThatDoesNotHelpIsTakenBackOnTimeAllTheSame()
    {
        _world.Time.Advance(TimeSpan.FromDays(1));
        var opened = await _world.OpenAsync(Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = null } });
        opened.State.ShouldBe(IncidentState.Verifying);
        _world.Time.AdjustTime(_world.Time.GetUtcNow().AddDays(-1));

        (await WatchAsync(opened.Id, s_minute * 20)).State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task ClockThatWasAheadForAMinuteWhenItAsked_EscalatesAndExpiresOnTimeAllTheSame()
    {
        _world.Time.Advance(TimeSpan.FromDays(1));
        var opened = await _world.OpenAsync(Given.Runbook());
        opened.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Time.AdjustTime(_world.Time.GetUtcNow().AddDays(-1));

        var asked = await WatchAsync(opened.Id, s_minute * 14);
        asked.OpenGate!.Approvers.ShouldBe(["oncall", "platform-lead"]);
        asked.Timeline.ShouldContain(line => line.What.EndsWith("ahead when this was asked. Its time counts from now.", StringComparison.Ordinal));

        (await WatchAsync(opened.Id, s_minute * 10)).State.ShouldBe(IncidentState.Expired);
    }

    /// <summary>Incidents of a storm that are approved at once have their turn one after the other.</summary>
    [Fact]
    public async Task StepThatWaitsHoursForItsTurn_PagesNobody()
    {
        await _world.OthersActForAsync(TimeSpan.FromHours(4));
        var opened = await _world.OpenAsync(Given.Runbook());
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await WatchAsync(opened.Id, TimeSpan.FromHours(3));

        incident.State.ShouldBe(IncidentState.Mitigating);
        Troubles(incident).ShouldBeEmpty();
    }

    /// <summary>Nobody need have approved it.</summary>
    [Fact]
    public async Task StepThatNeverHasItsTurn_SaysWhatItWaitedFor()
    {
        await _world.OthersActForAsync(TimeSpan.FromHours(4));
        var opened = await _world.OpenAsync(Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = null } });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3));
        await _world.OthersActForAsync(TimeSpan.FromHours(4));

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2));

        incident.Reason.ShouldBe("Step 'fix' had to wait too long: as many script.act steps are running as may run at once. Nothing was done.");
    }

    [Fact]
    public async Task StepThatCannotEvenPrepare_IsShownAsTriedAndPagesNobodyMeanwhile()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        _world.Script.BeforeLooking = _ => new IOException("no line");
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await WatchAsync(opened.Id, s_minute * 10);

        incident.State.ShouldBe(IncidentState.Mitigating);
        Troubles(incident).ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static IEnumerable<string> Troubles(Incident incident) =>
        incident.Deliveries.Where(delivery => delivery.Key.StartsWith("page:", StringComparison.Ordinal)).Select(delivery => delivery.Key.Split(':')[1]).Distinct();

    private async Task<Incident> HoldAsync(TimeSpan atMost)
    {
        var lease = new Hold(["full"], StableFor: s_minute * 5, atMost, Every: TimeSpan.FromSeconds(30));
        var runbook = Given.Runbook() with { Resolution = new() };
        var opened = await _world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }

    private async Task<Incident> WatchAsync(string id, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += s_minute)
        {
            await _world.AdvanceAsync(id, s_minute);
            await _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        }

        return await _world.SettleAsync(id);
    }
}
