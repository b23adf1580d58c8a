using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <summary>A host without timers of its own watches each minute, whatever went wrong in the one before.</summary>
public sealed class WatchdogLoopTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    /// <summary>Nobody can say whose turn it is, so each process speaks for itself.</summary>
    [Fact]
    public async Task StoreIsAwayInTheTurnOfAnother_EachProcessPagesThatItIsDown()
    {
        (await Turn("other").TakeAsync(CancellationToken.None)).ShouldBeTrue();
        (_world.State.Fault, _world.Engine.Illness) = (() => new StoreUnavailableException("The account is away."), "gone");
        using var loop = _world.Loop(Turn("mine"));
        await loop.StartAsync(CancellationToken.None);

        await _world.PassUntilAsync(() => _world.Paged.Count > 0);

        await loop.StopAsync(CancellationToken.None);
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    /// <summary>The disk began to hang after the look had found it well: a job waits for it, and the rest of the watch for the job.</summary>
    [Fact]
    public async Task LookThatHangs_KeepsNobodyFromHearingThatTheStoreDoes()
    {
        var disk = new TaskCompletionSource();
        _world.Store.BeforeListing = _ =>
        {
            _world.Engine.BeforeHealth = disk.Task;
            return disk.Task;
        };
        using var loop = _world.Loop();
        await loop.StartAsync(CancellationToken.None);

        await _world.PassUntilAsync(() => _world.Paged.Count > 0);

        disk.SetResult();
        await _world.PassUntilAsync(() => _world.Sent.Last().Card.Title.Contains("works again"));
        await loop.StopAsync(CancellationToken.None);
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task MinuteThatBreaksOff_IsNotTheLast()
    {
        await _world.OpenAsync(Some.Incident(), EngineStatus.Failed);
        _world.State.Fault = () =>
        {
            _world.State.Fault = null;
            return new StoreUnavailableException("The account is away.");
        };
        using var loop = _world.Loop(Turn("mine"));
        await loop.StartAsync(CancellationToken.None);

        await _world.PassUntilAsync(() => _world.Paged.Count > 0);

        await loop.StopAsync(CancellationToken.None);
        _world.State.Fault.ShouldBeNull();
    }

    [Fact]
    public async Task PurgeThatFails_IsTriedAgainTheNextMinute()
    {
        var old = await _world.OpenAsync(Some.Incident() with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        _world.Time.Advance(TimeSpan.FromDays(91));
        var asked = 0;
        _world.Store.Fault = () =>
        {
            asked++;
            return new StoreUnavailableException("The account is away.");
        };
        using var loop = _world.Loop();
        await loop.StartAsync(CancellationToken.None);

        // Each minute the store is asked whether it is well, and then to purge.
        await _world.PassUntilAsync(() => asked >= 2);
        _world.Store.Fault = null;
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        await Patience.UntilAsync(async () => await _world.Store.FindAsync(old, CancellationToken.None) is null, () => "It waits for the next day.");

        await loop.StopAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private WatchTurn Turn(string holder) => new(_world.State, _world.Time, holder);
}
