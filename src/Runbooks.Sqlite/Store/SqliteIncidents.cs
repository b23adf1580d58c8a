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

    public (Incident Incident, long Version)? FindLatest(SqliteConnection connection, SqliteTransaction? transaction, string runbookId, string targetKey) =>
        connection.Statement(
            transaction,
            "SELECT i.summary FROM claims c JOIN incidents i ON i.id=c.incident WHERE c.runbook=$runbook AND c.target=$target",
            ("$runbook", runbookId), ("$target", targetKey)).ExecuteScalar() is byte[] summary
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
            ("$runbook", incident.RunbookId), ("$target", incident.TargetKey), ("$id", incident.Id))
            .ExecuteNonQuery();
        AddIdentities(connection, transaction, incident, incident.Identities);
        cache.Put(incident, 1);
    }

    public void Overwrite(SqliteConnection connection, SqliteTransaction transaction, Incident before, Incident incident, long version)
    {
        // Most changes leave the state alone; naming its columns would make SQLite rewrite their indexes for nothing.
        var sql = before.State == incident.State && before.ClosedAt == incident.ClosedAt && before.IsUnfinished == incident.IsUnfinished
            ? "UPDATE incidents SET version=$version, summary=$summary, doc=$doc WHERE id=$id"
            : "UPDATE incidents SET version=$version, summary=$summary, doc=$doc, state=$state, open=$open, closed_at=$closed WHERE id=$id";
        connection.Statement(transaction, sql, [.. Columns(incident), ("$id", incident.Id), ("$version", version + 1)]).ExecuteNonQuery();
        if (!ReferenceEquals(before.Alerts, incident.Alerts))
        {
            AddIdentities(connection, transaction, incident, incident.Identities.Except(before.Identities));
        }

        if (incident.State.IsFinal())
        {
            cache.Remove(incident.Id);
        }
        else
        {
            cache.Put(incident, version + 1);
        }
    }

    /// <summary>More incidents of one alert than anybody asks for.</summary>
    private const int MaxByAlert = 20;

    public static IReadOnlyList<IncidentSummary> FindByAlert(SqliteConnection connection, string identity)
    {
        var found = new List<IncidentSummary>();
        using var reader = connection.Statement(
            null,
            "SELECT i.summary FROM alerts a JOIN incidents i ON i.id=a.incident WHERE a.identity=$identity ORDER BY i.opened_at DESC, i.seq DESC LIMIT $most",
            ("$identity", identity), ("$most", (long)MaxByAlert)).ExecuteReader();
        while (reader.Read())
        {
            found.Add(Read<IncidentSummary>(reader, 0));
        }

        return found;
    }

    private static void AddIdentities(SqliteConnection connection, SqliteTransaction transaction, Incident incident, IEnumerable<string> identities)
    {
        foreach (var identity in identities)
        {
            connection.Statement(
                transaction, "INSERT INTO alerts (identity, incident) VALUES ($identity, $id) ON CONFLICT DO NOTHING", ("$identity", identity), ("$id", incident.Id)).ExecuteNonQuery();
        }
    }

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, DurableJson.Options);

    public static T Read<T>(SqliteDataReader reader, int column) => Read<T>(reader.GetFieldValue<byte[]>(column));

    public static T Read<T>(byte[] json) => JsonSerializer.Deserialize<T>(json, DurableJson.Options)!;

    private static (string, object?)[] Columns(Incident incident) =>
    [
        ("$state", incident.State.ToString()),
        ("$open", !incident.State.IsFinal() ? 1L : incident.IsUnfinished ? 2L : 0L),
        ("$closed", incident.ClosedAt?.UtcTicks),
        ("$summary", Write(IncidentSummary.Of(incident))),
        ("$doc", Write(incident)),
    ];
}
