using Runbooks.Intake;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>An alert comes and goes: what is of an earlier episode changes nothing.</summary>
public sealed class EpisodeTests : EpisodeWorld
{
    [Fact]
    public async Task ResolvedOfAnEarlierEpisode_ChangesNothingAndIsToldOnce()
    {
        _world.World.Time.Advance(TimeSpan.FromDays(4));
        await _world.PostAsync("alertmanager", "05-stale-resolved-1-firing-episode2.json");
        _world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        var outcome = await _world.PostAsync("alertmanager", "05-stale-resolved-2-resolved-episode1.json");
        await _world.PostAsync("alertmanager", "05-stale-resolved-2-resolved-episode1.json");

        outcome.Outcome.ShouldBe(IntakeResult.Ignored);
        outcome.Reason!.ShouldContain("earlier episode");
        _world.Only.State.ShouldBe(IncidentState.AwaitingApproval);
        (_world.Only.AlertResolvedAt, _world.Only.AlertCount).ShouldBe((null, 1));
        _world.Only.Timeline.Count(line => line.What.Contains("came late")).ShouldBe(1);
    }

    [Fact]
    public async Task BothEpisodesInOnePostOutOfOrder_TheLaterOneCounts()
    {
        var outcomes = await _world.TakeAsync(Firing(60), Resolved(0, 30));

        outcomes.Select(outcome => outcome.Outcome).ShouldBe([IntakeResult.Opened, IntakeResult.Ignored]);
        _world.Only.AlertResolvedAt.ShouldBeNull();
    }

    [Fact]
    public async Task FiringOfAnEarlierEpisodeAfterTheEnd_OpensNothing()
    {
        await _world.TakeAsync(Firing(60));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);
        await _world.TakeAsync(Resolved(60, 70));

        (await _world.TakeAsync(Firing(0)))[0].Outcome.ShouldBe(IntakeResult.Ignored);

        _world.Only.State.ShouldBe(IncidentState.Rejected);
    }

    /// <summary>After the Prometheus servers and their Alertmanager were restarted, the first post has the start of the one that came up last.</summary>
    [Fact]
    public async Task StartThatMovedBack_StillEndsAndAsksAgain()
    {
        await _world.TakeAsync(Firing(60));
        var asked = _world.Only.Id;
        (await _world.TakeAsync(Firing(0)))[0].Outcome.ShouldBe(IntakeResult.Folded);
        await _world.World.AdvanceAsync(asked, TimeSpan.FromMinutes(30));
        _world.World.Store.All.Single().State.ShouldBe(IncidentState.Expired);

        (await _world.TakeAsync(Firing(0)))[0].Outcome.ShouldBe(IntakeResult.Opened, "it fires on, and nobody answered");
        _world.World.Script.Verdicts["stuck"] = _world.World.Script.Verdicts["full"] = Verdict.Passing;
        (await _world.TakeAsync(Resolved(0, 130)))[0].Outcome.ShouldBe(IntakeResult.Resolved);
        await _world.World.Engine.SettleAsync();
        _world.World.Store.All[^1].State.ShouldBe(IncidentState.SelfRecovered);
    }

    /// <summary>As .NET writes an end that is not known yet.</summary>
    [Fact]
    public async Task EndAtTheEndOfTime_IsUnderstood()
    {
        await _world.TakeAsync(Firing(0));

        (await _world.TakeAsync(Resolved(0, 5) with { StartsAt = null, EndsAt = DateTimeOffset.MaxValue }))[0].Outcome.ShouldBe(IntakeResult.Resolved);
    }

    [Theory]
    [InlineData(-4, 3)]
    [InlineData(4, 20)]
    [InlineData(0, -2)]
    public async Task ClocksThatDifferByMinutes_DoNoHarm(int startsAt, int endsAt)
    {
        await _world.TakeAsync(Firing(0));
        _world.World.Script.Verdicts["stuck"] = _world.World.Script.Verdicts["full"] = Verdict.Passing;

        (await _world.TakeAsync(Resolved(startsAt, endsAt)))[0].Outcome.ShouldBe(IntakeResult.Resolved);

        (await _world.World.SettleAsync(_world.Only.Id)).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task StartAheadOfTheClock_HidesNoLaterEpisode()
    {
        await _world.TakeAsync(Firing(300));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);
        await _world.TakeAsync(Resolved(300, 301));
        _world.World.Time.Advance(TimeSpan.FromMinutes(20));

        (await _world.TakeAsync(Firing(135)))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Fact]
    public async Task ShortEpisodesMinutesApart_AreToldApartByTheirStarts()
    {
        await _world.TakeAsync(Firing(0), Resolved(0, 1), Firing(2));

        (await _world.TakeAsync(Resolved(0, 1)))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        _world.Only.AlertResolvedAt.ShouldBeNull();
    }

    [Fact]
    public async Task FiresAgainWhileAPersonDrives_IsInTheTimeline()
    {
        await _world.TakeAsync(Firing(0));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.TakeOver);
        await _world.TakeAsync(Resolved(0, 10));

        (await _world.TakeAsync(Firing(20)))[0].Outcome.ShouldBe(IntakeResult.Folded);

        _world.Only.Timeline[^1].What.ShouldBe("InferenceRequestsStuck fires again.");
    }

    /// <summary>Prometheus was restarted, or the message got lost.</summary>
    [Fact]
    public async Task FiresAnewWithoutAnEndInBetween_IsInTheTimeline()
    {
        await _world.TakeAsync(Firing(0));
        await _world.TakeAsync(Firing(1));
        _world.Only.Timeline.ShouldNotContain(line => line.What.EndsWith("fires again."));

        await _world.TakeAsync(Firing(20));

        _world.Only.Timeline[^1].What.ShouldBe("InferenceRequestsStuck fires again.");
    }
}
