using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Engine;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;

namespace Runbooks.Sqlite.Store;

/// <summary>Reads, inserts and overwrites the row of one incident. Writes belong in the writer's transaction.</summary>
internal sealed class SqliteIncidents : ITransactionPart
{
    private readonly DocumentCache<Incident> _cache = new(generation: 256);

    /// <summary>The incidents with an alert, newest first. Cached, since every alert that comes in asks for them.</summary>
    private readonly DocumentCache<string[]> _byAlert = new(generation: 2_048);

    private readonly IncidentJson _json = new();
    private readonly Action<string, JsonException> _unreadable;

    /// <param name="unreadable">Called for records that a newer version wrote.</param>
    public SqliteIncidents(SqliteWriter writer, Action<string, JsonException> unreadable)
    {
        _unreadable = unreadable;
        writer.Join(this);
    }

    /// <param name="changing">Asked inside the transaction, where its own changes count.</param>
    public Incident? Find(SqliteConnection connection, string id, bool changing) =>
        Known(id, changing)
        ?? (connection.Statement("SELECT doc FROM incidents WHERE id=$id", ("$id", id)).ExecuteScalar() is byte[] json ? Read<Incident>(json) : null);

    /// <returns>Null when only the database has it.</returns>
    public Incident? Known(string id, bool changing = false) => _cache.TryFind(id, changing, out var known) ? known : null;

    /// <inheritdoc cref="Find"/>
    public Incident? FindLatest(SqliteConnection connection, string runbookId, string targetKey, bool changing) =>
        connection
            .Statement("SELECT incident FROM claims WHERE runbook=$runbook AND target=$target", ("$runbook", runbookId), ("$target", targetKey))
            .ExecuteScalar() is string id
            ? Find(connection, id, changing)
            : null;

    /// <summary>Like <see cref="Overwrite"/>, the last thing that a piece of work does.</summary>
    public void Insert(SqliteConnection connection, Incident incident)
    {
        connection.Statement("INSERT INTO claims (runbook, target, incident) VALUES ($runbook, $target, "
            + "$id) ON CONFLICT (runbook, target) DO UPDATE SET incident=excluded.incident",
            ("$runbook", incident.RunbookId), ("$target", incident.TargetKey), ("$id", incident.Id))
            .ExecuteNonQuery();
        _cache.Change(incident.Id, null, incident);
    }

    /// <inheritdoc cref="DocumentCache{T}.Change"/>
    public void Overwrite(Incident before, Incident incident) => _cache.Change(incident.Id, before, incident);

    public void Delete(SqliteConnection connection, string id)
    {
        foreach (var identity in connection
            .Statement("SELECT identity FROM alerts WHERE incident=$id", ("$id", id))
            .List(static row => row.GetString(0)))
        {
            var known = _byAlert.TryFind(identity, changing: true, out var ids) ? ids : null;
            _byAlert.Change(identity, known, known?.Where(other => other != id).ToArray());
        }

        connection.Statement("DELETE FROM alerts WHERE incident=$id", ("$id", id)).ExecuteNonQuery();
        connection.Statement("DELETE FROM claims WHERE incident=$id", ("$id", id)).ExecuteNonQuery();
        connection.Statement("DELETE FROM incidents WHERE id=$id", ("$id", id)).ExecuteNonQuery();
        _cache.Drop(id);
    }

    /// <summary>More incidents of one alert than any caller needs.</summary>
    private const int MaxByAlert = 20;

    public IReadOnlyList<IncidentSummary> FindByAlert(SqliteConnection connection, string identity)
    {
        var commits = _byAlert.Commits;
        var ids = IdsByAlert(connection, identity);
        _byAlert.Keep(identity, ids, commits);
        return [.. ids.Select(id => Known(id) is { } known ? IncidentSummary.Of(known) : ReadSummary(connection, id)).OfType<IncidentSummary>()];
    }

    /// <returns>Null when only the database has it.</returns>
    public IReadOnlyList<IncidentSummary>? KnownByAlert(string identity)
    {
        if (!_byAlert.TryFind(identity, changing: false, out var ids))
        {
            return null;
        }

        var found = new List<IncidentSummary>(ids!.Length);
        foreach (var id in ids)
        {
            if (Known(id) is not { } known)
            {
                return null;
            }

            found.Add(IncidentSummary.Of(known));
        }

        return found;
    }

    private IncidentSummary? ReadSummary(SqliteConnection connection, string id) =>
        connection.Statement("SELECT summary FROM incidents WHERE id=$id", ("$id", id)).ExecuteScalar() is byte[] json
            ? TryReadSummary(json, id, _unreadable)
            : null;

    /// <returns>Null where this version cannot read it.</returns>
    public static IncidentSummary? TryReadSummary(byte[] json, string id, Action<string, JsonException> unreadable)
    {
        try
        {
            return Read<IncidentSummary>(json);
        }
        catch (JsonException failure)
        {
            unreadable(id, failure);
            return null;
        }
    }

    private static string[] IdsByAlert(SqliteConnection connection, string identity) => [.. connection.Statement(
        "SELECT i.id FROM alerts a JOIN incidents i ON i.id=a.incident WHERE a.identity=$identity ORDER BY i.opened_at DESC, i.seq DESC LIMIT $most",
        ("$identity", identity), ("$most", (long)MaxByAlert)).List(static row => row.GetString(0))];

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, DurableJson.Options);

    public static T Read<T>(byte[] json) => JsonSerializer.Deserialize<T>(json, DurableJson.Options)!;

    void ITransactionPart.Write(SqliteConnection connection)
    {
        foreach (var (before, changed) in _cache.Changes.Values)
        {
            var incident = changed!;
            if (before is null)
            {
                InsertRow(connection, incident);
                AddIdentities(connection, incident, incident.Identities);
                continue;
            }

            // Most changes leave the state alone. With its columns in the statement, SQLite would rewrite their indexes for nothing.
            var sql = before.State == incident.State && before.ClosedAt == incident.ClosedAt && before.IsUnfinished == incident.IsUnfinished
                ? "UPDATE incidents SET version=version+1, summary=$summary, doc=$doc WHERE id=$id"
                : "UPDATE incidents SET version=version+1, summary=$summary, doc=$doc, state=$state, open=$open, closed_at=$closed WHERE id=$id";
            connection.Statement(sql, Columns(incident)).ExecuteNonQuery();
            if (!ReferenceEquals(before.Alerts, incident.Alerts))
            {
                AddIdentities(connection, incident, incident.Identities.Except(before.Identities));
            }
        }
    }

    private void InsertRow(SqliteConnection connection, Incident incident) => connection.Statement("""
        INSERT INTO incidents (id, runbook, state, open, opened_at, closed_at, version, summary, doc)
        VALUES ($id, $runbook, $state, $open, $opened, $closed, 1, $summary, $doc)
        """,
        [.. Columns(incident), ("$runbook", incident.RunbookId), ("$opened", incident.OpenedAt.UtcTicks)])
        .ExecuteNonQuery();

    void ITransactionPart.Committed()
    {
        _cache.Commit();
        _byAlert.Commit();
    }

    void ITransactionPart.Undone()
    {
        _cache.Undo();
        _byAlert.Undo();
    }

    void ITransactionPart.Failed()
    {
        _cache.Reset();
        _byAlert.Reset();
    }

    private void AddIdentities(SqliteConnection connection, Incident incident, IEnumerable<string> identities)
    {
        foreach (var identity in identities)
        {
            connection
                .Statement(
                    "INSERT INTO alerts (identity, incident) VALUES ($identity, $id) ON CONFLICT DO NOTHING",
                    ("$identity", identity),
                    ("$id", incident.Id))
                .ExecuteNonQuery();

            // Unknown ones are dropped at the commit, since a reader may be caching the state before it.
            var known = _byAlert.TryFind(identity, changing: true, out var ids) ? ids : null;
            _byAlert.Change(identity, known, known is null ? null : known.Length == 0 ? [incident.Id] : IdsByAlert(connection, identity));
        }
    }

    private (string, object?)[] Columns(Incident incident) =>
    [
        ("$id", incident.Id),
        ("$state", incident.State.ToString()),
        ("$open", !incident.State.IsFinal() ? 1L : incident.IsUnfinished ? 2L : 0L),
        ("$closed", incident.ClosedAt?.UtcTicks),
        ("$summary", Write(IncidentSummary.Of(incident))),
        ("$doc", _json.Write(incident)),
    ];
}

/// <summary>
/// Writes incidents as <see cref="DurableJson"/> does. An incident is written some fifteen times, and most of it is unchanged each time.
/// Parts that are still the same object are written as the bytes of the last time. Parts are immutable, and only the writer's thread uses
/// this class.
/// </summary>
internal sealed class IncidentJson
{
    /// <summary>Parts kept in each of two generations: enough for some hundred incidents.</summary>
    private const int Generation = 4_096;

    private readonly JsonSerializerOptions _options;
    private Dictionary<object, byte[]> _young = new(ReferenceEqualityComparer.Instance);
    private Dictionary<object, byte[]> _old = new(ReferenceEqualityComparer.Instance);

    public IncidentJson()
    {
        _options = new(DurableJson.Options);
        _options.Converters.Insert(0, new PartConverter<TimelineEntry>(this));
        _options.Converters.Insert(0, new PartConverter<Gate>(this));
        _options.Converters.Insert(0, new PartConverter<StepRecord>(this));
        _options.Converters.Insert(0, new PartConverter<Finding>(this));
        _options.Converters.Insert(0, new PartConverter<Delivery>(this));
        _options.Converters.Insert(0, new PartConverter<VerificationRound>(this));
        _options.Converters.Insert(0, new PartConverter<AttachedAlert>(this));
        _options.Converters.Insert(0, new PartConverter<Alert>(this));
    }

    public byte[] Write(Incident incident) => JsonSerializer.SerializeToUtf8Bytes(incident, _options);

    private byte[] PartOf<T>(T part)
        where T : class
    {
        if (_young.TryGetValue(part, out var json))
        {
            return json;
        }

        if (!_old.TryGetValue(part, out json))
        {
            json = JsonSerializer.SerializeToUtf8Bytes(part, DurableJson.Options);
        }

        if (_young.Count >= Generation)
        {
            // Cleared and used again: tables of this size are large objects, and new ones would cause full garbage collections.
            _old.Clear();
            (_old, _young) = (_young, _old);
        }

        _young[part] = json;
        return json;
    }

    private sealed class PartConverter<T>(IncidentJson parts) : JsonConverter<T>
        where T : class
    {
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<T>(ref reader, DurableJson.Options);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteRawValue(parts.PartOf(value), skipInputValidation: true);
    }
}
