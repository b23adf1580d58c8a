using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>An alert that begins again between the last look at an incident and the record of its end is looked at all the same.</summary>
public sealed class FiresAgainAtTheEndTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = IntakeWorld.Runbook("stuck", "{{ labels.pod }}", "alertmanager", "*") with { Resolution = new() { Steps = [Given.Step("ticket")] } };
    private readonly IntakeWorld _world = new(s_runbook with { Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(30) } });

    [Fact]
    public async Task WhileTheResolutionRuns_TheSettleWindowLooksAtOnce()
    {
        var first = await FixAsync(() => FireAgain(1));
        _world.World.Store.All.Count.ShouldBe(1, "the checks pass");

        first = await _world.World.Store.GetAsync(first.Id, CancellationToken.None);
        first.FiresUnseen().ShouldBeTrue();
        _world.World.Script.Asked.Count(name => name == "stuck").ShouldBe(3, "diagnosis, verification, and the look at once");
    }

    [Fact]
    public async Task WhileTheResolutionRunsAndTheFixDoesNotHold_ANewIncidentOpensAtOnce()
    {
        var first = await FixAsync(() =>
        {
            FireAgain(1);
            _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
        });

        _world.World.Store.All[^1].Follows.ShouldBe(first.Id);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(-1, 1)]
    public async Task WhereNoSettleWindowLooks_ItGetsAnIncidentOfItsOwn(int minutesAfterTheLastLook, int incidents)
    {
        _world.Runbooks[0] = s_runbook;

        var first = await FixAsync(() => FireAgain(minutesAfterTheLastLook));

        _world.World.Store.All.Count.ShouldBe(incidents);
        if (incidents > 1)
        {
            var next = _world.World.Store.All[^1];
            (next.FollowUpOf, next.Alert.Name, next.Alert.StartsAt).ShouldBe((first.Id, first.Alert.Name, Given.Night.AddMinutes(1)));
        }
    }

    [Fact]
    public async Task AnotherOfThatNameBegins_OnlyThatOneGetsAnIncidentOfItsOwn()
    {
        _world.Runbooks[0] = s_runbook;

        var first = await FixAsync(() => Attach(_world.World, [Firing(1) with { Fingerprint = "another" }], 1));

        var next = _world.World.Store.All[^1];
        (next.FollowUpOf, next.Alert.Fingerprint).ShouldBe((first.Id, "another"));
        next.Alerts.ShouldHaveSingleItem();
    }

    /// <summary>The host may be restarted between the two writes.</summary>
    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task AfterTheQuestionWasWithdrawn_ItGetsAnIncidentOfItsOwn(bool again, int incidents)
    {
        IncidentWorld? world = null;
        await using var withdrawn = world = new IncidentWorld(new WorldHubOptions
        {
            Around = (name, work) =>
            {
                Attach(world!, again && name == nameof(Runbooks.Orchestration.EndIncident) ? [Given.Alert()] : [], 2);
                return work();
            },
        });
        var opened = await world.OpenAsync(s_runbook);
        world.Script.Verdicts["stuck"] = Verdict.Passing;

        var ended = await world.ResolveAlertAsync(opened.Id);

        (ended.State, world.Store.All.Count).ShouldBe((IncidentState.SelfRecovered, incidents));
        world.Store.All[^1].FollowUpOf.ShouldBe(again ? opened.Id : null);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <param name="meanwhile">What happens while the last step runs.</param>
    private async Task<Incident> FixAsync(Action meanwhile)
    {
        await _world.TakeAsync(Firing(0));
        var id = _world.Only.Id;
        _world.World.Script.OnDone = name =>
        {
            _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
            if (name == "ticket")
            {
                meanwhile();
            }
        };
        await _world.World.DecideAsync(id, DecisionVerb.Approve);
        return await _world.World.Store.GetAsync(id, CancellationToken.None);
    }

    private void FireAgain(int minute) => Attach(_world.World, [Firing(0) with { Status = AlertStatus.Resolved, EndsAt = Given.Night }, Firing(minute)], minute);

    private static void Attach(IncidentWorld world, IReadOnlyList<Alert> alerts, int minute) => world.Store.UpdateAsync(
        world.Store.All[0].Id, i => (alerts.Aggregate(i, (changed, alert) => changed.Attach(alert, Given.Night.AddMinutes(minute))), true), CancellationToken.None).GetAwaiter().GetResult();

    private static Alert Firing(int minute) => Given.Alert() with { StartsAt = Given.Night.AddMinutes(minute) };
}
