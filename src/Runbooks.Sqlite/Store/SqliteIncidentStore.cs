using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// Incidents in the host's database. The single writer makes every change in one transaction, so claims and updates are atomic without
/// locks or retries, and durable once they are answered.
/// </summary>
internal sealed class SqliteIncidentStore : IIncidentStore
{
    /// <summary>Incidents purged in one transaction. More would keep other callers waiting for the writer.</summary>
    private const int PurgeBatch = 200;
    private const int PurgeAtOnce = 16;

    private readonly SqliteDatabase _database;
    private readonly SqliteIncidents _incidents;

    public SqliteIncidentStore(SqliteDatabase database)
    {
        SqliteSchema.Bring(database, StoreSchema.Part, StoreSchema.Versions);
        (_database, _incidents) = (database, new SqliteIncidents(database.Writer, database.Logger.RecordUnreadable));
    }

    public Task<OpenResult> OpenAsync(Incident candidate, Runbook runbook, Func<Incident, Incident?> fold, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _database.Writer.EnqueueAsync(connection =>
        {
            var opening = candidate;
            if (_incidents.FindLatest(connection, candidate.RunbookId, candidate.TargetKey, changing: true) is { } claimed
                && fold(claimed) is { } decided)
            {
                if (decided.Id == claimed.Id)
                {
                    if (!ReferenceEquals(decided, claimed))
                    {
                        _incidents.Overwrite(claimed, decided);
                    }

                    return new OpenResult(decided, Opened: false);
                }

                opening = decided;
            }

            if (_incidents.Find(connection, candidate.Id, changing: true) is not null)
            {
                throw new InvalidOperationException($"There is an incident '{candidate.Id}' already.");
            }

            Pin(connection, runbook);
            _incidents.Insert(connection, opening);
            return new OpenResult(opening, Opened: true);
        });
    }

    public Task<Incident?> FindAsync(string id, CancellationToken cancellationToken) =>
        _incidents.Known(id) is { } known
            ? Task.FromResult<Incident?>(known)
            : _database.ReadAsync(connection => _incidents.Find(connection, id, changing: false));

    public Task<Incident?> FindLatestAsync(string runbookId, string targetKey, CancellationToken cancellationToken) =>
        _database.ReadAsync(connection => _incidents.FindLatest(connection, runbookId, targetKey, changing: false));

    public Task<IReadOnlyList<IncidentSummary>> FindByAlertAsync(string identity, CancellationToken cancellationToken) =>
        _incidents.KnownByAlert(identity) is { } known
            ? Task.FromResult(known)
            : _database.ReadAsync(connection => _incidents.FindByAlert(connection, identity));

    public Task<(Incident Incident, T Result)> UpdateAsync<T>(string id, Func<Incident, (Incident, T)> change, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _database.Writer.EnqueueAsync(connection =>
        {
            var before = _incidents.Find(connection, id, changing: true) ?? throw new KeyNotFoundException($"There is no incident '{id}'.");
            var (after, result) = change(before);
            if (!ReferenceEquals(before, after))
            {
                _incidents.Overwrite(before, after);
            }

            return (after, result);
        });
    }

    public Task<IncidentPage> ListAsync(IncidentQuery query, CancellationToken cancellationToken) =>
        _database.ReadAsync(connection => SqliteIncidentListing.List(connection, query, _database.Logger.RecordUnreadable));

    public Task<IReadOnlyDictionary<IncidentState, int>?> CountAsync(CancellationToken cancellationToken) =>
        _database.ReadAsync(connection => (IReadOnlyDictionary<IncidentState, int>?)SqliteIncidentListing.Count(connection));

    public Task<Runbook?> FindRunbookAsync(string hash, CancellationToken cancellationToken) =>
        _database.ReadAsync(connection =>
            connection.Statement("SELECT doc FROM runbooks WHERE hash=$hash", ("$hash", hash)).ExecuteScalar() is byte[] json
                ? SqliteIncidents.Read<Runbook>(json)
                : null);

    public async Task<IReadOnlyList<string>> PurgeAsync(
        DateTimeOffset endedBefore, Func<string, CancellationToken, Task<bool>> removeRest, CancellationToken cancellationToken)
    {
        var purged = new List<string>();
        var (last, more) = (0L, true);
        while (more)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batch = await _database.ReadAsync(connection => FindEnded(connection, endedBefore, last));
            (last, more) = (batch.Count == 0 ? last : batch[^1].Seq, batch.Count == PurgeBatch);
            var gone = new List<string>();
            foreach (var some in batch.Chunk(PurgeAtOnce))
            {
                // In parallel, so that all of them share one commit.
                var removed = await Task.WhenAll(some.Select(one => removeRest(one.Id, cancellationToken)));
                gone.AddRange(some.Where((_, i) => removed[i]).Select(one => one.Id));
            }

            purged.AddRange(await _database.Writer.EnqueueAsync(connection => Remove(connection, gone, endedBefore)));
        }

        return purged;
    }

    public string? Damage => _database.Damage.Found;

    /// <summary>On another thread than the caller's, since a disk may hang.</summary>
    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => Task.Run<string?>(
        async () =>
        {
            _database.CheckPlace();
            try
            {
                await _database.ReadAsync(connection => connection.Statement("SELECT 1 FROM incidents LIMIT 1").ExecuteScalar());
                return await _database.Writer.CheckHealthAsync();
            }
            catch (StoreUnavailableException e)
            {
                return e.Message;
            }
        },
        cancellationToken);

    private static void Pin(SqliteConnection connection, Runbook runbook)
    {
        var hash = runbook.Hash;
        if (connection.Statement("SELECT 1 FROM runbooks WHERE hash=$hash", ("$hash", hash)).ExecuteScalar() is null)
        {
            connection.Statement("INSERT INTO runbooks (hash, doc) VALUES ($hash, $doc)", ("$hash", hash), ("$doc", SqliteIncidents.Write(runbook)))
                .ExecuteNonQuery();
        }
    }

    private static List<(long Seq, string Id)> FindEnded(SqliteConnection connection, DateTimeOffset endedBefore, long after) => connection.Statement(
            "SELECT seq, id FROM incidents WHERE closed_at < $before AND seq > $after ORDER BY seq LIMIT $batch",
            ("$before", endedBefore.UtcTicks), ("$after", after), ("$batch", (long)PurgeBatch)).List(static row => (row.GetInt64(0), row.GetString(1)));

    private List<string> Remove(SqliteConnection connection, List<string> ids, DateTimeOffset endedBefore)
    {
        var removed = ids.Where(id => _incidents.Find(connection, id, changing: true)?.ClosedAt < endedBefore).ToList();
        removed.ForEach(id => _incidents.Delete(connection, id));
        return removed;
    }
}

/// <summary>The tables of the store. A later version adds a member to <see cref="Versions"/>; an earlier one is never edited.</summary>
internal static class StoreSchema
{
    public const string Part = "store";

    public static readonly string[] Versions =
    [
        // doc is the last column, so that listings read the small columns without the pages of a large document.
        """
        CREATE TABLE incidents (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            runbook TEXT NOT NULL,
            state TEXT NOT NULL,
            open INTEGER NOT NULL,
            opened_at INTEGER NOT NULL,
            closed_at INTEGER,
            version INTEGER NOT NULL,
            summary BLOB NOT NULL,
            doc BLOB NOT NULL
        );
        CREATE INDEX incidents_by_time ON incidents (opened_at, seq);
        CREATE INDEX incidents_by_state ON incidents (state, opened_at, seq);
        CREATE INDEX incidents_by_runbook ON incidents (runbook, opened_at, seq);
        CREATE INDEX incidents_open ON incidents (opened_at, seq) WHERE open=1;
        CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;
        CREATE TABLE claims (
            runbook TEXT NOT NULL,
            target TEXT NOT NULL,
            incident TEXT NOT NULL,
            PRIMARY KEY (runbook, target)
        ) WITHOUT ROWID;
        CREATE INDEX claims_by_incident ON claims (incident);
        CREATE TABLE runbooks (hash TEXT PRIMARY KEY, doc BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE shared (key TEXT PRIMARY KEY, version INTEGER NOT NULL, doc BLOB NOT NULL) WITHOUT ROWID;
        """,
        """
        CREATE TABLE alerts (
            identity TEXT NOT NULL,
            incident TEXT NOT NULL,
            PRIMARY KEY (identity, incident)
        ) WITHOUT ROWID;
        CREATE INDEX alerts_by_incident ON alerts (incident);
        """,

        // From this version on, the column open is 1 while the automation runs the incident, 2 when it has ended and is left to people, and 0
        // when it is over.
        """
        UPDATE incidents SET open=2 WHERE state='TakenOver' AND json_extract(CAST(summary AS TEXT), '$.driven');
        CREATE INDEX incidents_left_to_people ON incidents (opened_at, seq) WHERE open=2;
        """,
    ];
}
