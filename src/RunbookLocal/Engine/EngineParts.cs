using Runbooks.Engine;

namespace RunbookLocal.Engine;

/// <summary>What every instance of one engine shares.</summary>
internal sealed record EngineParts(
    JournalStore Store,
    JournalReader Reader,
    WorkflowTable Workflows,
    ActivityRunner Activities,
    TimerQueue Timers,
    InstanceTable Instances,
    BusyCount Busy,
    TimeProvider Time,
    TimeSpan RetryAppendAfter,
    ILoggerFactory Loggers)
{
    public ILogger Logger { get; } = Loggers.CreateLogger("RunbookLocal.Engine");
}
