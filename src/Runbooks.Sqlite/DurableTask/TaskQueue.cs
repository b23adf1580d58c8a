using System.Threading.Channels;
using Runbooks.Engine;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>An activity that is scheduled and has no answer yet.</summary>
internal sealed record PendingTask(long Instance, TaskMessage Message)
{
    public int Id => Message.Event.EventId;

    public string Execution => Message.OrchestrationInstance.ExecutionId;

    /// <summary>It was in the database when this process started, so it may have killed an earlier process.</summary>
    public bool IsLeftOver { get; init; }

    /// <summary>So many processes died with it that it runs without another such one, so that only the one at fault is counted on.</summary>
    public bool IsSuspect { get; init; }

    /// <summary>Its instance has ended or continued as new, so nobody needs the answer.</summary>
    public bool IsDropped { get; set; }

    public static PendingTask Of(long instance, string id, string execution, TaskScheduledEvent scheduled) => new(
        instance,
        new TaskMessage { Event = scheduled, OrchestrationInstance = new OrchestrationInstance { InstanceId = id, ExecutionId = execution } });
}

/// <summary>Activities that wait to run, in the order of scheduling. All of them are in the database too.</summary>
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

    /// <summary>Its answer was passed on, or nobody needs one.</summary>
    public void Done(PendingTask task)
    {
        PendingTask? next = null;
        lock (_gate)
        {
            // An instance that continued as new numbers its tasks from 0 again.
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

    /// <summary>It was not run, and will not be before <see cref="Resume"/>.</summary>
    public void Pause() => busy.Exit();

    public void Resume(PendingTask task) => Enqueue(task);

    /// <summary>Waiting ones will not run any more. A running one is not stopped.</summary>
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

    /// <summary>The same for all activities of an instance.</summary>
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
