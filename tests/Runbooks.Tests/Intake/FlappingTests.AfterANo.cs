using Runbooks.Intake;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Intake;

/// <content>A no to what comes and goes: how far it holds, and what asks all the same.</content>
public sealed partial class FlappingTests
{
    [Fact]
    public async Task NoToAFlappingAlert_HoldsForItsComingAndGoing()
    {
        var refused = await RefuseAsync();

        var again = await FireAsync();
        await EndAsync();
        await FlapAsync();

        (again.Outcome, again.Id).ShouldBe((IntakeResult.Folded, refused));
        again.Reason!.ShouldContain("does not ask again until it has been quiet");
        _world.World.Store.All.Count.ShouldBe(3);
        _world.World.Store.All[^1].Timeline.Count(line => line.What.Contains("It does not ask again")).ShouldBe(1);
        (await FireAsync(alert => alert with { Fingerprint = "f2", Severity = "page", Labels = alert.Labels })).Outcome.ShouldBe(IntakeResult.Folded);
        _world.World.Time.Advance(TimeSpan.FromMinutes(16));
        (await FireAsync()).Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Fact]
    public async Task AnotherAlertOfTheSameName_AsksThoughANoHoldsForTheFirst()
    {
        await RefuseAsync();

        var other = await FireAsync(alert => alert with { Fingerprint = "f9", Labels = new Dictionary<string, string>(alert.Labels) { ["mountpoint"] = "/data" } });

        other.Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Fact]
    public async Task ComesAgainAfterTheNoAndStays_IsAskedAboutAlthoughNobodyRepeatsIt()
    {
        await RefuseAsync();
        await FireAsync();

        await _world.WatchAsync(20);

        var asked = _world.World.Store.All[^1];
        (_world.World.Store.All.Count, asked.State).ShouldBe((4, IncidentState.AwaitingApproval));
        asked.OpenGate!.Warnings[0].ShouldStartWith("The last decision on this target was a no");
        asked.Timeline[1].What.ShouldStartWith("The alert came again after a no, and has not ended since.");
    }

    /// <summary>In one post the alert that a no holds for, and one that nobody has seen.</summary>
    [Fact]
    public async Task AnotherAlertBesideTheOneThatANoHoldsFor_AsksInItsOwnName()
    {
        for (var n = 0; n < 3; n++)
        {
            await FlapAsync();
        }

        var refused = _world.World.Store.All[^1].Id;
        await _world.World.DecideAsync(refused, DecisionVerb.Reject);

        var outcomes = await _world.TakeAsync(Firing(), Firing() with { Fingerprint = "tmp", Labels = new Dictionary<string, string>(Firing().Labels) { ["folder"] = "/tmp" } });

        outcomes.Select(outcome => outcome.Outcome).ShouldBe([IntakeResult.Folded, IntakeResult.Opened]);
        outcomes[0].Id.ShouldBe(refused);
        _world.World.Store.All.Single(incident => incident.Id == outcomes[1].Id).Alert.Fingerprint.ShouldBe("tmp");
    }

    /// <summary>It flaps, and a person says no.</summary>
    private async Task<string> RefuseAsync()
    {
        await FlapAsync();
        await FlapAsync();
        await FireAsync();
        var refused = _world.World.Store.All[^1].Id;
        await _world.World.DecideAsync(refused, DecisionVerb.Reject);
        await EndAsync();
        return refused;
    }
}
