using System.Threading.Channels;
using Runbooks.Engine;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>An activity that is scheduled and not answered yet.</summary>
/// <param name="Instance">The key of the instance that scheduled it.</param>
internal sealed record PendingTask(long Instance, TaskMessage Message)
{
    public int Id => Message.Event.EventId;

    public string Execution => Message.OrchestrationInstance.ExecutionId;

    /// <summary>Its instance has ended or continued as new: nobody waits for the answer.</summary>
    public bool IsDropped { get; set; }

    public static PendingTask Of(long instance, string id, string execution, TaskScheduledEvent scheduled) => new(
        instance,
        new TaskMessage { Event = scheduled, OrchestrationInstance = new OrchestrationInstance { InstanceId = id, ExecutionId = execution } });
}

/// <summary>Activities that wait to be run, in the order in which they were scheduled. All of them are in the database too.</summary>
internal sealed class TaskQueue(BusyCount busy)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(long, int), PendingTask> _open = [];
    private readonly Channel<PendingTask> _waiting = Channel.CreateUnbounded<PendingTask>();

    public void Add(PendingTask task)
    {
        lock (_gate)
        {
            _open[(task.Instance, task.Id)] = task;
        }

        Enqueue(task);
    }

    public async ValueTask<PendingTask> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var task = await _waiting.Reader.ReadAsync(cancellationToken);
            if (!task.IsDropped)
            {
                return task;
            }

            busy.Exit();
        }
    }

    /// <summary>It was answered; the answer has been handed on.</summary>
    public void Done(PendingTask task)
    {
        Forget(task);
        busy.Exit();
    }

    /// <summary>It was not run, and is not to be before <see cref="Resume"/>.</summary>
    public void Pause() => busy.Exit();

    public void Resume(PendingTask task) => Enqueue(task);

    /// <summary>Those that still wait are not run any more. One that runs is not stopped.</summary>
    public void Drop(long instance, IEnumerable<int> ids)
    {
        lock (_gate)
        {
            foreach (var id in ids)
            {
                if (_open.Remove((instance, id), out var task))
                {
                    task.IsDropped = true;
                }
            }
        }
    }

    private void Enqueue(PendingTask task)
    {
        busy.Enter();
        _waiting.Writer.TryWrite(task);
    }

    private void Forget(PendingTask task)
    {
        lock (_gate)
        {
            // An instance that continued as new counts its tasks from 0 again.
            if (_open.TryGetValue((task.Instance, task.Id), out var open) && ReferenceEquals(open, task))
            {
                _open.Remove((task.Instance, task.Id));
            }
        }
    }
}
