using Runbooks.Engine.Replay;

namespace RunbookLocal.Engine;

/// <summary>What one append writes, all or nothing.</summary>
/// <param name="FirstSeq">The place of the first event; when it is taken, somebody else wrote this journal.</param>
/// <param name="Events">New lines of the journal.</param>
/// <param name="ClosedTimers">Timers that need not fire any more.</param>
/// <param name="Parked">Whether the instance now waits for nothing but timers and events; null when that did not change.</param>
/// <param name="CustomStatus">Null when it did not change.</param>
/// <param name="Outcome">Null while the instance runs.</param>
internal sealed record JournalEntry(
    long Key,
    int FirstSeq,
    IReadOnlyList<HistoryEvent> Events,
    IReadOnlyList<int> ClosedTimers,
    bool? Parked = null,
    string? CustomStatus = null,
    WorkflowOutcome? Outcome = null);
