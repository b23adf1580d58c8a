using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Storage;

namespace Runbooks.Tests.Watchdog;

public sealed class RetentionTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task ClosedIncidents_GoWithEvidenceAndHistoryAfterTheirTime()
    {
        var old = await _world.OpenAsync(Some.Incident("261123-0312-aaaaaaaa", "a") with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        var open = await _world.OpenAsync(Some.Incident("261123-0312-bbbbbbbb", "b"));
        var reference = await _world.Evidence.SaveAsync(old, "logs.txt", new MemoryStream([1]), CancellationToken.None);
        _world.Time.Advance(TimeSpan.FromDays(89));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        _world.Engine.Forgotten.ShouldBeEmpty();

        _world.Time.Advance(TimeSpan.FromDays(2));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);

        (await _world.Store.FindAsync(old, CancellationToken.None)).ShouldBeNull();
        (await _world.Evidence.OpenAsync(reference, CancellationToken.None)).ShouldBeNull();
        _world.Engine.Forgotten.ShouldBe([old]);
        (await _world.Store.FindAsync(open, CancellationToken.None)).ShouldNotBeNull();
    }

    /// <summary>The window may be a month, and records be kept for days: its workflow still has to read the record.</summary>
    [Fact]
    public async Task IncidentWhoseFixStillSettles_StaysUntilTheWindowIsOver()
    {
        var id = await _world.OpenAsync(Some.Incident() with { State = IncidentState.Resolved, ClosedAt = Some.Time, SettlesAt = Some.Time.AddDays(100) });
        _world.Time.Advance(TimeSpan.FromDays(95));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        (await _world.Store.FindAsync(id, CancellationToken.None)).ShouldNotBeNull();
        _world.Engine.Forgotten.ShouldBeEmpty();

        _world.Time.Advance(TimeSpan.FromDays(6));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        (await _world.Store.FindAsync(id, CancellationToken.None)).ShouldBeNull();
    }

    /// <summary>Nobody pressed anything, and what it changed is still there: with the record would go how to take it back, and the last that says so.</summary>
    [Fact]
    public async Task IncidentThatPeopleAreNotDoneWith_StaysUntilTheyAre()
    {
        var id = await _world.OpenAsync(Some.Incident().WithChange(StepStatus.UndoFailed).End(IncidentState.Failed, "It broke.", Some.Time));
        _world.Time.Advance(TimeSpan.FromDays(95));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        (await _world.Store.FindAsync(id, CancellationToken.None)).ShouldNotBeNull();
        _world.Engine.Forgotten.ShouldBeEmpty();

        await _world.Store.UpdateAsync(id, i => i.CloseByHand("ada", "taken back", _world.Now), CancellationToken.None);
        _world.Time.Advance(TimeSpan.FromDays(91));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        (await _world.Store.FindAsync(id, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task StoreThatIsAway_IsToBeTriedAgainSoon()
    {
        _world.Store.Fault = () => new StoreUnavailableException("The account is away.");
        (await _world.Get<Retention>().RemoveIncidentsAsync(CancellationToken.None)).ShouldBeFalse();

        _world.Store.Fault = null;
        (await _world.Get<Retention>().RemoveIncidentsAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task WhatCannotBeRemoved_KeepsItsRecordForTheNextRoundAndNothingElse()
    {
        var stuck = await _world.OpenAsync(Some.Incident("261123-0312-aaaaaaaa", "a") with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        var old = await _world.OpenAsync(Some.Incident("261123-0312-bbbbbbbb", "b") with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        var limits = _world.Get<RunLimits>();
        foreach (var id in (string[])[stuck, old])
        {
            await limits.ReserveAsync(await _world.Store.GetAsync(id, CancellationToken.None), Some.Runbook() with { Limits = new() { MaxRuns = 1 } }, overruled: false, CancellationToken.None);
        }

        _world.Evidence.Fault = id => id == stuck ? new IOException("the disk is gone") : null;
        _world.Time.Advance(TimeSpan.FromDays(91));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);

        (await _world.Store.FindAsync(stuck, CancellationToken.None)).ShouldNotBeNull();
        (await _world.Store.FindAsync(old, CancellationToken.None)).ShouldBeNull();
        _world.Engine.Forgotten.ShouldBe([old]);
        _world.State.Keys.ShouldContain(key => key.StartsWith("runs:", StringComparison.Ordinal) && key.EndsWith('a'));
        _world.State.Keys.ShouldNotContain(key => key.StartsWith("runs:", StringComparison.Ordinal) && key.EndsWith('b'));
        _world.ForgottenBefore.ShouldBe(_world.Now - TimeSpan.FromDays(90));

        _world.Evidence.Fault = null;
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        (await _world.Store.FindAsync(stuck, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task ProcessThatDoesNotWatch_ForgetsTheMessagesOfItsOwnOutbox()
    {
        var patience = System.Diagnostics.Stopwatch.StartNew();
        var old = await _world.OpenAsync(Some.Incident("261123-0312-aaaaaaaa", "a") with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        _world.Time.Advance(TimeSpan.FromDays(91));
        var other = new WatchTurn(_world.State, _world.Time, "other");
        using var loop = _world.Loop(new WatchTurn(_world.State, _world.Time, "mine"));
        (await other.TakeAsync(CancellationToken.None)).ShouldBeTrue();
        await loop.StartAsync(CancellationToken.None);

        // The health is looked at beside a round too, so that alone does not say that the first one is over.
        while (_world.ForgottenBefore is null || _world.Engine.HealthChecks < 2)
        {
            patience.Elapsed.ShouldBeLessThan(Patience.Limit);
            (await other.TakeAsync(CancellationToken.None)).ShouldBeTrue();
            _world.Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        await loop.StopAsync(CancellationToken.None);
        (await _world.Store.FindAsync(old, CancellationToken.None)).ShouldNotBeNull("whoever watches removes incidents");
    }

    [Fact]
    public async Task RunThatALimitStillCounts_IsRememberedLongerThanItsIncident()
    {
        _world.Get<IOptions<WatchdogOptions>>().Value.KeepFor = TimeSpan.FromDays(1);
        var (limits, runbook) = (_world.Get<RunLimits>(), Some.Runbook() with { Limits = new() { CoolDown = TimeSpan.FromDays(7) } });
        var old = Some.Incident("261123-0312-aaaaaaaa", "a") with { State = IncidentState.Resolved, ClosedAt = Some.Time };
        await _world.OpenAsync(old);
        await limits.ReserveAsync(old, runbook, overruled: false, CancellationToken.None);

        _world.Time.Advance(TimeSpan.FromDays(2));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);

        (await _world.Store.FindAsync(old.Id, CancellationToken.None)).ShouldBeNull();
        (await limits.ReserveAsync(Some.Incident("261125-0312-bbbbbbbb", "a"), runbook, overruled: false, CancellationToken.None))!.Why.ShouldContain("cool-down");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
