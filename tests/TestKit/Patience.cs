using System.Diagnostics;
using Xunit;

namespace TestKit;

/// <summary>How long a test waits for what has to come. Only a failure waits so long: no test is about how quick the machine is.</summary>
public static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Tries again and again until there is an answer. For what happens in real time: in another process, or over the network.</summary>
    /// <param name="attempt">Null while there is none.</param>
    /// <param name="failure">What the test says when none comes.</param>
    /// <param name="pause">Between two attempts; 50 ms unless given.</param>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> attempt, Func<string> failure, TimeSpan? pause = null)
        where T : class
    {
        var waiting = Stopwatch.StartNew();
        while (waiting.Elapsed < Limit)
        {
            if (await attempt() is { } answer)
            {
                return answer;
            }

            await Task.Delay(pause ?? TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        }

        throw new TimeoutException(failure());
    }

    /// <inheritdoc cref="UntilAsync{T}(Func{Task{T}}, Func{string}, TimeSpan?)"/>
    public static Task UntilAsync(Func<Task<bool>> met, Func<string> failure, TimeSpan? pause = null) =>
        UntilAsync(async () => await met() ? failure : null, failure, pause);
}
