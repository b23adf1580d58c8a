using DurableTask.Core;

namespace Runbooks.Sqlite.DurableTask;

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
