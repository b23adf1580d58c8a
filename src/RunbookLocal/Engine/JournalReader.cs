using Microsoft.Data.Sqlite;
using Runbooks.Sqlite;
using Runbooks.Engine;
using Runbooks.Engine.Replay;

namespace RunbookLocal.Engine;

/// <summary>Reads the journal.</summary>
internal sealed class JournalReader(SqliteDatabase database)
{
    private const string Columns = """
        key, id, workflow, status, parked,
        (SELECT at FROM engine_history WHERE instance = key ORDER BY seq DESC LIMIT 1),
        custom_status, failure FROM engine_instances
        """;

    public JournalInstance? Find(string id) =>
        database.Read(connection => Instances(connection.Statement($"SELECT {Columns} WHERE id = $id", ("$id", id)))).SingleOrDefault();

    /// <summary>Newest first.</summary>
    public List<JournalInstance> List(EngineStatus? status, int limit, long? beforeKey) =>
        database.Read(connection => Instances(connection.Statement(
            $"SELECT {Columns} WHERE ($status IS NULL OR status = $status) AND key < $before ORDER BY key DESC LIMIT $limit",
            ("$status", status?.ToString()),
            ("$before", beforeKey ?? long.MaxValue),
            ("$limit", limit))));

    /// <summary>Ids of those that were at work, not waiting, when the journal was last written.</summary>
    public List<string> Unparked() => database.Read(connection =>
    {
        using var rows = connection.Statement("SELECT id FROM engine_instances WHERE status = 'Running' AND parked = 0 ORDER BY key").ExecuteReader();
        var ids = new List<string>();
        while (rows.Read())
        {
            ids.Add(rows.GetString(0));
        }

        return ids;
    });

    public List<HistoryEvent> History(long key) => database.Read(connection =>
    {
        using var rows = connection.Statement(
            "SELECT kind, at, task, name, data FROM engine_history WHERE instance = $instance ORDER BY seq", ("$instance", key)).ExecuteReader();
        var history = new List<HistoryEvent>();
        while (rows.Read())
        {
            history.Add(new HistoryEvent(
                Enum.Parse<HistoryKind>(rows.GetString(0)), At(rows.GetInt64(1)), rows.GetInt32(2), Text(rows, 3), Text(rows, 4)));
        }

        return history;
    });

    /// <summary>The timers due after a time, earliest first; those due at the same time are never split.</summary>
    public List<PendingTimer> TimersAfter(long due, int about) => database.Read(connection =>
    {
        using var rows = connection.Statement(
            """
            SELECT i.id, t.task, t.due FROM engine_timers t JOIN engine_instances i ON i.key = t.instance
            WHERE t.due > $due AND t.due <= (SELECT max(due) FROM (SELECT due FROM engine_timers WHERE due > $due ORDER BY due LIMIT $about))
            ORDER BY t.due
            """,
            ("$due", due),
            ("$about", about)).ExecuteReader();
        var timers = new List<PendingTimer>();
        while (rows.Read())
        {
            timers.Add(new PendingTimer(rows.GetString(0), rows.GetInt32(1), rows.GetInt64(2)));
        }

        return timers;
    });

    public bool IsPending(PendingTimer timer) => database.Read(connection => connection.Statement(
        "SELECT 1 FROM engine_timers WHERE instance = (SELECT key FROM engine_instances WHERE id = $id) AND task = $task",
        ("$id", timer.Instance),
        ("$task", timer.Task)).ExecuteScalar() is not null);

    private static List<JournalInstance> Instances(SqliteCommand command)
    {
        using var rows = command.ExecuteReader();
        var instances = new List<JournalInstance>();
        while (rows.Read())
        {
            instances.Add(new JournalInstance(
                rows.GetInt64(0),
                rows.GetString(1),
                rows.GetString(2),
                Enum.Parse<EngineStatus>(rows.GetString(3)),
                rows.GetInt64(4) == 1,
                At(rows.GetInt64(5)),
                Text(rows, 6),
                Text(rows, 7)));
        }

        return instances;
    }

    private static DateTimeOffset At(long ticks) => new(ticks, TimeSpan.Zero);

    private static string? Text(SqliteDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
