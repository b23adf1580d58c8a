namespace Runbooks.Engine.Replay;

/// <summary>What happened to an instance, in the words of Durable Task's history.</summary>
public enum HistoryKind
{
    ExecutionStarted,
    TaskScheduled,
    TaskCompleted,
    TaskFailed,
    TimerCreated,
    TimerFired,
    EventRaised,
    ExecutionCompleted,
    ExecutionFailed,
}
