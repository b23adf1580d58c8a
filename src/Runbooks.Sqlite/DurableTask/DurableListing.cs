using DurableTask.Core;
using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Instances as Durable Task's clients see them.</summary>
internal static class DurableListing
{
    private const string Columns =
        "id, execution, name, version, status, custom_status, input, output, failure, created_at, updated_at, ended_at";

    public static OrchestrationState? Find(SqliteConnection connection, string id)
    {
        using var rows = connection.Statement($"SELECT {Columns} FROM durable_instances WHERE id = $id", ("$id", id)).ExecuteReader();
        return rows.Read() ? State(rows) : null;
    }

    /// <summary>What has happened to an instance, oldest first, as it is stored.</summary>
    public static List<(string Kind, byte[] Data)> History(SqliteConnection connection, string id)
    {
        using var rows = connection.Statement(
            "SELECT kind, data FROM durable_history WHERE instance = (SELECT key FROM durable_instances WHERE id = $id) ORDER BY seq", ("$id", id)).ExecuteReader();
        var history = new List<(string, byte[])>();
        while (rows.Read())
        {
            history.Add((rows.GetString(0), rows.GetBytes(1)));
        }

        return history;
    }

    private static OrchestrationState State(SqliteRows row) => new()
    {
        OrchestrationInstance = new OrchestrationInstance { InstanceId = row.GetString(0), ExecutionId = row.GetString(1) },
        Name = row.GetString(2),
        Version = Text(row, 3),
        OrchestrationStatus = Enum.Parse<OrchestrationStatus>(row.GetString(4)),
        Status = Text(row, 5),
        Input = Text(row, 6),
        Output = Text(row, 7),
        FailureDetails = HistoryReader.ReadFailure(row.IsDBNull(8) ? null : row.GetBytes(8)),
        CreatedTime = At(row.GetInt64(9)),
        LastUpdatedTime = At(row.GetInt64(10)),
        CompletedTime = row.IsDBNull(11) ? default : At(row.GetInt64(11)),
    };

    private static DateTime At(long ticks) => new(ticks, DateTimeKind.Utc);

    private static string? Text(SqliteRows row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
