using DurableTask.Core;
using DurableTask.Core.History;
using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>A message on its way to an instance, its JSON made before the writer's thread has it.</summary>
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
            HistoryWriter.Write(message.Event));
    }

    /// <returns>The key of the instance; null when there is none, or when it has ended: then nobody is there to receive it.</returns>
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

/// <summary>Statements that more than one kind of write needs.</summary>
internal static class DurableRows
{
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

    /// <summary>Everything that is kept of an instance.</summary>
    public static void Delete(SqliteConnection connection, long key)
    {
        connection.Statement("DELETE FROM durable_history WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_messages WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_tasks WHERE instance = $key", ("$key", key)).ExecuteNonQuery();
        connection.Statement("DELETE FROM durable_instances WHERE key = $key", ("$key", key)).ExecuteNonQuery();
    }
}
