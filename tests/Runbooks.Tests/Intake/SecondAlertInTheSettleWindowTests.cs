using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>Another alert on a target whose incident has just ended gets what is its own, and whether the fix holds is looked into all the same.</summary>
public sealed class SecondAlertInTheSettleWindowTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Disk());

    [Fact]
    public async Task AlertInTheSettleWindowWithOtherParameters_GetsAnIncidentOfItsOwn()
    {
        _world.Runbooks[0] = IntakeWorld.Disk() with { Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(30) } };
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var first = _world.Only;
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.World.DecideAsync(first.Id, DecisionVerb.Approve);
        (await _world.TakeAsync(first.Alert with { Fingerprint = "fired again" }))[0].Outcome.ShouldBe(IntakeResult.Folded);
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;

        var answer = await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");

        answer.Outcome.ShouldBe(IntakeResult.Opened);
        var second = _world.World.Store.All[^1];
        (second.State, second.Alert.Labels["folder"], second.Follows).ShouldBe((IncidentState.AwaitingApproval, "/tmp", null));
    }

    /// <summary>Otherwise nobody would look whether the fix holds, and the next question would not say that it did not.</summary>
    [Fact]
    public async Task RepeatAndAnotherAlertInOnePostInTheSettleWindow_EachGoesWhereItBelongs()
    {
        var first = await FixedAsync();
        var other = await OtherAsync();

        var answers = await _world.TakeAsync(other, first.Alert with { Fingerprint = "fired again" });

        answers.Select(answer => answer.Outcome).ShouldBe([IntakeResult.Opened, IntakeResult.Folded]);
        answers[1].Id.ShouldBe(first.Id);
        _world.World.Store.All[^1].Alert.Labels["folder"].ShouldBe("/tmp");
    }

    [Fact]
    public async Task NoToAnIncidentInBetween_CountsForTheOneThatGoesOn()
    {
        var first = await FixedAsync();
        _world.World.Time.Advance(TimeSpan.FromMinutes(1));
        await _world.TakeAsync(first.Alert with { Fingerprint = "fired again" });
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
        await _world.TakeAsync(await OtherAsync());
        await _world.World.DecideAsync(_world.World.Store.All[1].Id, DecisionVerb.Reject);

        await _world.World.AdvanceAsync(first.Id, TimeSpan.FromMinutes(11));

        var third = _world.World.Store.All[2];
        (third.Follows, third.EarlierNo?.Incident).ShouldBe((first.Id, _world.World.Store.All[1].Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FixThatDoesNotHoldWhileAnotherIncidentIsOpen_TellsThatOne(bool inStorm)
    {
        _world.Runbooks[0] = IntakeWorld.Disk() with { Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(10) } };
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var first = _world.Only;
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.World.DecideAsync(first.Id, DecisionVerb.Approve);
        _world.World.Time.Advance(TimeSpan.FromMinutes(1));
        await _world.TakeAsync(first.Alert with { Fingerprint = "fired again" });
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        await _world.World.Store.UpdateAsync(_world.World.Store.All[1].Id, incident => (incident with { Storm = inStorm ? "storm-1" : null }, true), CancellationToken.None);

        await _world.World.AdvanceAsync(first.Id, TimeSpan.FromMinutes(11));

        var second = _world.World.Store.All[1];
        second.Others.ShouldHaveSingleItem().Alert!.Labels["folder"].ShouldBe("/var/tmp");
        _world.World.Store.All[0].Timeline[^1].What.ShouldContain(second.Id);
        var said = $"The last fix did not hold: the alert came again after incident {first.Id} was resolved, and its checks fail.";
        var told = _world.World.Notifier.Sent.Single(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal)).Card;
        told.Sections.SelectMany(section => section.Lines).ShouldContain(line => line.StartsWith(said, StringComparison.Ordinal));
        second.Timeline.Count(line => line.What.StartsWith(said, StringComparison.Ordinal)).ShouldBe(1);

        await _world.World.DecideAsync(second.Id, DecisionVerb.Reject);
        var third = _world.World.Store.All[2];
        (third.FollowUpOf, third.Follows, third.Alert.Labels["folder"]).ShouldBe((second.Id, first.Id, "/var/tmp"));
        third.OpenGate!.Warnings.ShouldContain($"The last fix did not hold: incident {first.Id} on this target was resolved before this.");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> FixedAsync()
    {
        _world.Runbooks[0] = IntakeWorld.Disk() with { Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(10) } };
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Approve);
        return _world.Only;
    }

    private async Task<Alert> OtherAsync()
    {
        await using var world = new IntakeWorld(IntakeWorld.Disk());
        await world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        return world.Only.Alert;
    }
}
