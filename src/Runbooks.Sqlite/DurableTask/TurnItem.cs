using DurableTask.Core;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// A locked instance: one turn of it, or, while its activities run, one after the other in the same memory.
/// </summary>
internal sealed class TurnItem : TaskOrchestrationWorkItem, IOrchestrationSession
{
    private readonly Func<TurnItem, Task<IList<TaskMessage>?>> _fetch;

    public TurnItem(StoredInstance stored, Func<TurnItem, Task<IList<TaskMessage>?>> fetch, bool extended)
    {
        (Key, Execution, NextSeq, Outstanding, _fetch) = (stored.Key, stored.Execution, stored.History.Count, stored.Outstanding, fetch);
        InstanceId = stored.Id;
        OrchestrationRuntimeState = new OrchestrationRuntimeState(stored.History);
        // Nobody else can lock it: the process holds the file.
        LockedUntilUtc = DateTime.MaxValue;
        Session = extended ? this : null;
    }

    public long Key { get; }

    public string Execution { get; private set; }

    public int NextSeq { get; private set; }

    /// <summary>Activities that are scheduled and whose answers no committed turn has seen.</summary>
    public HashSet<int> Outstanding { get; private set; }

    /// <summary>Rows of the messages that this turn was given.</summary>
    public List<long> Messages { get; private set; } = [];

    /// <summary>Answers that this turn was given; they are in memory only until it is committed.</summary>
    public List<TaskMessage> Answers { get; private set; } = [];

    public bool HasEnded { get; private set; }

    /// <summary>The turn could not be committed, or not be run: why.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The turn failed and is to be tried again.</summary>
    public bool IsAbandoned { get; set; }

    public IList<TaskMessage> Give(StoredMessages messages, List<TaskMessage> answers)
    {
        (Messages, Answers) = (messages.Rows, answers);
        // Activities answer once. Another answer is of an execution that has continued as new.
        return [.. messages.Messages, .. answers.Where(answer =>
            answer.OrchestrationInstance.ExecutionId == Execution && Outstanding.Contains(TurnCommit.AnsweredTask(answer)))];
    }

    public void Committed(TurnCommit commit)
    {
        (Execution, NextSeq, Outstanding, HasEnded) = (commit.Execution, commit.NextSeq, commit.Outstanding, commit.HasEnded);
        (Messages, Answers) = ([], []);
    }

    Task<IList<TaskMessage>?> IOrchestrationSession.FetchNewOrchestrationMessagesAsync(TaskOrchestrationWorkItem workItem) => _fetch(this);

    // Releasing the item is all there is to it.
    Task IOrchestrationSession.EndSessionAsync() => Task.CompletedTask;
}
