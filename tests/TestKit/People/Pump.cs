using Microsoft.Extensions.Time.Testing;

namespace TestKit.People;

/// <summary>Lets virtual time pass while something waits for it.</summary>
public static class Pump
{
    public static async Task UntilDoneAsync(this FakeTimeProvider time, Task work, TimeSpan? step = null)
    {
        while (!work.IsCompleted)
        {
            // What is about to finish by itself gets the chance to, before the clock moves on.
            for (var turn = 0; turn < 20 && !work.IsCompleted; turn++)
            {
                await Task.Yield();
            }

            time.Advance(step ?? TimeSpan.FromSeconds(1));
        }

        await work;
    }
}
