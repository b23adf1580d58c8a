namespace Runbooks;

/// <summary>
/// Work on many things, a few at once. Unlike <see cref="Parallel"/>, one failure stops nothing: the rest is still taken
/// in, and then the failure is thrown.
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
