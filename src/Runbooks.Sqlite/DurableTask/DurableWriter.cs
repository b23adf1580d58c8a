using DurableTask.Core.Exceptions;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Writes what is not a turn: starts, messages, ends without a turn, removals. Each call is part of one transaction.</summary>
internal sealed class DurableWriter(SqliteDatabase database)
{
    /// <summary>Instances purged in one transaction. More would keep other callers waiting for the writer.</summary>
    private const int PurgeBatch = 200;

    /// <exception cref="OrchestrationAlreadyExistsException">An instance of this id runs, or is in one of the given states.</exception>
    public Task<long> CreateAsync(TaskMessage start, IReadOnlyCollection<OrchestrationStatus> dedupe, long now)
    {
        var started = (ExecutionStartedEvent)start.Event;
        var message = OutgoingMessage.Of(start, now);
        return database.Writer.EnqueueAsync(connection =>
        {
            var id = started.OrchestrationInstance.InstanceId;
            if (Find(connection, id) is var (taken, status))
            {
                if (status is OrchestrationStatus.Pending or OrchestrationStatus.Running or OrchestrationStatus.Suspended || dedupe.Contains(status))
                {
                    throw new OrchestrationAlreadyExistsException($"There is an instance '{id}' already; it is {status}.");
                }

                DurableRows.Delete(connection, taken);
            }

            var key = (long)connection.Statement("""
                INSERT INTO durable_instances (id, execution, name, version, status, input, created_at, updated_at)
                VALUES ($id, $execution, $name, $version, 'Pending', $input, $now, $now) RETURNING key
                """,
                ("$id", id),
                ("$execution", started.OrchestrationInstance.ExecutionId),
                ("$name", started.Name),
                ("$version", started.Version),
                ("$input", started.Input),
                ("$now", now)).ExecuteScalar()!;
            message.Insert(connection);
            return key;
        });
    }

    /// <returns>The keys of the instances that exist and got them.</returns>
    public Task<List<long>> SendAsync(IReadOnlyCollection<OutgoingMessage> messages) => database.Writer.EnqueueAsync(connection =>
        messages.Select(message => message.Insert(connection)).OfType<long>().ToList());

    /// <summary>Stores an answer that no turn will see before the host stops, so that its activity need not run again.</summary>
    public Task KeepAnswerAsync(long instance, TaskMessage answer, long now)
    {
        var data = HistoryJson.Write(answer.Event);
        return database.Writer.EnqueueAsync(connection =>
        {
            // Without its row it was answered already, or nobody needs the answer.
            if (connection.Statement("DELETE FROM durable_tasks WHERE instance = $instance AND task = $task AND execution = $execution",
                ("$instance", instance),
                ("$task", (long)TurnCommit.AnsweredTask(answer)),
                ("$execution", answer.OrchestrationInstance.ExecutionId)).ExecuteNonQuery() > 0)
            {
                DurableRows.InsertMessage(
                    connection, instance, answer.OrchestrationInstance.ExecutionId, now, timer: false, answer.Event.EventType.ToString(), data);
            }
        });
    }

    /// <returns>Its id; null when it has ended meanwhile.</returns>
    public Task<string?> FailAsync(long key, FailureDetails failure, long now)
    {
        var ended = HistoryJson.Write(new ExecutionCompletedEvent(-1, null, OrchestrationStatus.Failed, failure)
        {
            Timestamp = new DateTime(now, DateTimeKind.Utc),
        });
        return database.Writer.EnqueueAsync(connection =>
        {
            var id = connection.Statement("""
                UPDATE durable_instances SET status = 'Failed', output = $output, failure = $failure, updated_at = $now, ended_at = $now
                WHERE key = $key AND ended_at IS NULL RETURNING id
                """,
                ("$output", failure.ToString()),
                ("$failure", HistoryJson.Write(failure)),
                ("$now", now),
                ("$key", key)).ExecuteScalar() as string;
            if (id is not null)
            {
                var seq = (long)connection
                    .Statement("SELECT coalesce(max(seq) + 1, 0) FROM durable_history WHERE instance = $key", ("$key", key))
                    .ExecuteScalar()!;
                DurableRows.InsertHistory(connection, key, (int)seq, nameof(EventType.ExecutionCompleted), ended);
                connection.Statement("DELETE FROM durable_messages WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
                connection.Statement("DELETE FROM durable_tasks WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
            }

            return id;
        });
    }

    /// <param name="except">Instances that this program does not run.</param>
    public Task CountStartAsync(long now, IEnumerable<long> except) => database.Writer.EnqueueAsync(connection => connection.Statement(
        $"UPDATE durable_instances SET attempts = attempts + 1 WHERE ended_at IS NULL AND key IN (SELECT instance "
            + $"FROM durable_messages WHERE {DurableRows.HasCome}) AND key NOT IN (SELECT value FROM json_each($except))",
        ("$now", now), ("$except", $"[{string.Join(',', except)}]")).ExecuteNonQuery());

    public Task CountAttemptAsync(PendingTask task) => database.Writer.EnqueueAsync(connection => connection.Statement(
        "UPDATE durable_tasks SET attempts = attempts + 1 WHERE instance = $instance AND task = $task AND execution = $execution",
        ("$instance", task.Instance), ("$task", (long)task.Id), ("$execution", task.Execution)).ExecuteNonQuery());

    /// <summary>After an orderly stop nothing is suspected of having killed the host.</summary>
    public Task ForgetStartsAsync() => database.Writer.EnqueueAsync(connection =>
    {
        connection.Statement("UPDATE durable_tasks SET attempts = 0 WHERE attempts > 0").ExecuteNonQuery();
        connection.Statement("UPDATE durable_instances SET attempts = 0 WHERE ended_at IS NULL AND attempts > 0").ExecuteNonQuery();
    });

    /// <returns>False when there is no such instance, or when it has not ended.</returns>
    public Task<bool> PurgeAsync(string id) => database.Writer.EnqueueAsync(connection =>
    {
        if (connection
            .Statement("SELECT key FROM durable_instances WHERE id = $id AND ended_at IS NOT NULL", ("$id", id))
            .ExecuteScalar() is not long key)
        {
            return false;
        }

        DurableRows.Delete(connection, key);
        return true;
    });

    /// <param name="column">The time that counts: ended_at or created_at.</param>
    public async Task<int> PurgeAsync(string column, long from, long to, IReadOnlyCollection<OrchestrationStatus> states)
    {
        var total = 0;
        int some;
        do
        {
            some = await database.Writer.EnqueueAsync(connection => PurgeSome(connection, column, from, to, states));
            total += some;
        }
        while (some == PurgeBatch);
        return total;
    }

    private static int PurgeSome(
        SqliteConnection connection, string column, long from, long to, IReadOnlyCollection<OrchestrationStatus> states)
    {
        var keys = connection.Statement($"SELECT key FROM durable_instances WHERE ended_at IS NOT NULL AND {column} >= $from "
            + $"AND {column} < $to AND ($states IS NULL OR instr($states, status) > 0) LIMIT $batch",
            ("$from", from),
            ("$to", to),
            ("$states", states.Count > 0 ? string.Join(' ', states) : null),
            ("$batch", (long)PurgeBatch)).List(static row => row.GetInt64(0));
        keys.ForEach(key => DurableRows.Delete(connection, key));
        return keys.Count;
    }

    private static (long Key, OrchestrationStatus Status)? Find(SqliteConnection connection, string id)
    {
        using var row = connection.Statement("SELECT key, status FROM durable_instances WHERE id = $id", ("$id", id)).ExecuteReader();
        return row.Read() ? (row.GetInt64(0), Enum.Parse<OrchestrationStatus>(row.GetString(1))) : null;
    }
}

/// <summary>A message to an instance. Its JSON is made before the writer's thread gets it.</summary>
internal sealed record OutgoingMessage(string Instance, string? Execution, long Due, bool IsTimer, string Kind, byte[] Data)
{
    /// <exception cref="NotSupportedException">A message that this task hub does not know.</exception>
    public static OutgoingMessage Of(TaskMessage message, long now)
    {
        var due = (message.Event as ExecutionStartedEvent)?.ScheduledStartTime?.ToUniversalTime().Ticks ?? now;
        return new OutgoingMessage(
            message.OrchestrationInstance.InstanceId,
            message.Event is ExecutionStartedEvent ? null : message.OrchestrationInstance.ExecutionId,
            Math.Max(due, now),
            due > now,
            message.Event.EventType.ToString(),
            HistoryJson.Write(message.Event));
    }

    /// <returns>The key of the instance; null when there is none, or when it has ended.</returns>
    public long? Insert(SqliteConnection connection)
    {
        if (connection.Statement("SELECT key FROM durable_instances WHERE id = $id AND ended_at IS NULL", ("$id", Instance))
            .ExecuteScalar() is not long key)
        {
            return null;
        }

        DurableRows.InsertMessage(connection, key, Execution, Due, IsTimer, Kind, Data);
        return key;
    }
}

internal static class DurableRows
{
    /// <summary>
    /// Whether a message has come by <c>$now</c>. Only for timers the due time matters: other messages have come even when the clock was set
    /// back since. All queries have to use this condition, or an instance is woken for nothing.
    /// </summary>
    public const string HasCome = "(timer = 0 OR due <= $now)";

    public static void InsertHistory(SqliteConnection connection, long instance, int seq, string kind, byte[] data) =>
        connection.Statement("INSERT INTO durable_history (instance, seq, kind, data) VALUES ($instance, $seq, $kind, $data)",
            ("$instance", instance),
            ("$seq", (long)seq),
            ("$kind", kind),
            ("$data", data)).ExecuteNonQuery();

    public static void InsertMessage(
        SqliteConnection connection, long instance, string? execution, long due, bool timer, string kind, byte[] data) =>
        connection.Statement("""
            INSERT INTO durable_messages (instance, execution, due, timer, kind, data) VALUES ($instance, $execution, $due, $timer, $kind, $data)
            """,
            ("$instance", instance),
            ("$execution", execution),
            ("$due", due),
            ("$timer", timer ? 1L : 0L),
            ("$kind", kind),
            ("$data", data)).ExecuteNonQuery();

    public static void Delete(SqliteConnection connection, long key)
    {
        connection.Statement("DELETE FROM durable_history WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_messages WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_tasks WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_instances WHERE key = $key", ("$key", key)).ExecuteNonQuery();
    }
}
