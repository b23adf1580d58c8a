namespace RunbookLocal.Engine;

/// <summary>A timer that waits to fire.</summary>
/// <param name="Due">Ticks, UTC.</param>
internal readonly record struct PendingTimer(string Instance, int Task, long Due);
