namespace Runbooks.Integrations.Tests.Support;

/// <summary>A clock that is ahead of another one: what the sandbox says of now is old by it.</summary>
internal sealed class LateClock(TimeProvider of) : TimeProvider
{
    public TimeSpan By { get; set; }

    public override DateTimeOffset GetUtcNow() => of.GetUtcNow() + By;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => of.CreateTimer(callback, state, dueTime, period);
}
