using System.Globalization;
using DurableTask.Core;
using DurableTask.Core.Query;
using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Instances as Durable Task's clients see them.</summary>
internal static class DurableListing
{
    private const string Columns =
        "key, id, execution, name, version, status, custom_status, input, output, failure, created_at, updated_at, ended_at";

    public static OrchestrationState? Find(SqliteConnection connection, string id)
    {
        using var rows = connection.Statement($"SELECT {Columns} FROM durable_instances WHERE id = $id", ("$id", id)).ExecuteReader();
        return rows.Read() ? State(rows) : null;
    }

    /// <summary>Newest first; the continuation token is the key of the last one.</summary>
    public static OrchestrationQueryResult List(SqliteConnection connection, OrchestrationQuery query)
    {
        var before = query.ContinuationToken is { } token ? long.Parse(token, CultureInfo.InvariantCulture) : long.MaxValue;
        using var rows = connection.Statement(
            $"""
            SELECT {Columns} FROM durable_instances
            WHERE key < $before AND created_at >= $from AND created_at <= $to
                AND ($states IS NULL OR instr($states, status) > 0) AND substr(id, 1, length($prefix)) = $prefix
            ORDER BY key DESC LIMIT $limit
            """,
            ("$before", before),
            ("$from", query.CreatedTimeFrom?.ToUniversalTime().Ticks ?? 0),
            ("$to", query.CreatedTimeTo?.ToUniversalTime().Ticks ?? long.MaxValue),
            ("$states", query.RuntimeStatus is { Count: > 0 } states ? string.Join(' ', states) : null),
            ("$prefix", query.InstanceIdPrefix ?? ""),
            ("$limit", (long)query.PageSize)).ExecuteReader();
        var found = new List<OrchestrationState>();
        var last = 0L;
        while (rows.Read())
        {
            last = rows.GetInt64(0);
            var state = State(rows);
            found.Add(query.FetchInputsAndOutputs ? state : state.ClearFieldsImmutably(clearInput: true, clearOutput: true));
        }

        return new OrchestrationQueryResult(found, found.Count == query.PageSize ? last.ToString(CultureInfo.InvariantCulture) : null);
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
        OrchestrationInstance = new OrchestrationInstance { InstanceId = row.GetString(1), ExecutionId = row.GetString(2) },
        Name = row.GetString(3),
        Version = Text(row, 4),
        OrchestrationStatus = Enum.Parse<OrchestrationStatus>(row.GetString(5)),
        Status = Text(row, 6),
        Input = Text(row, 7),
        Output = Text(row, 8),
        FailureDetails = HistoryReader.ReadFailure(row.IsDBNull(9) ? null : row.GetBytes(9)),
        CreatedTime = At(row.GetInt64(10)),
        LastUpdatedTime = At(row.GetInt64(11)),
        CompletedTime = row.IsDBNull(12) ? default : At(row.GetInt64(12)),
    };

    private static DateTime At(long ticks) => new(ticks, DateTimeKind.Utc);

    private static string? Text(SqliteRows row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
