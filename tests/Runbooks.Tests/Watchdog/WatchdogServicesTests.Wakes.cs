using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <content>Workflows that have not acted on what was said, or on a time that has come.</content>
public sealed partial class IncidentWatchdogTests
{
    [Fact]
    public async Task DecisionThatWasNotActedOn_WakesTheWorkflowAgain()
    {
        var (decided, _) = Asked().Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time));
        var id = await _world.OpenAsync(decided);

        await _world.CheckAsync(id, s_minute, s_minute * 2);

        _world.Engine.Woken.ShouldHaveSingleItem().ShouldBe((id, "wake-1"));
    }

    [Fact]
    public async Task StopThatWasNotActedOn_WakesTheWorkflowAgain()
    {
        var stopped = Some.Incident().RequestStop(new StopRequest("ada", "wrong alarm", Some.Time)) with { State = IncidentState.Holding, WakeEvent = "wake-3" };
        var id = await _world.OpenAsync(stopped);

        await _world.CheckAsync(id, s_minute * 3);

        _world.Engine.Woken.ShouldHaveSingleItem().ShouldBe((id, "wake-3"));
    }

    /// <summary>It is read: what was done is being taken back, which waits for days while everything is paused.</summary>
    [Fact]
    public async Task StopThatIsBeingCarriedOut_WakesNobody()
    {
        var stopped = Some.Waiting().RequestStop(new StopRequest("ada", "wrong alarm", Some.Time)) with { UndoBeganAt = Some.Time.AddSeconds(1) };
        var id = await _world.OpenAsync(stopped with { WaitsUntil = Some.Time.AddHours(2) });

        await _world.CheckAsync(id, [.. Enumerable.Repeat(s_minute, 60)]);

        _world.Engine.Woken.ShouldBeEmpty();
    }

    [Fact]
    public async Task StopWhoseUndoAPersonIsAskedFor_WakesNobodyBeforeTheyAreReminded()
    {
        var asked = Some.Gate() with { Id = Gate.IdOf(Phase.Mitigation, "valve", undoes: true), OpenedAt = Some.Time.AddSeconds(2), ExpiresAt = Some.Time.AddDays(1), Reminders = [new Reminder(Some.Time + (s_minute * 90), [])] };
        var stopped = Some.Incident().RequestStop(new StopRequest("ada", "wrong alarm", Some.Time)) with { UndoBeganAt = Some.Time.AddSeconds(1), WakeEvent = "wake-4" };
        var id = await _world.OpenAsync(stopped.AddGate(asked, asked.OpenedAt));

        await _world.CheckAsync(id, [.. Enumerable.Repeat(s_minute, 60)]);
        _world.Engine.Woken.ShouldBeEmpty();
        await _world.CheckAsync(id, s_minute * 33);

        _world.Engine.Woken.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task StopWhileAStepRuns_WakesNobodyUntilThatIsOver()
    {
        var running = Some.Incident().BeginStep(new StepSpec("drain", "kubernetes.drain", default, StepSpec.DefaultTimeout, StepRetry.Default), Phase.Mitigation, "mitigation-1", new Preparation { PlannedEffect = "Drain." }, Some.Time);
        var id = await _world.OpenAsync(running.RequestStop(new StopRequest("ada", "wrong alarm", Some.Time)) with { WakeEvent = "wake-3" });

        await _world.CheckAsync(id, s_minute * 5, s_minute);
        _world.Engine.Woken.ShouldBeEmpty();
        await _world.Store.UpdateAsync(id, i => i.FinishStep(i.Steps[0], StepStatus.Done, new("Drained."), _world.Now), CancellationToken.None);
        await _world.CheckAsync(id, s_minute * 3);

        _world.Engine.Woken.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ReminderThatIsOverdue_WakesTheWorkflowAgain()
    {
        var id = await _world.OpenAsync(Asked(Some.Gate() with { Reminders = [new Reminder(Some.Time + (s_minute * 5), [])] }));

        await _world.CheckAsync(id, s_minute * 6);
        _world.Engine.Woken.ShouldBeEmpty();
        await _world.CheckAsync(id, s_minute * 5);

        _world.Engine.Woken.ShouldHaveSingleItem();
    }
}
