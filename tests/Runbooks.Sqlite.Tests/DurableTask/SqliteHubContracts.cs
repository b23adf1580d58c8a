using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

internal static class SqliteHubBackend
{
    public static TaskHubBackend Usual { get; } = new(async (tasks, logs) => await SqliteHub.OpenAsync(tasks, logs));

    /// <summary>Every turn replays the whole history, so that nothing that is only in memory can help.</summary>
    public static TaskHubBackend Replaying { get; } = new(async (tasks, logs) => await SqliteHub.OpenAsync(tasks, logs, new SqliteTaskHubOptions { ExtendedSessions = false }));
}

public sealed class SqliteHubInstances() : TaskHubInstancesContract(SqliteHubBackend.Usual);

public sealed class SqliteHubWaiting() : TaskHubWaitingContract(SqliteHubBackend.Usual);

public sealed class SqliteHubActivities() : TaskHubActivitiesContract(SqliteHubBackend.Usual);

public sealed class SqliteHubRecovery() : TaskHubRecoveryContract(SqliteHubBackend.Usual);

public sealed class ReplayingHubInstances() : TaskHubInstancesContract(SqliteHubBackend.Replaying);

public sealed class ReplayingHubWaiting() : TaskHubWaitingContract(SqliteHubBackend.Replaying);

public sealed class ReplayingHubActivities() : TaskHubActivitiesContract(SqliteHubBackend.Replaying);

public sealed class ReplayingHubRecovery() : TaskHubRecoveryContract(SqliteHubBackend.Replaying);
