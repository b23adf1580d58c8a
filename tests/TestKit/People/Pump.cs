using Microsoft.Extensions.Time.Testing;

namespace TestKit.People;

/// <summary>Lets virtual time pass second by second while activities wait for it themselves.</summary>
public static class Pump
{
    public static async Task UntilDoneAsync(this FakeTimeProvider time, Task work)
    {
        while (!await IsOverAsync(work))
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await work;
    }

    /// <param name="settle">Returns when nothing runs any more.</param>
    public static async Task PassAsync(this FakeTimeProvider time, TimeSpan by, Func<Task> settle)
    {
        for (var until = time.GetUtcNow() + by; time.GetUtcNow() < until; time.Advance(TimeSpan.FromSeconds(1)))
        {
            await time.UntilDoneAsync(settle());
        }

        await time.UntilDoneAsync(settle());
    }

    /// <summary>Whatever can go on by itself gets real time to do so, before the virtual clock moves.</summary>
    private static async Task<bool> IsOverAsync(Task work)
    {
        if (!work.IsCompleted)
        {
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(2)));
            await PoolAsync();
        }

        return work.IsCompleted;
    }

    /// <summary>Goes through the queue of the thread pool a few times: the busier the machine, the slower the virtual clock.</summary>
    private static async Task PoolAsync()
    {
        for (var round = 0; round < 4; round++)
        {
            await Task.Run(static () => { });
        }
    }
}
