using Microsoft.Extensions.Time.Testing;

namespace Runbooks.Sqlite.Tests.DurableTask;

/// <summary>A clock whose time of day can be set without time passing, as an administrator does.</summary>
internal sealed class SteppingClock : TimeProvider
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 3, 0, 0, TimeSpan.Zero));
    private TimeSpan _offset;

    public void Step(TimeSpan by) => _offset += by;

    public void Advance(TimeSpan by) => _time.Advance(by);

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow() + _offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _time.CreateTimer(callback, state, dueTime, period);
}
