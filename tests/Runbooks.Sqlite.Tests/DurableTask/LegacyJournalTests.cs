using Runbooks.Sqlite.DurableTask;
using Runbooks.Sqlite.Tests.Store;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class LegacyJournalTests : IDisposable
{
    private readonly DataFolder _data = new();

    [Fact]
    public void FileWithoutAJournal_HasNobodyWaiting() => LegacyJournal.FindWaitingIncidents(_data.Database).ShouldBeEmpty();

    [Fact]
    public async Task JournalOfTheEngineBefore_NamesThoseThatWaitAndIsRemoved()
    {
        SqliteSchema.Bring(_data.Database, "engine", """
            CREATE TABLE engine_instances (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, status TEXT NOT NULL);
            CREATE TABLE engine_history (instance INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (instance, seq)) WITHOUT ROWID;
            CREATE TABLE engine_timers (instance INTEGER NOT NULL, task INTEGER NOT NULL, PRIMARY KEY (instance, task)) WITHOUT ROWID;
            INSERT INTO engine_instances (id, workflow, status) VALUES ('a', 'w', 'Running'), ('b', 'w', 'Completed'), ('c', 'w', 'Running');
            """);

        LegacyJournal.FindWaitingIncidents(_data.Database).ShouldBe(["a", "c"]);
        await LegacyJournal.RemoveAsync(_data.Database);

        LegacyJournal.FindWaitingIncidents(_data.Database).ShouldBeEmpty();
        _data.Database.Read(connection => connection.Statement("SELECT count(*) FROM sqlite_master WHERE name LIKE 'engine_%'").ExecuteScalar()).ShouldBe(0L);
    }

    public void Dispose() => _data.Dispose();
}
