using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Watchdog;
using Given = TestKit.Incidents.Given;
using Some = TestKit.Some;

namespace Runbooks.Tests.Intake;

/// <summary>An incident that a person has tried again knows what the sender has said of its alerts: no sender says it twice.</summary>
public sealed class TriedAgainTests
{
    [Fact]
    public async Task SenderHadSaidThatItIsOver_IsWithdrawnWhenTheChecksPass()
    {
        await using var world = new IntakeWorld(Given.Runbook());
        var again = await TryAgainAsync(world);
        (await world.World.SettleAsync(again)).State.ShouldBe(IncidentState.AwaitingApproval);

        world.World.Script.Verdicts["stuck"] = world.World.Script.Verdicts["full"] = Verdict.Passing;

        (await world.World.AdvanceAsync(again, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task SenderHadSaidThatItIsOverAndThereAreNoChecks_WhoeverTriesItAgainIsAsked()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("unchecked", "{{ labels.pod }}", "alertmanager", "*", checks: false));

        var again = await TryAgainAsync(world);

        (await world.World.AdvanceAsync(again, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    /// <summary>Whoever was paged about the old one is not called on and on about what the new one asks.</summary>
    [Fact]
    public async Task PageOfTheOldOne_EndsWhenItIsTriedAgain()
    {
        await using var world = new IntakeWorld(Given.Runbook());
        await world.TakeAsync(Given.Alert());
        var id = world.Only.Id;
        (await world.World.AdvanceAsync(id, TimeSpan.FromHours(1))).State.ShouldBe(IncidentState.Expired);
        var page = world.World.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Page).Card.Key;

        var again = (await world.World.Get<IncidentRetry>().RetryAsync(id, "ada", "once more", TestContext.Current.CancellationToken)).Incident!;

        world.World.Notifier.Changed.Last(changed => changed.Key == page).Card.ShouldSatisfyAllConditions(
            card => card.Title.ShouldStartWith($"Tried again as incident {again}: "), card => card.CallsNobody.ShouldBeTrue(), card => card.IsSeenTo.ShouldBeFalse());
    }

    /// <summary>Whoever had it tried again died before that was started, and another version is loaded by now.</summary>
    [Fact]
    public async Task TriedAgainBeforeAndNotStarted_StartsByTheVersionThatItIsPinnedTo()
    {
        await using var world = new WatchdogWorld();
        var older = Some.Runbook() with { Hash = "older" };
        var ended = (Some.Incident("261123-0200-aaaaaaaa") with { RunbookHash = older.Hash }).End(IncidentState.Failed, "It broke.", Some.Time);
        var again = Some.Incident() with { RunbookHash = older.Hash, RetryOf = ended.Id };
        await world.Store.OpenAsync(ended, older, _ => null, TestContext.Current.CancellationToken);
        await world.Store.OpenAsync(again, older, _ => null, TestContext.Current.CancellationToken);

        (await world.Get<IncidentRetry>().RetryAsync(ended.Id, "ada", "once more", TestContext.Current.CancellationToken)).Incident.ShouldBe(again.Id);

        world.Engine.Started.ShouldHaveSingleItem().Runbook.Hash.ShouldBe("older");
    }

    private static async Task<string> TryAgainAsync(IntakeWorld world)
    {
        await world.TakeAsync(Given.Alert());
        var id = world.Only.Id;
        await world.World.DecideAsync(id, DecisionVerb.Reject);
        await world.TakeAsync(Given.Alert() with { Status = AlertStatus.Resolved });
        var again = (await world.World.Get<IncidentRetry>().RetryAsync(id, "ada", "once more", TestContext.Current.CancellationToken)).Incident!;
        await world.World.Engine.SettleAsync();
        return again;
    }
}
