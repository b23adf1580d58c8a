using Runbooks.Model.Storage;

namespace Runbooks.AzureStorage;

/// <summary>
/// Trying again what another writer was quicker with. Writers of one process queue up on the key, so that a storm on
/// one target costs a write each; between processes the loser waits a random moment and reads again.
/// </summary>
internal sealed class KeyedRetry(TimeProvider time)
{
    private const int Attempts = 60;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim[] _queues = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <param name="attempt">Null: somebody else was quicker.</param>
    /// <exception cref="StoreUnavailableException">Others were quicker every time.</exception>
    public async Task<T> RetryAsync<T>(string key, Func<Task<T?>> attempt, CancellationToken cancellationToken)
        where T : class
    {
        var queue = _queues[(uint)string.GetHashCode(key, StringComparison.Ordinal) % _queues.Length];
        await queue.WaitAsync(cancellationToken);
        try
        {
            for (var failures = 0; failures < Attempts; failures++)
            {
                if (await attempt() is { } result)
                {
                    return result;
                }

                var longest = Math.Min(LongestPause.TotalMilliseconds, 5 << Math.Min(failures, 10));
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * longest), time, cancellationToken);
            }

            throw new StoreUnavailableException("Too many writers change the same record at once.");
        }
        finally
        {
            queue.Release();
        }
    }
}
