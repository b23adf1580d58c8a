using Runbooks.Engine;
using Runbooks.Engine.Replay;

namespace RunbookLocal.Engine;

/// <summary>A loaded instance: its workflow's code, and how far its journal has come.</summary>
internal sealed class InstanceRun
{
    private readonly string _id;
    private readonly long _key;
    private readonly EngineParts _parts;
    private readonly Instance _owner;
    private readonly WorkflowRun _workflow;
    private readonly HashSet<int> _running = [];
    private readonly HashSet<int> _timers = [];
    private int _seq;
    private bool _parked;
    private string? _status;

    private InstanceRun(string id, long key, string workflow, EngineParts parts, Instance owner)
    {
        (_id, _key, _parts, _owner) = (id, key, parts, owner);
        if (!parts.Workflows.TryFind(workflow, out var entry))
        {
            entry = new WorkflowTable.Entry(workflow, (_, _) => throw new InvalidOperationException($"No workflow is called '{workflow}'."));
        }

        _workflow = new WorkflowRun(id, entry, parts.Loggers.CreateLogger($"Runbooks.Workflow.{workflow}"), () => owner.TryPost(Message.Look));
    }

    /// <summary>Waits for nothing but timers and events, and the journal says so.</summary>
    public bool IsWaiting => _parked;

    /// <summary>Ended, and the journal says so.</summary>
    public bool IsOver { get; private set; }

    public static InstanceRun Begin(string id, long key, HistoryEvent started, EngineParts parts, Instance owner)
    {
        var run = new InstanceRun(id, key, started.Name!, parts, owner) { _seq = 1 };
        run._workflow.Deliver(started);
        return run;
    }

    /// <returns>Null when no such instance runs.</returns>
    public static InstanceRun? Load(string id, EngineParts parts, Instance owner)
    {
        if (parts.Reader.Find(id) is not { Status: EngineStatus.Running } stored)
        {
            return null;
        }

        var history = parts.Reader.History(stored.Key);
        var run = new InstanceRun(id, stored.Key, stored.Workflow, parts, owner)
        {
            _seq = history.Count,
            _parked = stored.Parked,
            _status = stored.CustomStatus,
        };
        run._workflow.Replay(history);
        run._timers.UnionWith(history.Where(line => line.Kind == HistoryKind.TimerCreated).Select(line => line.Task).Where(run._workflow.IsOpen));
        return run;
    }

    /// <summary>Journals what is news, shows it to the workflow, and does what the workflow then asks for.</summary>
    public async Task TakeAsync(List<Message> batch)
    {
        var now = Now();
        var seen = new HashSet<int>();
        var news = batch
            .Where(message => message.Happened is { } happened && (happened.Kind == HistoryKind.EventRaised || (_workflow.IsOpen(happened.Task) && seen.Add(happened.Task))))
            .Select(message => message.Happened! with { At = now })
            .ToList();
        if (news.Count > 0 && _workflow.Outcome is null)
        {
            await AppendAsync(news, parked: false);
            batch.ForEach(message => message.Taken?.TrySetResult());
            foreach (var line in news)
            {
                _running.Remove(line.Task);
                _workflow.Deliver(line);
            }
        }

        await SettleAsync();
    }

    private async Task SettleAsync()
    {
        if (_workflow.Outcome is { } outcome)
        {
            await EndAsync(outcome);
            return;
        }

        foreach (var command in _workflow.Open)
        {
            if (command.Kind == HistoryKind.TaskScheduled && _running.Add(command.Task))
            {
                _ = RunActivityAsync(command);
            }
        }

        // Scheduled activities are journalled together with the first result: a crash before that runs them again
        // either way. Timers are not: after a restart nobody would know when to look.
        var waiting = _running.Count == 0;
        if (waiting != _parked || _workflow.Unrecorded.Any(line => line.Kind == HistoryKind.TimerCreated))
        {
            await AppendAsync([], waiting);
        }
    }

    private async Task AppendAsync(List<HistoryEvent> news, bool parked, WorkflowOutcome? outcome = null)
    {
        // What faulty code asked for is not history.
        HistoryEvent[] commands = _workflow.IsFaulted ? [] : [.. _workflow.Unrecorded];
        var status = _workflow.CustomStatus == _status ? null : _workflow.CustomStatus;
        var closed = _timers.Where(task => !_workflow.IsOpen(task)).Concat(news.Where(line => line.Kind == HistoryKind.TimerFired).Select(line => line.Task)).ToArray();
        await _parts.Store.AppendAsync(new JournalEntry(
            _key, _seq, [.. commands, .. news], closed, parked == _parked ? null : parked, status, outcome));
        _seq += commands.Length + news.Count;
        _parked = parked;
        _status = _workflow.CustomStatus ?? _status;
        _timers.ExceptWith(closed);
        _workflow.MarkRecorded(commands.Length);
        foreach (var timer in commands.Where(line => line.Kind == HistoryKind.TimerCreated))
        {
            _timers.Add(timer.Task);
            if (outcome is null && timer.Due < DateTimeOffset.MaxValue)
            {
                _parts.Timers.Add(new PendingTimer(_id, timer.Task, timer.Due.UtcTicks));
            }
        }
    }

    private async Task EndAsync(WorkflowOutcome outcome)
    {
        var kind = outcome.Succeeded ? HistoryKind.ExecutionCompleted : HistoryKind.ExecutionFailed;
        await AppendAsync([new HistoryEvent(kind, Now(), Data: outcome.Text)], parked: false, outcome);
        IsOver = true;
        if (_workflow.IsFaulted)
        {
            _parts.Logger.InstanceFaulted(_id, outcome.Text);
        }
        else if (!outcome.Succeeded)
        {
            _parts.Logger.InstanceFailed(_id, outcome.Text);
        }
    }

    private async Task RunActivityAsync(HistoryEvent command)
    {
        _parts.Busy.Enter();
        await Task.Yield();
        if (await _parts.Activities.RunAsync(_id, command) is { } result)
        {
            _owner.TryPost(new Message(result));
        }

        _parts.Busy.Exit();
    }

    // The workflow's clock never runs backwards, whatever the machine's does.
    private DateTimeOffset Now()
    {
        var now = _parts.Time.GetUtcNow();
        return now > _workflow.UtcNow ? now : _workflow.UtcNow;
    }
}
