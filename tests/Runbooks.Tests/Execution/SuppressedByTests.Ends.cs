using Runbooks.Approvals;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <content>What ends the waiting, and what comes then.</content>
public sealed partial class SuppressedByTests
{
    [Theory]
    [InlineData(true, IncidentState.NotNeeded)]
    [InlineData(false, IncidentState.AwaitingApproval)]
    public async Task OtherHelped_ItsOwnChecksDecide(bool passes, IncidentState expected)
    {
        var (database, web) = await OpenBothAsync();
        _world.World.Script.OnDone = _ =>
        {
            _world.World.Script.Verdicts["database"] = Verdict.Passing;
            _world.World.Script.Verdicts["web"] = passes ? Verdict.Passing : Verdict.Failing;
        };

        await _world.World.DecideAsync(database.Id, DecisionVerb.Approve);

        (await FindAsync(database)).State.ShouldBe(IncidentState.Resolved);
        (await FindAsync(web)).State.ShouldBe(expected);
        _world.World.Script.Asked.ShouldContain("web");
    }

    [Theory]
    [InlineData(DecisionVerb.Reject)]
    [InlineData(null)]
    public async Task OtherEndsWithoutHelping_ItAsks(DecisionVerb? verb)
    {
        var (database, web) = await OpenBothAsync();

        if (verb is { } decided)
        {
            await _world.World.DecideAsync(database.Id, decided);
        }
        else
        {
            await _world.World.AdvanceAsync(database.Id, TimeSpan.FromMinutes(21));
        }

        var asked = await FindAsync(web);
        (asked.State, asked.IsWaitingForOther).ShouldBe((IncidentState.AwaitingApproval, false));
        asked.Timeline.ShouldContain(line => line.What.StartsWith($"Incident {database.Id}, for which this one waited, has ended (") && line.What.EndsWith("Its own checks are asked."));
    }

    [Fact]
    public async Task OtherWasApprovedInPart_IsNotSaidToHaveHadNoAnswer()
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Mitigation = _world.Runbooks[0].Mitigation with { Approval = Given.Approval() with { Required = 2 } } };
        var (database, web) = await OpenBothAsync();
        await _world.World.DecideAsync(database.Id, DecisionVerb.Approve);

        await _world.World.AdvanceAsync(database.Id, TimeSpan.FromMinutes(21));

        (await FindAsync(web)).Timeline.ShouldContain(line => line.What == $"Incident {database.Id}, for which this one waited, has ended (Not approved in time). Its own checks are asked.");
    }

    [Fact]
    public async Task OtherIsTakenOver_ItWaitsUntilItIsClosed()
    {
        var (database, web) = await OpenBothAsync();
        await _world.World.DecideAsync(database.Id, DecisionVerb.TakeOver);
        (await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(5))).IsWaitingForOther.ShouldBeTrue();

        await _world.World.Get<IncidentVerbService>().CloseAsync(database.Id, "ada", "restarted it", TestContext.Current.CancellationToken);

        (await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task OtherNeverEnds_ItAsksAfterTheLongestTimeAndNobodyIsPagedMeanwhile()
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Mitigation = _world.Runbooks[0].Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromHours(9), Escalate = [], RemindAfter = null } } };
        var (_, web) = await OpenBothAsync();

        await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(59));
        await _world.World.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);
        (await FindAsync(web)).IsWaitingForOther.ShouldBeTrue();
        _world.World.Notifier.To(CardKind.Page).ShouldBeEmpty();
        var asked = await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(2));

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Timeline.ShouldContain(line => line.What.StartsWith("It has waited for 1h"));
        (await _world.World.Engine.HistoryAsync(web.Id)).Count.ShouldBeLessThan(400);
    }

    [Fact]
    public async Task ItsOwnAlertIsOver_ItEndsOnlyIfItsChecksAgree()
    {
        var (_, web) = await OpenBothAsync();
        var over = Alert("WebDown") with { Status = AlertStatus.Resolved };

        await _world.TakeAsync(over);
        (await FindAsync(web)).IsWaitingForOther.ShouldBeTrue();
        _world.World.Script.Verdicts["web"] = Verdict.Passing;

        (await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task SomethingMoreSevereComes_ItAsksAtOnce()
    {
        var (_, web) = await OpenBothAsync();

        await _world.TakeAsync(Alert("WebDown") with { Fingerprint = "worse", Severity = "critical" });

        (await FindAsync(web)).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    /// <summary>An outage that ends and a restored backup are urgent too.</summary>
    [Fact]
    public async Task OtherUrgentNewsComes_ItIsNotCalledMoreSevere()
    {
        var (_, web) = await OpenBothAsync();
        await _world.World.Store.UpdateAsync(
            web.Id, i => (i.AddNews("outage", "azure", "Azure says of outage 8L7C-DVZ, stage Resolved", _world.World.Time.GetUtcNow(), urgent: true), true), TestContext.Current.CancellationToken);

        var asked = await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(1));

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Timeline.ShouldContain(line => line.What == "It waits no longer, because there is news: Azure says of outage 8L7C-DVZ, stage Resolved. Its own checks are asked.");
    }

    [Fact]
    public async Task SomebodyCancelsIt_ItEndsAtOnce()
    {
        var (_, web) = await OpenBothAsync();

        await _world.World.Get<IncidentVerbService>().StopAsync(web.Id, "ada", "known", TestContext.Current.CancellationToken);

        (await _world.World.SettleAsync(web.Id)).State.ShouldBe(IncidentState.Cancelled);
    }

    [Fact]
    public async Task OneThatWaitsCannotBeRead_TheEndOfTheOtherIsToldAllTheSame()
    {
        var (database, web) = await OpenBothAsync();
        _world.World.Store.Unreadable = web.Id;

        await _world.World.DecideAsync(database.Id, DecisionVerb.Reject);

        (await FindAsync(database)).State.ShouldBe(IncidentState.Rejected);
        _world.World.Notifier.To(CardKind.Closed).ShouldNotBeEmpty();
    }
}
