using Runbooks.Model.Text;

namespace Runbooks.Execution;

/// <summary>Bounds the time of work that may not answer at all, and that may not even look at its cancellation token.</summary>
internal static class Deadline
{
    /// <exception cref="TimeoutException">The time is over. The work was told so and is no longer waited for.</exception>
    public static async Task<T> WithinAsync<T>(TimeSpan limit, TimeProvider time, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await work(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {DurationText.Format(limit)}");
        }
    }
}
