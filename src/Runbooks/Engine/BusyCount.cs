namespace Runbooks.Engine;

/// <summary>Counts what is under way, so that somebody can wait until nothing is.</summary>
public sealed class BusyCount
{
    private readonly Lock _gate = new();
    private int _count;
    private TaskCompletionSource? _zero;

    public void Enter()
    {
        lock (_gate)
        {
            _count++;
        }
    }

    public void Exit()
    {
        TaskCompletionSource? zero = null;
        lock (_gate)
        {
            if (--_count == 0)
            {
                (zero, _zero) = (_zero, null);
            }
        }

        zero?.SetResult();
    }

    public Task WhenZeroAsync()
    {
        lock (_gate)
        {
            return _count == 0
                ? Task.CompletedTask
                : (_zero ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
