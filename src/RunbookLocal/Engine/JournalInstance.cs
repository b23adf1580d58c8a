using Runbooks.Engine;

namespace RunbookLocal.Engine;

/// <summary>One instance as the journal knows it.</summary>
/// <param name="CustomStatus">JSON; null when the workflow showed nothing.</param>
public sealed record JournalInstance(
    long Key, string Id, string Workflow, EngineStatus Status, bool Parked, DateTimeOffset UpdatedAt, string? CustomStatus, string? Failure);
