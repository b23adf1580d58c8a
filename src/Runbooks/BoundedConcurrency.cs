namespace Runbooks;

/// <summary>
/// Runs work on many items, a few at once. Unlike <see cref="Parallel"/>, a failure does not stop the rest: it is thrown after all
/// items are done.
/// </summary>
internal static class BoundedConcurrency
{
    public static async Task ForEachAsync<T>(IEnumerable<T> items, int atOnce, Func<T, Task> work)
    {
        using var free = new SemaphoreSlim(atOnce);
        await Task.WhenAll(items.Select(RunAsync));

        async Task RunAsync(T item)
        {
            await free.WaitAsync();
            try
            {
                await work(item);
            }
            finally
            {
                free.Release();
            }
        }
    }
}
