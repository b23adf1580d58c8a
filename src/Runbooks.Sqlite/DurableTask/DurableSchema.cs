using DurableTask.Core;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Durable Task's tables. Instances have a small key of their own: what belongs together lies side by side on disk.</summary>
internal static class DurableSchema
{
    public const string Part = "durable";

    public static readonly string[] Versions =
    [
        """
        CREATE TABLE durable_instances (
            key           INTEGER PRIMARY KEY,
            id            TEXT NOT NULL UNIQUE,
            execution     TEXT NOT NULL,             -- a new one each time the instance continues as new
            name          TEXT NOT NULL,
            version       TEXT,
            status        TEXT NOT NULL,             -- in Durable Task's words
            custom_status TEXT,
            input         TEXT,
            output        TEXT,
            failure       BLOB,                      -- JSON
            created_at    INTEGER NOT NULL,          -- ticks, UTC; so are all times here
            updated_at    INTEGER NOT NULL,
            ended_at      INTEGER,                   -- null while it runs
            attempts      INTEGER NOT NULL DEFAULT 0 -- starts of the host since its last committed turn
        );
        CREATE INDEX durable_running ON durable_instances (key) WHERE ended_at IS NULL;
        CREATE INDEX durable_ended ON durable_instances (ended_at) WHERE ended_at IS NOT NULL;
        CREATE TABLE durable_history (
            instance INTEGER NOT NULL,
            seq      INTEGER NOT NULL,
            kind     TEXT NOT NULL, -- Durable Task's event type
            data     BLOB NOT NULL, -- JSON
            PRIMARY KEY (instance, seq)
        ) WITHOUT ROWID;
        CREATE TABLE durable_messages (
            id        INTEGER PRIMARY KEY,
            instance  INTEGER NOT NULL,
            execution TEXT,             -- null: for whichever execution is there
            due       INTEGER NOT NULL, -- when it came, or, of a timer, when it is to fire
            timer     INTEGER NOT NULL, -- 1: somebody has to look when it is due
            kind      TEXT NOT NULL,
            data      BLOB NOT NULL
        );
        CREATE INDEX durable_messages_of ON durable_messages (instance, due);
        CREATE INDEX durable_messages_due ON durable_messages (due, timer, instance);
        CREATE TABLE durable_tasks (
            instance  INTEGER NOT NULL,
            task      INTEGER NOT NULL,
            execution TEXT NOT NULL,
            data      BLOB NOT NULL,
            attempts  INTEGER NOT NULL DEFAULT 0, -- starts of the host since it was scheduled
            PRIMARY KEY (instance, task)
        ) WITHOUT ROWID;
        """,
    ];
}

/// <summary>
/// What the engine before this one left in the file. Its stories cannot be gone on with by another engine: each that had not
/// ended is shown as failed, so that the watch pages the incident's owner and closes it.
/// </summary>
internal static class LegacyJournal
{
    private static readonly FailureDetails s_failure = new(
        "EarlierEngine", "the incident began under an earlier version of this program, and its story cannot be gone on with", null, null, isNonRetriable: true);

    /// <summary>Safe to repeat: the journal goes in the transaction that takes over what is in it.</summary>
    /// <returns>How many had not ended.</returns>
    public static Task<int> TakeOverAsync(SqliteDatabase database, long now) => database.Writer.EnqueueAsync(connection =>
    {
        if (connection.Statement("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'engine_instances'").ExecuteScalar() is null)
        {
            return 0;
        }

        var taken = connection.Statement(
            """
            INSERT INTO durable_instances (id, execution, name, status, failure, created_at, updated_at, ended_at)
            SELECT id, '', workflow, 'Failed', $failure, $now, $now, $now FROM engine_instances WHERE status = 'Running'
            ON CONFLICT (id) DO NOTHING
            """,
            ("$failure", HistoryWriter.Write(s_failure)), ("$now", now)).ExecuteNonQuery();
        foreach (var table in (string[])["engine_timers", "engine_history", "engine_instances"])
        {
            connection.Statement($"DROP TABLE IF EXISTS {table}").ExecuteNonQuery();
        }

        connection.Statement("DELETE FROM schema_parts WHERE part = 'engine'").ExecuteNonQuery();
        return taken;
    });
}
