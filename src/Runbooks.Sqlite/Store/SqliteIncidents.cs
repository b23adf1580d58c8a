using System.Text.Json;
using Microsoft.Data.Sqlite;
using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Sqlite.Store;

/// <summary>One incident's row: read, inserted, overwritten. Whoever writes does so inside the writer's transaction.</summary>
internal sealed class SqliteIncidents : ITransactionPart
{
    private readonly DocumentCache<Incident> _cache = new(generation: 256);

    public SqliteIncidents(SqliteWriter writer) => writer.Join(this);

    public Incident? Find(SqliteConnection connection, SqliteTransaction? transaction, string id) =>
        Known(id, transaction is not null)
        ?? (connection.Statement(transaction, "SELECT doc FROM incidents WHERE id=$id", ("$id", id)).ExecuteScalar() is byte[] json ? Read<Incident>(json) : null);

    /// <returns>Null when only the database knows.</returns>
    public Incident? Known(string id, bool changing = false) => _cache.TryFind(id, changing, out var known) ? known : null;

    public Incident? FindLatest(SqliteConnection connection, SqliteTransaction? transaction, string runbookId, string targetKey) =>
        connection.Statement(
            transaction, "SELECT incident FROM claims WHERE runbook=$runbook AND target=$target", ("$runbook", runbookId), ("$target", targetKey)).ExecuteScalar() is string id
            ? Find(connection, transaction, id)
            : null;

    /// <summary>Like <see cref="Overwrite"/>, the last thing that a piece of work does.</summary>
    public void Insert(SqliteConnection connection, SqliteTransaction transaction, Incident incident)
    {
        connection.Statement(
            transaction,
            "INSERT INTO claims (runbook, target, incident) VALUES ($runbook, $target, $id) ON CONFLICT (runbook, target) DO UPDATE SET incident=excluded.incident",
            ("$runbook", incident.RunbookId), ("$target", incident.TargetKey), ("$id", incident.Id))
            .ExecuteNonQuery();
        _cache.Change(incident.Id, null, incident);
    }

    /// <inheritdoc cref="DocumentCache{T}.Change"/>
    public void Overwrite(Incident before, Incident incident) => _cache.Change(incident.Id, before, incident);

    public void Delete(SqliteConnection connection, SqliteTransaction transaction, string id)
    {
        connection.Statement(transaction, "DELETE FROM alerts WHERE incident=$id", ("$id", id)).ExecuteNonQuery();
        connection.Statement(transaction, "DELETE FROM claims WHERE incident=$id", ("$id", id)).ExecuteNonQuery();
        connection.Statement(transaction, "DELETE FROM incidents WHERE id=$id", ("$id", id)).ExecuteNonQuery();
        _cache.Drop(id);
    }

    /// <summary>More incidents of one alert than anybody asks for.</summary>
    private const int MaxByAlert = 20;

    public IReadOnlyList<IncidentSummary> FindByAlert(SqliteConnection connection, string identity)
    {
        var found = new List<IncidentSummary>();
        using var reader = connection.Statement(
            null,
            "SELECT i.id, i.summary FROM alerts a JOIN incidents i ON i.id=a.incident WHERE a.identity=$identity ORDER BY i.opened_at DESC, i.seq DESC LIMIT $most",
            ("$identity", identity), ("$most", (long)MaxByAlert)).ExecuteReader();
        while (reader.Read())
        {
            found.Add(Known(reader.GetString(0)) is { } known ? IncidentSummary.Of(known) : Read<IncidentSummary>(reader, 1));
        }

        return found;
    }

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, DurableJson.Options);

    public static T Read<T>(SqliteDataReader reader, int column) => Read<T>(reader.GetFieldValue<byte[]>(column));

    public static T Read<T>(byte[] json) => JsonSerializer.Deserialize<T>(json, DurableJson.Options)!;

    void ITransactionPart.Write(SqliteConnection connection, SqliteTransaction transaction)
    {
        foreach (var (before, changed) in _cache.Changes.Values)
        {
            var incident = changed!;
            if (before is null)
            {
                InsertRow(connection, transaction, incident);
                AddIdentities(connection, transaction, incident, incident.Identities);
                continue;
            }

            // Most changes leave the state alone; naming its columns would make SQLite rewrite their indexes for nothing.
            var sql = before.State == incident.State && before.ClosedAt == incident.ClosedAt && before.IsUnfinished == incident.IsUnfinished
                ? "UPDATE incidents SET version=version+1, summary=$summary, doc=$doc WHERE id=$id"
                : "UPDATE incidents SET version=version+1, summary=$summary, doc=$doc, state=$state, open=$open, closed_at=$closed WHERE id=$id";
            connection.Statement(transaction, sql, Columns(incident)).ExecuteNonQuery();
            if (!ReferenceEquals(before.Alerts, incident.Alerts))
            {
                AddIdentities(connection, transaction, incident, incident.Identities.Except(before.Identities));
            }
        }
    }

    private static void InsertRow(SqliteConnection connection, SqliteTransaction transaction, Incident incident) => connection.Statement(
        transaction,
        """
        INSERT INTO incidents (id, runbook, state, open, opened_at, closed_at, version, summary, doc)
        VALUES ($id, $runbook, $state, $open, $opened, $closed, 1, $summary, $doc)
        """,
        [.. Columns(incident), ("$runbook", incident.RunbookId), ("$opened", incident.OpenedAt.UtcTicks)])
        .ExecuteNonQuery();

    void ITransactionPart.Committed() => _cache.Commit(isOver: incident => incident.State.IsFinal());

    void ITransactionPart.Failed() => _cache.Reset();

    private static void AddIdentities(SqliteConnection connection, SqliteTransaction transaction, Incident incident, IEnumerable<string> identities)
    {
        foreach (var identity in identities)
        {
            connection.Statement(
                transaction, "INSERT INTO alerts (identity, incident) VALUES ($identity, $id) ON CONFLICT DO NOTHING", ("$identity", identity), ("$id", incident.Id)).ExecuteNonQuery();
        }
    }

    private static (string, object?)[] Columns(Incident incident) =>
    [
        ("$id", incident.Id),
        ("$state", incident.State.ToString()),
        ("$open", !incident.State.IsFinal() ? 1L : incident.IsUnfinished ? 2L : 0L),
        ("$closed", incident.ClosedAt?.UtcTicks),
        ("$summary", Write(IncidentSummary.Of(incident))),
        ("$doc", Write(incident)),
    ];
}
