using Runbooks.Execution;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Watchdog;
using Given = TestKit.Incidents.Given;
using Some = TestKit.Some;

namespace Runbooks.Tests.Execution;

/// <summary>Where what goes on after an end goes when something else opened on the target meanwhile.</summary>
public sealed class NextIncidentTests : SettleWorld
{
    private static readonly Alert s_other = Given.Alert() with { Name = "DiskFull", Fingerprint = "f2" };

    /// <summary>It is told, since its plan may not be for these alerts: unless it was opened for this very end, or looks at them anyway.</summary>
    [Theory]
    [InlineData("", "DiskFull", false, true)]
    [InlineData("", "InferenceRequestsStuck", false, false)]
    [InlineData("", "InferenceRequestsStuck,DiskFull", false, true)]
    [InlineData("", "InferenceRequestsStuck", true, true)]
    [InlineData("follows", "DiskFull", true, false)]
    [InlineData("followUp", "DiskFull", true, false)]
    public async Task AnotherIsOpen_GetsTheAlertsAndIsToldWhereItDoesNotLookAtThem(string link, string alerts, bool broken, bool told)
    {
        var ended = await ResolvedAsync();
        var open = Given.Incident(s_runbook, "261123-0400-bbbbbb") with { Follows = link == "follows" ? ended.Id : null, FollowUpOf = link == "followUp" ? ended.Id : null };
        await _world.Store.OpenAsync(open, s_runbook, _ => null, CancellationToken.None);

        var next = await NextAsync(ended, [.. alerts.Split(',').Select(name => name == s_other.Name ? s_other : Given.Alert())], broken);

        next.Id.ShouldBe(open.Id);
        next.Alerts.Select(alert => alert.Name).ShouldBe(alerts.Contains(s_other.Name, StringComparison.Ordinal) ? [open.Alert.Name, s_other.Name] : [open.Alert.Name]);
        next.News.Any(news => news.Text.StartsWith("It goes on.", StringComparison.Ordinal)).ShouldBe(told);
        next.AlertCount.ShouldBe(next.Alerts.Count, "what it knows is not counted again");
    }

    /// <summary>What opens it was counted in the incident that ended, and not in one in between.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnotherOpenedAndEnded_SaysHowOftenTheAlertCame(bool between)
    {
        var ended = await ResolvedAsync();
        if (between)
        {
            var other = Given.Incident(s_runbook, "261123-0400-bbbbbb") with { State = IncidentState.SelfRecovered, OpenedAt = Given.Night, ClosedAt = Given.Night };
            await _world.Store.OpenAsync(other, s_runbook, _ => null, CancellationToken.None);
        }

        var next = await NextAsync(ended, [Given.Alert()], broken: false);

        next.RecurrenceLines().Count.ShouldBe(between ? 1 : 0);
    }

    /// <summary>What became of one that was opened for the same end is known: no second one is opened for it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OneWasOpenedForTheSameEndAndHasEnded_NoSecondOneIsOpened(bool broken)
    {
        var ended = await ResolvedAsync();
        var first = await NextAsync(ended, [s_other], broken);
        await _world.Store.UpdateAsync(first.Id, i => (i with { State = IncidentState.Expired }, true), CancellationToken.None);

        (await NextAsync(ended, [s_other], broken)).Id.ShouldBe(first.Id);
    }

    /// <summary>It opened when another version was loaded, and its own start is still to come.</summary>
    [Fact]
    public async Task AnotherIsOpenAndNotStarted_StartsByTheVersionThatItIsPinnedTo()
    {
        await using var world = new WatchdogWorld();
        var (older, newer) = (Some.Runbook(), Some.Runbook() with { Hash = "newer" });
        await world.Store.OpenAsync(Some.Incident() with { RunbookHash = newer.Hash }, newer, _ => null, CancellationToken.None);
        var ended = Some.Incident("261123-0200-aaaaaaaa") with { State = IncidentState.Resolved };

        var next = world.Get<NextIncident>();
        await next.StartAsync(await next.OpenAsync(ended, older, [Some.Alert()], "It goes on.", one => one with { FollowUpOf = ended.Id }, CancellationToken.None));

        world.Engine.Started.ShouldHaveSingleItem().Runbook.Hash.ShouldBe("newer");
    }

    /// <summary>Somebody stopped it in a call that must not be repeated: what goes on for an alert that began since asks for the same call.</summary>
    [Fact]
    public async Task NobodyKnowsWhetherAStepOfTheOneThatEndedHappened_IsKnown()
    {
        var ended = await _world.Store.UpdateAsync(
            (await ResolvedAsync()).Id,
            i => (i with { State = IncidentState.Cancelled, SettlesAt = null, Steps = [.. i.Steps.Select(step => step with { Status = StepStatus.Unknown })] }, true),
            CancellationToken.None);

        (await NextAsync(ended.Incident, [Given.Alert()], broken: false)).Tried?.Unknown.ShouldBe(["fix"]);
    }

    /// <param name="broken">The fix did not hold, so that the next one says so; otherwise it is a follow-up.</param>
    private Task<Incident> NextAsync(Incident ended, IReadOnlyList<Alert> alerts, bool broken) => _world.Get<NextIncident>().OpenAsync(
        ended, s_runbook, alerts, "It goes on.", next => broken ? next with { Follows = ended.Id } : next with { FollowUpOf = ended.Id }, CancellationToken.None);
}
