using Microsoft.Extensions.Time.Testing;

namespace TestKit.Engine;

public static class VirtualTime
{
    /// <summary>Lets time pass from one due timer to the next, so that what a timer starts sees the time at which it was due.</summary>
    public static async Task AdvanceAsync(FakeTimeProvider time, TimeSpan by, Func<DateTimeOffset?> nextTimer, Func<Task> settle)
    {
        var until = time.GetUtcNow() + by;
        await settle();
        while (nextTimer() is { } due && due <= until)
        {
            // Clock timers count whole milliseconds.
            var next = time.GetUtcNow() + TimeSpan.FromMilliseconds(Math.Ceiling((due - time.GetUtcNow()).TotalMilliseconds));
            time.SetUtcNow(next > time.GetUtcNow() ? next : time.GetUtcNow());
            await settle();
        }

        time.SetUtcNow(until > time.GetUtcNow() ? until : time.GetUtcNow());
        await settle();
    }
}
