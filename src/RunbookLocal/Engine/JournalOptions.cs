namespace RunbookLocal.Engine;

/// <summary>How the journal engine uses memory and disk. The defaults suit one machine.</summary>
public sealed class JournalOptions
{
    /// <summary>A waiting instance stays in memory this long; then it is dropped, and replayed when it wakes.</summary>
    public TimeSpan PassivateAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>No more than this many waiting instances stay in memory, however short they wait.</summary>
    public int MaxWaitingInMemory { get; set; } = 1_000;

    /// <summary>Activities that run at the same time, over all instances; the rest queue.</summary>
    public int MaxConcurrentActivities { get; set; } = 256;

    /// <summary>The pause before an append is tried again that failed.</summary>
    public TimeSpan RetryAppendAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Finished instances are kept this long; null keeps them for ever.</summary>
    public TimeSpan? KeepFinished { get; set; } = TimeSpan.FromDays(30);
}
