using Microsoft.Extensions.Logging;

namespace Runbooks.Engine.Replay;

/// <summary>
/// One workflow in memory: it is fed history, runs the code between two events, and says what the code asked for.
/// Knows nothing of disks, clocks or threads, so every engine that keeps a journal can stand on it. Not thread-safe.
/// </summary>
public sealed class WorkflowRun
{
    private readonly WorkflowTable.Entry _workflow;
    private readonly WorkflowThread _thread;
    private readonly WorkflowContext _context;
    private readonly Dictionary<int, OpenCall> _open = [];
    private readonly Queue<(int Index, HistoryEvent Command)> _expected = [];
    private readonly List<HistoryEvent> _unrecorded = [];
    private Task<string>? _main;
    private int _issued;
    private volatile string? _fault;

    /// <param name="onTrespass">Called from any thread when something foreign tries to continue the workflow; <see cref="Outcome"/> then says so.</param>
    public WorkflowRun(string instanceId, WorkflowTable.Entry workflow, ILogger logger, Action onTrespass)
    {
        _workflow = workflow;
        _thread = new WorkflowThread(() =>
        {
            _fault ??= WorkflowContext.Foreign;
            onTrespass();
        });
        _context = new WorkflowContext(instanceId, this, new ReplayLogger(logger, () => IsReplaying));
    }

    /// <summary>True while <see cref="Replay"/> runs.</summary>
    public bool IsReplaying { get; private set; }

    /// <summary>The time of the last event delivered.</summary>
    public DateTimeOffset UtcNow { get; private set; }

    /// <summary>Null while the workflow runs.</summary>
    public WorkflowOutcome? Outcome =>
        _fault is { } fault ? new WorkflowOutcome(false, fault)
        : _main is not { IsCompleted: true } ? null
        : _main.IsCompletedSuccessfully ? new WorkflowOutcome(true, _main.Result)
        : new WorkflowOutcome(false, Explain(_main));

    /// <summary>True when the workflow was stopped because code and journal, or code and engine, do not fit.</summary>
    public bool IsFaulted => _fault is not null;

    /// <summary>JSON of what the workflow last showed; null when it showed nothing.</summary>
    public string? CustomStatus => _context.CustomStatus;

    /// <summary>What the code asked for since <see cref="MarkRecorded"/>, to be journalled before the next event.</summary>
    public IReadOnlyList<HistoryEvent> Unrecorded => _unrecorded;

    /// <summary>Calls without an answer: activities to run and timers to keep.</summary>
    public IEnumerable<HistoryEvent> Open => _open.Values.Select(call => call.Command);

    public bool IsOpen(int task) => _open.ContainsKey(task);

    /// <summary>The first <paramref name="count"/> of <see cref="Unrecorded"/> are journalled now.</summary>
    public void MarkRecorded(int count) => _unrecorded.RemoveRange(0, count);

    /// <summary>Runs the code through a journal; afterwards it stands where it stood when the last line was written.</summary>
    public void Replay(IReadOnlyList<HistoryEvent> history)
    {
        IsReplaying = true;
        for (var i = 0; i < history.Count; i++)
        {
            if (history[i].IsCommand)
            {
                _expected.Enqueue((i, history[i]));
            }
        }

        for (var i = 0; i < history.Count && _fault is null; i++)
        {
            if (!history[i].IsCommand)
            {
                Deliver(history[i], i);
            }
        }

        if (_fault is null && _expected.TryPeek(out var left))
        {
            _fault = $"Event {left.Index} of the journal is {left.Command.Describe()}, but the code asks for nothing like it.";
        }

        IsReplaying = false;
    }

    /// <summary>Hands over one event that is journalled, and runs the code until it waits again.</summary>
    public void Deliver(HistoryEvent happened) => Deliver(happened, null);

    private void Deliver(HistoryEvent happened, int? index)
    {
        if (Outcome is not null)
        {
            return;
        }

        UtcNow = happened.At > UtcNow ? happened.At : UtcNow;
        try
        {
            _thread.Turn(() => React(happened, index));
        }
#pragma warning disable CA1031 // An async void in a workflow throws here, into the engine; it must only end this instance.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _fault ??= $"The workflow threw outside its own task: {e.Message}";
        }

        if (Outcome is null && _open.Count == 0)
        {
            _fault = WorkflowContext.Foreign;
        }
    }

    private void React(HistoryEvent happened, int? index)
    {
        switch (happened.Kind)
        {
            case HistoryKind.ExecutionStarted:
                _main = _workflow.RunAsync(_context, happened.Data!);
                break;
            case HistoryKind.EventRaised:
                if (Inbox.Raise(happened.Name!) is { } task && _open.Remove(task, out var waiter))
                {
                    waiter.Answer(happened);
                }

                break;
            case HistoryKind.TaskCompleted or HistoryKind.TaskFailed or HistoryKind.TimerFired:
                if (_open.Remove(happened.Task, out var call) && call.Command.Kind == AnsweredBy(happened.Kind))
                {
                    call.Answer(happened);
                }
                else if (call is not null || happened.Task >= _issued)
                {
                    _fault = $"Event {index} of the journal is {happened.Kind} #{happened.Task}, but the code asks for "
                        + (call is null ? "nothing like it." : $"{call.Command.Describe()}.");
                }

                break;
        }
    }

    internal EventInbox Inbox { get; } = new();

    internal int NextTask => _issued;

    /// <summary>Refuses calls that do not come from the workflow's own turn.</summary>
    internal void EnsureInTurn()
    {
        if (!_thread.IsInTurn)
        {
            _fault ??= WorkflowContext.Foreign;
            throw new WorkflowFaultException(_fault);
        }
    }

    /// <summary>Notes a call; while replaying, the journal must hold the same one in the same place.</summary>
    internal void Issue(HistoryEvent command, Action<HistoryEvent> answer)
    {
        _issued++;
        if (_expected.TryDequeue(out var expected))
        {
            if (expected.Command.Kind != command.Kind || expected.Command.Name != command.Name)
            {
                _fault ??= $"Event {expected.Index} of the journal is {expected.Command.Describe()}, but the code asks for {command.Describe()}.";
                throw new WorkflowFaultException(_fault);
            }

            command = expected.Command;
        }
        else
        {
            _unrecorded.Add(command);
        }

        _open.Add(command.Task, new OpenCall(command, answer));
    }

    private static HistoryKind AnsweredBy(HistoryKind answer) =>
        answer == HistoryKind.TimerFired ? HistoryKind.TimerCreated : HistoryKind.TaskScheduled;

    private static string Explain(Task failed) =>
        failed.Exception?.InnerException is { } e ? $"{e.GetType().Name}: {e.Message}" : "The workflow was cancelled.";
}
