using Microsoft.Extensions.Time.Testing;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>For code that polls: every wait is over at once, and the shared clock has moved on by it.</summary>
internal sealed class SkippingTime(FakeTimeProvider clock) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = clock.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero)
        {
            clock.Advance(dueTime);
        }

        return timer;
    }
}
