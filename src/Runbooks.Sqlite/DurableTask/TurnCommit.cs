namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// All changes of one turn, written in one transaction. The slow part, the JSON, is made before the writer's thread gets it.
/// </summary>
internal sealed class TurnCommit
{
    private readonly TurnItem _item;
    private readonly OrchestrationState? _state;
    private readonly string? _customStatus;
    private readonly long _now;
    private readonly List<(string Kind, byte[] Data)> _events;
    private readonly List<(PendingTask Task, byte[] Data)> _tasks = [];
    private readonly List<(long Due, string Kind, byte[] Data)> _timers = [];
    private readonly List<OutgoingMessage> _sent = [];
    private readonly List<long> _receivers = [];
    private readonly int[] _answered;
    private readonly bool _fresh;

    /// <exception cref="NotSupportedException">The orchestrator asked for something that this task hub does not support.</exception>
    public TurnCommit(
        TurnItem item,
        OrchestrationRuntimeState after,
        IEnumerable<TaskMessage> tasks,
        IEnumerable<TaskMessage> sent,
        IEnumerable<TaskMessage> timers,
        OrchestrationState? state,
        long now)
    {
        (_item, _state, _now, _customStatus) = (item, state, now, after.Status);
        Execution = after.OrchestrationInstance?.ExecutionId ?? item.Execution;
        _fresh = Execution != item.Execution;
        HasEnded = state?.OrchestrationStatus is OrchestrationStatus.Completed or OrchestrationStatus.Failed
            or OrchestrationStatus.Terminated or OrchestrationStatus.Canceled;
        _events = [.. after.NewEvents.Select(happened => (happened.EventType.ToString(), HistoryJson.Write(happened)))];
        _answered = [.. item.Answers.Select(AnsweredTask).Where(item.Outstanding.Contains)];
        NextSeq = (_fresh ? 0 : item.NextSeq) + _events.Count;
        _sent.AddRange(sent.Select(message => OutgoingMessage.Of(message, now)));

        // An execution that has continued as new leaves nothing behind.
        if (!HasEnded)
        {
            foreach (var message in tasks.Where(IsOfThisExecution))
            {
                _tasks.Add((new PendingTask(item.Key, message), HistoryJson.Write(message.Event)));
            }

            foreach (var message in timers.Where(IsOfThisExecution))
            {
                var fired = (TimerFiredEvent)message.Event;
                _timers.Add((fired.FireAt.Ticks, nameof(EventType.TimerFired), HistoryJson.Write(fired)));
            }
        }

        Outstanding = HasEnded || _fresh ? [] : [.. item.Outstanding.Except(_answered)];
        Outstanding.UnionWith(_tasks.Select(task => task.Task.Id));
    }

    public string Execution { get; }

    public int NextSeq { get; }

    public bool HasEnded { get; }

    public HashSet<int> Outstanding { get; }

    public OrchestrationStatus Status => _state?.OrchestrationStatus ?? OrchestrationStatus.Running;

    public FailureDetails? FailureDetails => _state?.FailureDetails;

    public IEnumerable<PendingTask> Tasks => _tasks.Select(task => task.Task);

    public IEnumerable<long> Timers => _timers.Select(timer => timer.Due);

    public IEnumerable<int> DroppedTasks => HasEnded || _fresh ? _item.Outstanding.Except(_answered) : [];

    public IReadOnlyList<long> Receivers => _receivers;

    public static int AnsweredTask(TaskMessage answer) => answer.Event switch
    {
        TaskCompletedEvent completed => completed.TaskScheduledId,
        TaskFailedEvent failed => failed.TaskScheduledId,
        _ => -1,
    };

    public void Write(SqliteConnection connection)
    {
        _receivers.Clear();
        Consume(connection);
        var seq = NextSeq - _events.Count;
        foreach (var (kind, data) in _events)
        {
            DurableRows.InsertHistory(connection, _item.Key, seq++, kind, data);
        }

        foreach (var (task, data) in _tasks)
        {
            connection.Statement("INSERT INTO durable_tasks (instance, task, execution, data) VALUES ($instance, $task, $execution, $data)",
                ("$instance", task.Instance),
                ("$task", (long)task.Id),
                ("$execution", Execution),
                ("$data", data)).ExecuteNonQuery();
        }

        foreach (var (due, kind, data) in _timers)
        {
            DurableRows.InsertMessage(connection, _item.Key, Execution, due, timer: true, kind, data);
        }

        Update(connection);

        // After this instance's own row, since it may send a message to itself.
        foreach (var message in _sent)
        {
            if (message.Insert(connection) is { } receiver)
            {
                _receivers.Add(receiver);
            }
        }
    }

    private void Consume(SqliteConnection connection)
    {
        if (HasEnded || _fresh)
        {
            // Events for the next execution are kept; those that this turn got are not.
            connection.Statement("DELETE FROM durable_messages WHERE instance = $instance AND (execution IS NOT NULL OR $all = 1)",
                ("$instance", _item.Key),
                ("$all", HasEnded ? 1L : 0L)).ExecuteNonQuery();
            connection.Statement("DELETE FROM durable_tasks WHERE instance = $instance", ("$instance", _item.Key)).ExecuteNonQuery();
        }

        if (_fresh)
        {
            connection.Statement("DELETE FROM durable_history WHERE instance = $instance", ("$instance", _item.Key)).ExecuteNonQuery();
        }

        if (!HasEnded)
        {
            foreach (var row in _item.Messages)
            {
                connection.Statement("DELETE FROM durable_messages WHERE id = $id", ("$id", row)).ExecuteNonQuery();
            }

            foreach (var task in _answered)
            {
                connection.Statement(
                    "DELETE FROM durable_tasks WHERE instance = $instance AND task = $task",
                    ("$instance", _item.Key),
                    ("$task", (long)task))
                    .ExecuteNonQuery();
            }
        }
    }

    private void Update(SqliteConnection connection)
    {
        if (!HasEnded && !_fresh)
        {
            connection.Statement("UPDATE durable_instances SET status = $status, custom_status = $custom, "
                + "updated_at = $now, attempts = 0 WHERE key = $key",
                ("$status", Status.ToString()),
                ("$custom", _customStatus),
                ("$now", _now),
                ("$key", _item.Key)).ExecuteNonQuery();
            return;
        }

        connection.Statement("""
            UPDATE durable_instances SET status = $status, custom_status = $custom, updated_at = $now, attempts = 0, execution = $execution,
                version = $version, input = $input, output = $output, failure = $failure, ended_at = $ended WHERE key = $key
            """,
            ("$status", Status.ToString()),
            ("$custom", _customStatus),
            ("$now", _now),
            ("$execution", Execution),
            ("$version", _state?.Version),
            ("$input", _state?.Input),
            ("$output", _state?.Output),
            ("$failure", HistoryJson.Write(_state?.FailureDetails)),
            ("$ended", HasEnded ? _now : null),
            ("$key", _item.Key)).ExecuteNonQuery();
    }

    private bool IsOfThisExecution(TaskMessage message) => message.OrchestrationInstance.ExecutionId == Execution;
}

/// <summary>
/// A locked instance: one turn of it, or several in the same memory while its activities run.
/// </summary>
internal sealed class TurnItem : TaskOrchestrationWorkItem, IOrchestrationSession
{
    private readonly Func<TurnItem, Task<IList<TaskMessage>?>> _fetch;

    public TurnItem(StoredInstance stored, Func<TurnItem, Task<IList<TaskMessage>?>> fetch, bool extended)
    {
        (Key, Execution, NextSeq, Outstanding, _fetch) = (stored.Key, stored.Execution, stored.History.Count, stored.Outstanding, fetch);
        InstanceId = stored.Id;
        OrchestrationRuntimeState = new OrchestrationRuntimeState(stored.History);
        // Only this process can lock it, since it holds the file.
        LockedUntilUtc = DateTime.MaxValue;
        Session = extended ? this : null;
    }

    public long Key { get; }

    public string Execution { get; private set; }

    public int NextSeq { get; private set; }

    /// <summary>Scheduled activities whose answers no committed turn has seen.</summary>
    public HashSet<int> Outstanding { get; private set; }

    public List<long> Messages { get; private set; } = [];

    /// <summary>Answers that this turn got. They are in memory only until the commit.</summary>
    public List<TaskMessage> Answers { get; private set; } = [];

    public bool HasEnded { get; private set; }

    /// <summary>Why the turn could not be run or committed.</summary>
    public Exception? Failure { get; set; }

    public bool IsAbandoned { get; set; }

    public IList<TaskMessage> Give(StoredMessages messages, List<TaskMessage> answers)
    {
        (Messages, Answers) = (messages.Rows, answers);
        // An activity answers once. A second answer belongs to an execution that has continued as new.
        return [.. messages.Messages, .. answers.Where(answer =>
            answer.OrchestrationInstance.ExecutionId == Execution && Outstanding.Contains(TurnCommit.AnsweredTask(answer)))];
    }

    public void Committed(TurnCommit commit)
    {
        (Execution, NextSeq, Outstanding, HasEnded) = (commit.Execution, commit.NextSeq, commit.Outstanding, commit.HasEnded);
        (Messages, Answers) = ([], []);
    }

    Task<IList<TaskMessage>?> IOrchestrationSession.FetchNewOrchestrationMessagesAsync(TaskOrchestrationWorkItem workItem) => _fetch(this);

    Task IOrchestrationSession.EndSessionAsync() => Task.CompletedTask;
}
