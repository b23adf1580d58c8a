using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

public sealed partial class KillSwitchTests
{
    [Fact]
    public async Task KillSwitchThatStaysOn_EndsAnApprovedStepAfterAWhileAndUndoesWhatWasDoneAtTheRelease()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
        var opened = await OpenAsync(runbook);
        _world.Script.OnDone = _ => EngageKillSwitchAsync().GetAwaiter().GetResult();

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(45));

        incident.State.ShouldBe(IncidentState.Mitigating);
        incident.Reason!.ShouldStartWith("one is not taken back yet: The kill switch is on");
        _world.Script.Deeds.ShouldBe(["do one"]);
        incident.Timeline.ShouldContain(line => line.Kind == TimelineKind.Safety && line.What.Contains("kill switch"));
        _world.Notifier.To(CardKind.Page).ShouldContain(ContactBook.Fallback);

        await ReleaseKillSwitchAsync();
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldContain("Undone: one.");
        _world.Script.Deeds.ShouldBe(["do one", "undo one"]);
    }

    /// <summary>A day of a kill switch neither ends the incident nor makes its history long, and people hear of it once.</summary>
    [Fact]
    public async Task UndoWhileTheKillSwitchIsOn_WaitsAndIsDoneAtTheRelease()
    {
        var opened = await OpenAsync(s_asks);
        _world.Script.OnDone = _ => { };
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await EngageKillSwitchAsync();

        var paused = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(24));

        paused.State.IsFinal().ShouldBeFalse();
        EndingText.Headline(paused).ShouldBe("Taking back");
        paused.Timeline.Where(line => line.What.StartsWith("Taking back fix: The fix did not help within", StringComparison.Ordinal)).ShouldHaveSingleItem();
        _world.Script.Deeds.ShouldNotContain("undo fix");
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback).ShouldBe(1);
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(1_000);
        IncidentProgress.Of(paused, s_asks, _world.Time.GetUtcNow()).Due.ShouldBeGreaterThan(_world.Time.GetUtcNow());

        await ReleaseKillSwitchAsync();
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(31));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldContain("Undone: fix.");
    }

    /// <summary>To look changes nothing: what the page says of the checks is so, and their time need not begin again.</summary>
    [Fact]
    public async Task KillSwitchDuringALease_LeavesItInPlaceAndRevertsAtTheRelease()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { HoldUntil = s_lease } };
        var opened = await OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var killSwitch = _world.Get<KillSwitch>();
        await killSwitch.EngageAsync("ada", "hands off", CancellationToken.None);
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        held.State.ShouldBe(IncidentState.Holding);
        held.Reason.ShouldNotBeNull().ShouldStartWith("The kill switch is on");
        Lease.Of(held, runbook)!.HealthySince.ShouldNotBeNull().ShouldBeLessThan(Given.Night.AddMinutes(10));
        (_world.Time.GetUtcNow() - held.Verification.Max(finding => finding.At)).ShouldBeLessThanOrEqualTo(s_lease.Every);
        _world.Script.Count("undo fix").ShouldBe(0);

        await killSwitch.ReleaseAsync("ada", "understood", stop: null, CancellationToken.None);
        (await _world.AdvanceAsync(opened.Id, s_lease.Every)).State.ShouldBe(IncidentState.Resolved);
        (await killSwitch.ReadAsync(CancellationToken.None)).Changes.Select(change => change.Reason).ShouldBe(["hands off", "understood"]);
    }

    [Fact]
    public async Task KillSwitchDuringALeaseWhoseCauseIsBack_TheTimeBeginsAgain()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { HoldUntil = s_lease } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await EngageKillSwitchAsync();
        _world.Script.Verdicts["full"] = Verdict.Passing;
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));
        _world.Script.Verdicts["full"] = Verdict.Failing;
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));
        _world.Script.Verdicts["full"] = Verdict.Passing;

        await ReleaseKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, s_lease.StableFor)).State.ShouldBe(IncidentState.Holding);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>Nobody may take it back, so somebody has to know: the model that took over is down as well.</summary>
    [Fact]
    public async Task FixThatHelpsNoLongerWhileTheKillSwitchIsOn_IsTold()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { HoldUntil = s_lease } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await EngageKillSwitchAsync();
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));

        held.State.ShouldBe(IncidentState.Holding);
        held.Reason.ShouldNotBeNull().ShouldStartWith("What showed that the temporary fix helps fails now: stuck: failing");
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback).ShouldBe(1);
    }
}
