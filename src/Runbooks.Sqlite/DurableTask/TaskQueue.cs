using System.Threading.Channels;
using Runbooks.Engine;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>An activity that is scheduled and not answered yet.</summary>
/// <param name="Instance">The key of the instance that scheduled it.</param>
internal sealed record PendingTask(long Instance, TaskMessage Message)
{
    public int Id => Message.Event.EventId;

    public string Execution => Message.OrchestrationInstance.ExecutionId;

    /// <summary>It was in the database when this process started: an earlier one may have died of it.</summary>
    public bool IsLeftOver { get; init; }

    /// <summary>So many processes died with it that it is run when no other such one is: then only the one at fault goes on counting.</summary>
    public bool IsSuspect { get; init; }

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
    private readonly Queue<PendingTask> _suspects = [];
    private bool _isSuspectOut;

    public void Add(PendingTask task)
    {
        lock (_gate)
        {
            _open[(task.Instance, task.Id)] = task;
            if (task.IsSuspect && _isSuspectOut)
            {
                _suspects.Enqueue(task);
                return;
            }

            _isSuspectOut |= task.IsSuspect;
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

            Done(task);
        }
    }

    /// <summary>It was answered, and the answer has been handed on; or nobody waits for one.</summary>
    public void Done(PendingTask task)
    {
        PendingTask? next = null;
        lock (_gate)
        {
            // An instance that continued as new counts its tasks from 0 again.
            if (_open.TryGetValue((task.Instance, task.Id), out var open) && ReferenceEquals(open, task))
            {
                _open.Remove((task.Instance, task.Id));
            }

            if (task.IsSuspect)
            {
                _isSuspectOut = _suspects.TryDequeue(out next);
            }
        }

        if (next is not null)
        {
            Enqueue(next);
        }

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

    /// <summary>The same for all of an instance.</summary>
    public void Drop(long instance)
    {
        lock (_gate)
        {
            Drop(instance, _open.Keys.Where(key => key.Item1 == instance).Select(key => key.Item2).ToList());
        }
    }

    private void Enqueue(PendingTask task)
    {
        busy.Enter();
        _waiting.Writer.TryWrite(task);
    }
}
