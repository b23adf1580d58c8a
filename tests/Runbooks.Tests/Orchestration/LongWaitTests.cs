using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>However long an incident waits, and however often it is woken, what has to be replayed stays small.</summary>
public sealed class LongWaitTests : IAsyncDisposable
{
    private const int Bound = 700;
    private static readonly Runbook s_runbook = Given.Runbook();
    private readonly IncidentWorld _world = new(new WorldHubOptions { ReplayEveryTurn = false });

    [Fact]
    public async Task LeaseOfAWeek_HasABoundedHistoryAndIsTakenBackAtItsEnd()
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromDays(2), Every: TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromDays(7));

        incident.State.ShouldBe(IncidentState.Holding);
        incident.Deliveries.Count(delivery => delivery.Key.StartsWith("page:lease", StringComparison.Ordinal)).ShouldBe(2, "one to whoever was asked, one to the fallback");
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(Bound);
        _world.Script.Deeds.ShouldBe(["do fix"]);

        _world.Script.Verdicts["full"] = Verdict.Passing;
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix", "do ticket"]);
    }

    [Fact]
    public async Task LeaseThatAsksRarely_DoesNotAskMoreOftenWhileItsCauseLasts()
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromDays(2), Every: TimeSpan.FromMinutes(20));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var before = _world.Script.Asked.Count(check => check == "full");

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(4));

        (_world.Script.Asked.Count(check => check == "full") - before).ShouldBeInRange(6, 12);
    }

    [Fact]
    public async Task GateOfThreeDays_WokenEveryMinuteHasABoundedHistoryAndIsApprovedInTheEnd()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromDays(3) } } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        for (var minute = 0; minute < 200; minute++)
        {
            var waiting = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));
            await _world.Engine.RaiseAsync(opened.Id, waiting.WakeEvent!);
        }

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(60));
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(Bound);
        _world.Script.Asked.Count.ShouldBe(2, "a new execution does not diagnose again");

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    [Fact]
    public async Task GateOfThreeDaysThatNobodyAnswers_ExpiresInTime()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromDays(3) } } });

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(71))).State.ShouldBe(IncidentState.AwaitingApproval);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2))).State.ShouldBe(IncidentState.Expired);
    }

    [Fact]
    public async Task VerificationOfADay_HasABoundedHistory()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Verify = new(["stuck"], TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)) } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(23));
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(Bound);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2));
        incident.State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
