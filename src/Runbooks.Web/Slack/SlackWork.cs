using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace Runbooks.Web.Slack;

/// <summary>Work that goes on after Slack was answered. Bounded: what does not fit is refused, so that Slack tells the person. A stopping host waits for it.</summary>
public sealed class SlackWork : IHostedService
{
    private const int MostAtOnce = 100;
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private int _count;

    /// <returns>Null when there is too much to do already.</returns>
    internal Task? TryStart(Func<Task> work)
    {
        if (Interlocked.Increment(ref _count) > MostAtOnce)
        {
            Interlocked.Decrement(ref _count);
            return null;
        }

        var task = RunAsync(work);
        _running.TryAdd(task, true);
        _ = task.ContinueWith(
            done =>
            {
                _running.TryRemove(done, out _);
                Interlocked.Decrement(ref _count);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);

    private static async Task RunAsync(Func<Task> work)
    {
        // Off the request's own thread at once.
        await Task.Yield();
        await work();
    }
}
