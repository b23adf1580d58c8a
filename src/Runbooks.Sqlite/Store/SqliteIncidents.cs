using System.Text.Json;
using Microsoft.Data.Sqlite;
using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Sqlite.Store;

/// <summary>One incident's row: read, inserted, overwritten. Whoever writes does so inside the writer's transaction.</summary>
internal sealed class SqliteIncidents(IncidentCache cache)
{
    public (Incident Incident, long Version)? Find(SqliteConnection connection, SqliteTransaction? transaction, string id)
    {
        if (connection.Statement(transaction, "SELECT version FROM incidents WHERE id=$id", ("$id", id)).ExecuteScalar() is not long version)
        {
            return null;
        }

        if (cache.Find(id, version) is { } cached)
        {
            return (cached, version);
        }

        // A reader may see a newer commit than a moment ago: version and document come from one row.
        using var reader = connection.Statement(transaction, "SELECT version, doc FROM incidents WHERE id=$id", ("$id", id)).ExecuteReader();
        return reader.Read() ? (Read<Incident>(reader, 1), reader.GetInt64(0)) : null;
    }

    public (Incident Incident, long Version)? FindLatest(SqliteConnection connection, SqliteTransaction? transaction, string runbookId, string target) =>
        connection.Statement(
            transaction,
            "SELECT i.summary FROM claims c JOIN incidents i ON i.id=c.incident WHERE c.runbook=$runbook AND c.target=$target",
            ("$runbook", runbookId), ("$target", target)).ExecuteScalar() is byte[] summary
            ? Find(connection, transaction, Read<IncidentSummary>(summary).Id)
            : null;

    public void Insert(SqliteConnection connection, SqliteTransaction transaction, Incident incident)
    {
        connection.Statement(
            transaction,
            """
            INSERT INTO incidents (id, runbook, state, open, opened_at, closed_at, version, summary, doc)
            VALUES ($id, $runbook, $state, $open, $opened, $closed, 1, $summary, $doc)
            """,
            [.. Columns(incident), ("$id", incident.Id), ("$runbook", incident.RunbookId), ("$opened", incident.OpenedAt.UtcTicks)])
            .ExecuteNonQuery();
        connection.Statement(
            transaction,
            "INSERT INTO claims (runbook, target, incident) VALUES ($runbook, $target, $id) ON CONFLICT (runbook, target) DO UPDATE SET incident=excluded.incident",
            ("$runbook", incident.RunbookId), ("$target", incident.Target), ("$id", incident.Id))
            .ExecuteNonQuery();
        cache.Put(incident, 1);
    }

    public void Overwrite(SqliteConnection connection, SqliteTransaction transaction, Incident before, Incident incident, long version)
    {
        // Most changes leave the state alone; naming its columns would make SQLite rewrite their indexes for nothing.
        var sql = before.State == incident.State && before.ClosedAt == incident.ClosedAt
            ? "UPDATE incidents SET version=$version, summary=$summary, doc=$doc WHERE id=$id"
            : "UPDATE incidents SET version=$version, summary=$summary, doc=$doc, state=$state, open=$open, closed_at=$closed WHERE id=$id";
        connection.Statement(transaction, sql, [.. Columns(incident), ("$id", incident.Id), ("$version", version + 1)]).ExecuteNonQuery();
        if (incident.State.IsFinal())
        {
            cache.Remove(incident.Id);
        }
        else
        {
            cache.Put(incident, version + 1);
        }
    }

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, DurableJson.Options);

    public static T Read<T>(SqliteDataReader reader, int column) => Read<T>(reader.GetFieldValue<byte[]>(column));

    public static T Read<T>(byte[] json) => JsonSerializer.Deserialize<T>(json, DurableJson.Options)!;

    private static (string, object?)[] Columns(Incident incident) =>
    [
        ("$state", incident.State.ToString()),
        ("$open", incident.State.IsFinal() ? 0L : 1L),
        ("$closed", incident.ClosedAt?.UtcTicks),
        ("$summary", Write(IncidentSummary.Of(incident))),
        ("$doc", Write(incident)),
    ];
}
