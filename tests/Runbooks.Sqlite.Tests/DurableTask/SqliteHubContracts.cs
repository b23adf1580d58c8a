using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class SqliteHubContract : TaskHubContract
{
    protected override async Task<ITaskHubHarness> StartHubAsync() => await SqliteHub.OpenAsync(Tasks, Logs);
}

/// <summary>Every turn replays the whole history, so that nothing that is only in memory can help.</summary>
public sealed class ReplayingSqliteHubContract : TaskHubContract
{
    protected override async Task<ITaskHubHarness> StartHubAsync() =>
        await SqliteHub.OpenAsync(Tasks, Logs, new SqliteTaskHubOptions { ExtendedSessions = false });
}
