using Microsoft.Extensions.Time.Testing;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>For code that polls: every wait is over at once, and the shared clock has moved on by it.</summary>
/// <param name="clock">The clock of the test.</param>
/// <param name="longest">Longer waits are left alone: they are time limits, not pauses between two looks.</param>
internal sealed class SkippingTime(FakeTimeProvider clock, TimeSpan? longest = null) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = clock.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero && dueTime <= (longest ?? TimeSpan.MaxValue))
        {
            clock.Advance(dueTime);
        }

        return timer;
    }
}
