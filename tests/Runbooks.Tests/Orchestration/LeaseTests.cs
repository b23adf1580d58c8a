using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Tests.Orchestration;

/// <summary>A temporary fix is held until its cause has been gone for a while, and whoever has to know of that is told.</summary>
public sealed class LeaseTests : LeaseWorld
{
    [Fact]
    public async Task Lease_IsHeldUntilTheCauseHasBeenGoneForAWhileThenReverted()
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(2), Every: TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Holding);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(60));
        incident.State.ShouldBe(IncidentState.Holding);
        _world.Script.Count("undo fix").ShouldBe(0);

        _world.Script.Verdicts["full"] = Verdict.Passing;
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4));
        incident.State.ShouldBe(IncidentState.Holding);
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(8));

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task TimeInWhichNobodyLooked_DoesNotEndALease()
    {
        var holding = await HoldAsync();
        _world.Script.Verdicts["full"] = Verdict.Passing;
        await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(2));
        _world.Time.Advance(TimeSpan.FromMinutes(10));

        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(4));
        incident.State.ShouldBe(IncidentState.Holding);
        incident.Timeline.ShouldContain(line => line.What.StartsWith("The checks were not asked for 10m", StringComparison.Ordinal));
        Lease.Of(incident, await _world.Get<Runbooks.Storage.PinnedRunbooks>().OfAsync(incident, CancellationToken.None))!.HealthySince.ShouldBe(_world.Time.GetUtcNow() - TimeSpan.FromMinutes(4));

        (await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task OneValueAskedForAWhile_DoesNotEndALease()
    {
        var holding = await HoldAsync();
        _world.Script.Verdicts["full"] = Verdict.Passing;
        var began = _world.Time.GetUtcNow() + TimeSpan.FromSeconds(1);
        _world.Script.Measured["full"] = began;

        (await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(12))).State.ShouldBe(IncidentState.Holding);

        _world.Script.Measured["full"] = began + TimeSpan.FromMinutes(11);
        (await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>Another incident's undo has switched off what both share: the cause lasts, and users are broken again.</summary>
    [Fact]
    public async Task FixThatHelpsNoLongerWhileItIsHeld_PagesOnceAndStaysUntilItsCauseIsGone()
    {
        var holding = await HoldAsync();
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        var broken = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(30));

        broken.State.ShouldBe(IncidentState.Holding);
        broken.Reason!.ShouldStartWith("What showed that the temporary fix helps fails now: stuck: failing");
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback).ShouldBe(1);

        _world.Script.Verdicts["full"] = Verdict.Passing;
        var ended = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(15));

        ended.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldContain("undo fix");
        ended.Reason!.ShouldContain("Not passing when asked last, before the fix was taken back: stuck: failing", Case.Sensitive, "whoever was paged takes it for an all-clear otherwise");
        _world.Notifier.Sent.Last(sent => sent.Card.IsEnd).Card.Sections.ShouldContain(section => section.Heading.StartsWith("What the checks said last", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OneRoundThatFailsWhileItIsHeld_PagesNobody()
    {
        var holding = await HoldAsync();
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        await _world.AdvanceAsync(holding.Id, TimeSpan.FromSeconds(61));
        _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var held = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(10));

        (held.State, held.Reason).ShouldBe((IncidentState.Holding, null));
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    [Fact]
    public async Task LeaseThatLastsTooLong_PagesAndStays()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(2), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(5));

        incident.State.ShouldBe(IncidentState.Holding);
        _world.Notifier.To(CardKind.Page).Count(to => to == ContactBook.Fallback).ShouldBe(1);
    }

    [Fact]
    public async Task LeaseThatBegins_IsToldToWhoeverApprovedOnce()
    {
        var incident = await HoldAsync();

        var told = _world.Notifier.Sent.Where(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal)).ToList();
        told.ShouldHaveSingleItem().Card.Sections.ShouldContain(section => section.Lines.Any(line => line.Contains("taken back once full has passed for 5m without a break", StringComparison.Ordinal)));
        Lease.Of(incident, await _world.Get<Runbooks.Storage.PinnedRunbooks>().OfAsync(incident, CancellationToken.None)).ShouldNotBeNull().Held.ShouldHaveSingleItem().ShouldStartWith("fix: ");

        await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(60));
        _world.Notifier.Sent.Count(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [InlineData(12, 12, 8)]
    [InlineData(180, 60, 18)]
    public async Task LeaseThatNobodyCouldBeToldOf_IsToldOnceSomebodyIsReached(int down, int until, int lines)
    {
        _world.Notifier.Failure = _ => _world.Script.Deeds.IsEmpty ? null : new IOException("down");
        var holding = await HoldAsync();
        await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(down));
        IsTold().ShouldBeFalse();

        _world.Notifier.Failure = _ => null;
        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(until));

        IsTold().ShouldBeTrue(string.Join('\n', incident.Deliveries));
        incident.Deliveries.Count(delivery => delivery.Key.StartsWith("holding", StringComparison.Ordinal)).ShouldBeLessThan(lines);

        bool IsTold() => _world.Notifier.Sent.Any(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal));
    }
}
