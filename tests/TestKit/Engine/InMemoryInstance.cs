using Runbooks.Engine;
using Runbooks.Engine.Replay;

namespace TestKit.Engine;

/// <summary>One instance of the <see cref="InMemoryEngine"/>: its history, and the code that stands at its end.</summary>
internal sealed class InMemoryInstance(string id)
{
    public string Id => id;

    public List<HistoryEvent> History { get; } = [];

    public WorkflowRun Run { get; set; } = null!;

    public HashSet<int> Started { get; } = [];

    public Dictionary<int, ITimer> Timers { get; } = [];

    public TaskCompletionSource<EngineEnd> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsOver => End.Task.IsCompleted;

    /// <summary>Results of activities that were started before a crash belong to an older life and are lost.</summary>
    public int Life { get; set; }

    public void StopTimers()
    {
        foreach (var timer in Timers.Values)
        {
            timer.Dispose();
        }

        Timers.Clear();
    }
}
