using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>What the engine before this one left in the file: incidents that wait in a journal that nobody runs any more.</summary>
public static class LegacyJournal
{
    /// <summary>Ids of the instances that had not ended; none when the file never had such a journal.</summary>
    public static IReadOnlyList<string> FindWaitingIncidents(SqliteDatabase database) => database.Read(connection =>
    {
        var ids = new List<string>();
        if (!Exists(connection))
        {
            return ids;
        }

        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id FROM engine_instances WHERE status = 'Running' ORDER BY key";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            ids.Add(rows.GetString(0));
        }

        return ids;
    });

    /// <summary>Removes the journal: only after what <see cref="FindWaitingIncidents"/> found has been dealt with.</summary>
    public static Task RemoveAsync(SqliteDatabase database) => database.Writer.EnqueueAsync((connection, transaction) =>
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            DROP TABLE IF EXISTS engine_timers;
            DROP TABLE IF EXISTS engine_history;
            DROP TABLE IF EXISTS engine_instances;
            DELETE FROM schema_parts WHERE part = 'engine';
            """;
        command.ExecuteNonQuery();
    });

    private static bool Exists(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'engine_instances'";
        return command.ExecuteScalar() is not null;
    }
}
