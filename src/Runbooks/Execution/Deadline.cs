using Runbooks.Catalog.Steps;

namespace Runbooks.Execution;

/// <summary>Bounds the time of work that may not answer at all, and that may not even look at its cancellation token.</summary>
internal static class Deadline
{
    /// <param name="progress">What the work says of itself meanwhile.</param>
    /// <exception cref="TimeoutException">The time is over. The work was told so and is no longer waited for.</exception>
    public static async Task<T> WithinAsync<T>(TimeSpan limit, TimeProvider time, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken, StepProgress? progress = null)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await work(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(progress?.Words is { } words ? $"not done within {DurationText.Format(limit)}: {words}." : $"no answer within {DurationText.Format(limit)}");
        }
    }

    /// <summary>As above; when the host stops it is not given up at once, since it cannot be repeated and its outcome would stay unknown.</summary>
    public static async Task<T> WithinAsync<T>(
        TimeSpan limit, TimeSpan grace, TimeProvider time, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken, StepProgress? progress = null)
    {
        using var late = new CancellationTokenSource();
        var working = WithinAsync(limit, time, work, late.Token, progress);
        try
        {
            return await working.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            try
            {
                return await working.WaitAsync(grace, time, CancellationToken.None);
            }
            catch (TimeoutException) when (!working.IsCompleted)
            {
                await late.CancelAsync();
                throw new OperationCanceledException(cancellationToken);
            }
        }
    }
}
