using Microsoft.Data.Sqlite;
using Runbooks.Sqlite;
using Runbooks.Engine.Replay;

namespace RunbookLocal.Engine;

/// <summary>Writes the journal.</summary>
internal sealed class JournalStore(SqliteDatabase database)
{
    public Task BringTablesAsync() => Task.Run(() => SqliteSchema.Bring(database, "engine", JournalSchema.Version1));

    /// <returns>The new instance's key; null when the id is taken.</returns>
    public Task<long?> CreateAsync(string id, HistoryEvent started) => database.Writer.EnqueueAsync<long?>((connection, transaction) =>
    {
        var key = (long?)connection.Statement(
            transaction,
            "INSERT INTO engine_instances (id, workflow, status) VALUES ($id, $workflow, 'Running') ON CONFLICT (id) DO NOTHING RETURNING key",
            ("$id", id),
            ("$workflow", started.Name)).ExecuteScalar();
        if (key is { } created)
        {
            Insert(connection, transaction, created, 0, started);
        }

        return key;
    });

    public Task AppendAsync(JournalEntry entry) => database.Writer.EnqueueAsync((connection, transaction) =>
    {
        var seq = entry.FirstSeq;
        foreach (var line in entry.Events)
        {
            Insert(connection, transaction, entry.Key, seq++, line);
            if (line.Kind == HistoryKind.TimerCreated && line.Due < DateTimeOffset.MaxValue)
            {
                connection.Statement(
                    transaction,
                    "INSERT INTO engine_timers (instance, task, due) VALUES ($instance, $task, $due)",
                    ("$instance", entry.Key),
                    ("$task", line.Task),
                    ("$due", line.Due.UtcTicks)).ExecuteNonQuery();
            }
        }

        foreach (var task in entry.ClosedTimers)
        {
            connection.Statement(
                transaction, "DELETE FROM engine_timers WHERE instance = $instance AND task = $task", ("$instance", entry.Key), ("$task", task)).ExecuteNonQuery();
        }

        if (entry.Outcome is { } outcome)
        {
            Finish(connection, transaction, entry, outcome);
        }
        else if (entry.Parked is not null || entry.CustomStatus is not null)
        {
            connection.Statement(
                transaction,
                "UPDATE engine_instances SET parked = coalesce($parked, parked), custom_status = coalesce($status, custom_status) WHERE key = $key",
                ("$parked", entry.Parked is { } parked ? parked ? 1 : 0 : null),
                ("$status", entry.CustomStatus),
                ("$key", entry.Key)).ExecuteNonQuery();
        }
    });

    /// <summary>Removes some instances that finished before a time; call again until it returns 0.</summary>
    public Task<int> PurgeSomeAsync(DateTimeOffset before) => database.Writer.EnqueueAsync((connection, transaction) =>
    {
        const string Old = "(SELECT key FROM engine_instances WHERE finished_at < $before ORDER BY finished_at LIMIT 200)";
        connection.Statement(transaction, $"DELETE FROM engine_history WHERE instance IN {Old}", ("$before", before.UtcTicks)).ExecuteNonQuery();
        return connection.Statement(transaction, $"DELETE FROM engine_instances WHERE key IN {Old}", ("$before", before.UtcTicks)).ExecuteNonQuery();
    });

    private static void Finish(SqliteConnection connection, SqliteTransaction transaction, JournalEntry entry, WorkflowOutcome outcome)
    {
        connection.Statement(transaction, "DELETE FROM engine_timers WHERE instance = $instance", ("$instance", entry.Key)).ExecuteNonQuery();
        connection.Statement(
            transaction,
            """
            UPDATE engine_instances SET status = $status, parked = 0, failure = $failure, finished_at = $at, custom_status = coalesce($custom, custom_status)
            WHERE key = $key
            """,
            ("$status", outcome.Succeeded ? "Completed" : "Failed"),
            ("$failure", outcome.Succeeded ? null : outcome.Text),
            ("$at", entry.Events[^1].At.UtcTicks),
            ("$custom", entry.CustomStatus),
            ("$key", entry.Key)).ExecuteNonQuery();
    }

    private static void Insert(SqliteConnection connection, SqliteTransaction transaction, long key, int seq, HistoryEvent line) =>
        connection.Statement(
            transaction,
            "INSERT INTO engine_history (instance, seq, kind, at, task, name, data) VALUES ($instance, $seq, $kind, $at, $task, $name, $data)",
            ("$instance", key),
            ("$seq", seq),
            ("$kind", line.Kind.ToString()),
            ("$at", line.At.UtcTicks),
            ("$task", line.Task),
            ("$name", line.Name),
            ("$data", line.Data)).ExecuteNonQuery();
}
