using Runbooks.Engine;
using Runbooks.Orchestration.TaskHub;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class LegacyJournalTests
{
    [Fact]
    public async Task JournalOfTheEngineBefore_ItsOpenIncidentsAreShownAsFailedAndItIsGone()
    {
        await using var hub = await SqliteHub.OpenAsync(new TaskHubTasks());
        SqliteSchema.Bring(hub.Database, "engine", """
            CREATE TABLE engine_instances (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, status TEXT NOT NULL);
            CREATE TABLE engine_history (instance INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (instance, seq)) WITHOUT ROWID;
            CREATE TABLE engine_timers (instance INTEGER NOT NULL, task INTEGER NOT NULL, PRIMARY KEY (instance, task)) WITHOUT ROWID;
            INSERT INTO engine_instances (id, workflow, status) VALUES ('a', 'w', 'Running'), ('b', 'w', 'Completed'), ('c', 'w', 'Running');
            """);

        await hub.RestartAsync();

        foreach (var id in (string[])["a", "c"])
        {
            var found = await hub.Engine.FindAsync(id);
            found!.Status.ShouldBe(EngineStatus.Failed);
            found.Failure!.ShouldContain("earlier version");
        }

        (await hub.Engine.FindAsync("b")).ShouldBeNull();
        hub.Database.Read(connection => connection.Statement("SELECT count(*) FROM sqlite_master WHERE name LIKE 'engine_%'").ExecuteScalar()).ShouldBe(0L);
    }
}
