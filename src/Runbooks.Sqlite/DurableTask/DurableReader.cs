namespace Runbooks.Sqlite.DurableTask;

internal sealed record StoredInstance(long Key, string Id, string Execution, List<HistoryEvent> History, HashSet<int> Outstanding);

internal sealed record StoredMessages(List<long> Rows, List<TaskMessage> Messages);

internal sealed class DurableReader(SqliteDatabase database)
{
    /// <returns>Null when there is none of this key, or when it has ended.</returns>
    /// <exception cref="InvalidDataException">Its history cannot be read.</exception>
    public StoredInstance? Load(long key) => database.Read(connection =>
    {
        string id, execution;
        using (var row = connection.Statement(
            "SELECT id, execution FROM durable_instances WHERE key = $key AND ended_at IS NULL", ("$key", key)).ExecuteReader())
        {
            if (!row.Read())
            {
                return null;
            }

            (id, execution) = (row.GetString(0), row.GetString(1));
        }

        return new StoredInstance(key, id, execution, History(connection, key), Outstanding(connection, key));
    });

    /// <summary>The news of an instance. The start comes first.</summary>
    public StoredMessages Messages(long key, string id, long now) => database.Read(connection =>
    {
        using var rows = connection.Statement(
            $"SELECT id, execution, kind, data FROM durable_messages WHERE instance = "
                + $"$instance AND {DurableRows.HasCome} ORDER BY kind <> 'ExecutionStarted', due, id",
            ("$instance", key),
            ("$now", now)).ExecuteReader();
        var found = new StoredMessages([], []);
        while (rows.Read())
        {
            found.Rows.Add(rows.GetInt64(0));
            found.Messages.Add(new TaskMessage
            {
                Event = HistoryJson.Read(rows.GetString(2), rows.GetBytes(3)),
                OrchestrationInstance = new OrchestrationInstance { InstanceId = id, ExecutionId = rows.IsDBNull(1) ? null : rows.GetString(1) },
            });
        }

        return found;
    });

    public List<long> Ready(long now) => database.Read(connection => connection.Statement(
        $"SELECT DISTINCT instance FROM durable_messages WHERE {DurableRows.HasCome} ORDER BY instance", ("$now", now)).List(static row => row.GetInt64(0)));

    public List<(long Key, string? Version)> Open() => database.Read(connection => connection.Statement(
        "SELECT key, version FROM durable_instances WHERE ended_at IS NULL").List(static row => (row.GetInt64(0), row.IsDBNull(1)
            ? null
            : row.GetString(1))));

    /// <summary>Instances that had news at more than so many starts in a row.</summary>
    public List<long> Suspects(int starts) => database.Read(connection => connection.Statement(
        "SELECT key FROM durable_instances WHERE ended_at IS NULL AND attempts > $starts", ("$starts", (long)starts)).List(static row => row.GetInt64(0)));

    /// <summary>
    /// Activities without an answer, and how often in a row a process died after it had begun them again; null for one that can never be
    /// read.
    /// </summary>
    public List<(PendingTask Task, long? Attempts)> Tasks() => database.Read(connection => connection.Statement(
        "SELECT t.instance, i.id, t.execution, t.data, t.attempts, "
            + "t.task FROM durable_tasks t JOIN durable_instances i ON i.key = t.instance ORDER BY t.instance, t.task").List(Pending));

    private static (PendingTask, long?) Pending(SqliteRows row)
    {
        try
        {
            return (Of((TaskScheduledEvent)HistoryJson.Read(nameof(EventType.TaskScheduled), row.GetBytes(3))), row.GetInt64(4));
        }
        catch (InvalidDataException)
        {
            return (Of(new TaskScheduledEvent(row.GetInt32(5))), null);
        }

        PendingTask Of(TaskScheduledEvent scheduled) => PendingTask.Of(row.GetInt64(0), row.GetString(1), row.GetString(2), scheduled);
    }

    private static List<HistoryEvent> History(SqliteConnection connection, long key) =>
        connection
            .Statement("SELECT kind, data FROM durable_history WHERE instance = $instance ORDER BY seq", ("$instance", key))
            .List(static row => HistoryJson.Read(row.GetString(0), row.GetBytes(1)));

    private static HashSet<int> Outstanding(SqliteConnection connection, long key) =>
        [
            .. connection
                .Statement("SELECT task FROM durable_tasks WHERE instance = $instance", ("$instance", key))
                .List(static row => row.GetInt32(0)),
        ];
}

internal static class DurableListing
{
    private const string Columns =
        "id, execution, name, version, status, custom_status, input, output, failure, created_at, updated_at, ended_at";

    public static OrchestrationState? Find(SqliteConnection connection, string id)
    {
        using var rows = connection.Statement($"SELECT {Columns} FROM durable_instances WHERE id = $id", ("$id", id)).ExecuteReader();
        return rows.Read() ? State(rows) : null;
    }

    /// <summary>The events of an instance, oldest first, as they are stored.</summary>
    public static List<(string Kind, byte[] Data)> History(SqliteConnection connection, string id) => connection.Statement(
        "SELECT kind, data FROM durable_history WHERE instance = "
            + "(SELECT key FROM durable_instances WHERE id = $id) ORDER BY seq", ("$id", id)).List(static row => (row.GetString(0), row.GetBytes(1)));

    private static OrchestrationState State(SqliteRows row) => new()
    {
        OrchestrationInstance = new OrchestrationInstance { InstanceId = row.GetString(0), ExecutionId = row.GetString(1) },
        Name = row.GetString(2),
        Version = Text(row, 3),
        OrchestrationStatus = Enum.Parse<OrchestrationStatus>(row.GetString(4)),
        Status = Text(row, 5),
        Input = Text(row, 6),
        Output = Text(row, 7),
        FailureDetails = HistoryJson.ReadFailure(row.IsDBNull(8) ? null : row.GetBytes(8)),
        CreatedTime = At(row.GetInt64(9)),
        LastUpdatedTime = At(row.GetInt64(10)),
        CompletedTime = row.IsDBNull(11) ? default : At(row.GetInt64(11)),
    };

    private static DateTime At(long ticks) => new(ticks, DateTimeKind.Utc);

    private static string? Text(SqliteRows row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>Durable Task's tables. Instances have a small key, so that their rows are side by side on disk.</summary>
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
            attempts  INTEGER NOT NULL DEFAULT 0, -- begun again by a later process, since the last orderly stop
            PRIMARY KEY (instance, task)
        ) WITHOUT ROWID;
        """,
    ];
}

/// <summary>
/// The instances of the engine before this one. No other engine can continue them, so each that had not ended is shown as failed. Then the
/// watch pages the incident's owner and closes it.
/// </summary>
internal static class LegacyJournal
{
    private static readonly FailureDetails s_failure = new(
        "EarlierEngine", "the incident began under an earlier version of this program, and its story cannot be gone on with", null, null, isNonRetriable: true);

    /// <summary>Safe to repeat: the transaction that takes over the journal also removes it.</summary>
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
            ("$failure", HistoryJson.Write(s_failure)), ("$now", now)).ExecuteNonQuery();
        foreach (var table in (string[])["engine_timers", "engine_history", "engine_instances"])
        {
            connection.Statement($"DROP TABLE IF EXISTS {table}").ExecuteNonQuery();
        }

        connection.Statement("DELETE FROM schema_parts WHERE part = 'engine'").ExecuteNonQuery();
        return taken;
    });
}
