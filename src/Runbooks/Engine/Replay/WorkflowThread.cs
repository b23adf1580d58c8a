namespace Runbooks.Engine.Replay;

/// <summary>
/// Runs one workflow's code: one turn at a time, one thread within a turn, in an order that depends on nothing but the
/// journal. What arrives outside a turn came from something the engine did not start.
/// </summary>
internal sealed class WorkflowThread(Action onTrespass) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _ready = [];
    private Thread? _owner;

    public bool IsInTurn => _owner == Thread.CurrentThread;

    public void Turn(Action start)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        _owner = Thread.CurrentThread;
        try
        {
            start();
            while (_ready.TryDequeue(out var next))
            {
                next.Callback(next.State);
            }
        }
        finally
        {
            _owner = null;
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsInTurn)
        {
            _ready.Enqueue((d, state));
        }
        else
        {
            onTrespass();
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("A workflow never blocks.");

    public override SynchronizationContext CreateCopy() => this;
}
