using Microsoft.Extensions.Time.Testing;
using Runbooks.Watchdog;
using TestKit.Storage;

namespace Runbooks.Tests.Watchdog;

/// <summary>Several processes on one store: one of them watches.</summary>
public sealed class WatchTurnTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly WatchTurn _first;
    private readonly WatchTurn _second;

    public WatchTurnTests()
    {
        var state = new InMemorySharedState();
        (_first, _second) = (new(state, _time, "first"), new(state, _time, "second"));
    }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoeverWatches_GoesOnWatching()
    {
        for (var minute = 0; minute < 10; minute++)
        {
            (await _first.TakeAsync(Now)).ShouldBeTrue();
            (await _second.TakeAsync(Now)).ShouldBeFalse();
            _time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task WhoeverStoppedWatching_IsFollowedWithinThreeMinutes()
    {
        (await _first.TakeAsync(Now)).ShouldBeTrue();

        _time.Advance(TimeSpan.FromMinutes(2));
        (await _second.TakeAsync(Now)).ShouldBeFalse();
        _time.Advance(TimeSpan.FromMinutes(1));
        (await _second.TakeAsync(Now)).ShouldBeTrue();

        // One that was only slow comes back as the second.
        (await _first.TakeAsync(Now)).ShouldBeFalse();
    }

    [Fact]
    public async Task WhoeverWatchedWithAClockThatWasAhead_IsFollowedAtOnce()
    {
        _time.Advance(TimeSpan.FromHours(1));
        (await _first.TakeAsync(Now)).ShouldBeTrue();
        _time.AdjustTime(_time.GetUtcNow().AddHours(-1));

        (await _second.TakeAsync(Now)).ShouldBeTrue();
        (await _first.TakeAsync(Now)).ShouldBeFalse();
    }

    [Fact]
    public async Task TwoThatAskAtOnce_DoNotBothWatch()
    {
        var turns = await Task.WhenAll(_first.TakeAsync(Now), _second.TakeAsync(Now));

        turns.Count(mine => mine).ShouldBe(1);
    }
}
