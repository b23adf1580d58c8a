namespace Runbooks.Orchestration;

/// <summary>Tells running activities that the host stops. One that gives up because of it runs again after the next start.</summary>
public sealed class ActivityShutdown : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _noneRuns;
    private int _running;

    /// <summary>Cancelled when the host begins to stop. Durable Task itself gives activities no token.</summary>
    public CancellationToken Token => _stopping.Token;

    public void Dispose() => _stopping.Dispose();

    // Those who react to the token do so elsewhere: nothing that an activity does may hold up the stop.
    internal void Stop() => _ = _stopping.CancelAsync();

    internal void Enter()
    {
        lock (_gate)
        {
            _running++;
        }
    }

    internal void Exit()
    {
        lock (_gate)
        {
            if (--_running == 0)
            {
                _noneRuns?.TrySetResult();
                _noneRuns = null;
            }
        }
    }

    internal Task WhenNoneRunsAsync()
    {
        lock (_gate)
        {
            return _running == 0
                ? Task.CompletedTask
                : (_noneRuns ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
