using Runbooks.Engine.Replay;

namespace TestKit.Engine;

public sealed record InMemoryOptions
{
    /// <summary>Runs the workflow anew from its history for every event: code that is not deterministic fails at once.</summary>
    public bool ReplayEveryStep { get; init; }

    /// <summary>Asked for every event just recorded, before the workflow sees it; true crashes the engine there.</summary>
    public Func<string, HistoryEvent, bool>? CrashAfter { get; init; }

    /// <summary>Runs an activity, given its name and what it does: twice, or not at all, as at-least-once delivery may.</summary>
    public Func<string, Func<CancellationToken, Task<object?>>, Task<object?>>? Around { get; init; }
}
