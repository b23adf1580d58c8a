namespace Runbooks.Sqlite.DurableTask;

/// <summary>How the SQLite task hub uses memory, disk and patience. The defaults suit one machine.</summary>
public sealed class SqliteTaskHubOptions
{
    /// <summary>
    /// An instance stays in memory while its activities run. Off, every turn replays the whole history: slower, and shows
    /// orchestrators that are not deterministic.
    /// </summary>
    public bool ExtendedSessions { get; set; } = true;

    /// <summary>Instances in memory at the same time; half of them may have activities running. The rest queue.</summary>
    public int MaxConcurrentInstances { get; set; } = 1_000;

    /// <summary>Activities that run at the same time, over all instances; the rest queue.</summary>
    public int MaxConcurrentActivities { get; set; } = 256;

    /// <summary>The pause before something is tried again that failed; turns that fail for their own reasons pause longer each time.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A turn that fails this often in a row, for another reason than the database, fails its instance.</summary>
    public int MaxTurnFailures { get; set; } = 5;

    /// <summary>
    /// An activity that was under way, or an instance that had something to do, at this many starts of the host in a row, none
    /// of them after an orderly stop, is taken for what kills the host: it is failed.
    /// </summary>
    public int MaxStarts { get; set; } = 10;

    /// <summary>How soon it is noticed that the machine's clock was set forward; null: not before the next timer. For virtual time.</summary>
    public TimeSpan? CheckClockEvery { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Finished instances are kept this long; null keeps them until they are purged.</summary>
    public TimeSpan? KeepFinished { get; set; } = TimeSpan.FromDays(30);
}
