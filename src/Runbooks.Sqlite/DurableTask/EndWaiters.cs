using System.Collections.Concurrent;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Those who wait for the end of an instance.</summary>
internal sealed class EndWaiters
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

    /// <summary>Answered when the instance ends. Look at the instance after this call: it may have ended before.</summary>
    public Task WaitAsync(string id) =>
        _waiting.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ended(string id)
    {
        if (_waiting.TryRemove(id, out var waiting))
        {
            waiting.SetResult();
        }
    }
}
