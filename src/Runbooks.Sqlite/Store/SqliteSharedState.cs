namespace Runbooks.Sqlite.Store;

internal sealed class SqliteSharedState : ISharedState, ITransactionPart
{
    /// <summary>Cached, since the guardrails read the same few documents for every incident.</summary>
    private readonly DocumentCache<object> _cache = new(generation: 64);

    private readonly SqliteDatabase _database;

    public SqliteSharedState(SqliteDatabase database)
    {
        SqliteSchema.Bring(database, StoreSchema.Part, StoreSchema.Versions);
        _database = database;
        database.Writer.Join(this);
    }

    public Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class =>
        _cache.TryFind(key, changing: false, out var known)
            ? Task.FromResult((T?)known)
            : _database.ReadAsync(connection => Read<T>(connection, key));

    public Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _database.Writer.EnqueueAsync(connection =>
        {
            var before = FindChanging<T>(connection, key);
            var (after, result) = change(before);
            if (!ReferenceEquals(before, after))
            {
                _cache.Change(key, before, after);
            }

            return (after, result);
        });
    }

    public Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _database.Writer.EnqueueAsync(connection =>
        {
            if (FindChanging<T>(connection, key) is { } known && when(known))
            {
                _cache.Change(key, known, null);
            }
        });
    }

    void ITransactionPart.Write(SqliteConnection connection)
    {
        foreach (var (key, (_, document)) in _cache.Changes)
        {
            if (document is null)
            {
                connection.Statement("DELETE FROM shared WHERE key=$key", ("$key", key)).ExecuteNonQuery();
                continue;
            }

            connection.Statement("INSERT INTO shared (key, version, doc) VALUES ($key, 1, "
                + "$doc) ON CONFLICT (key) DO UPDATE SET version=version+1, doc=excluded.doc",
                ("$key", key), ("$doc", SqliteIncidents.Write(document))).ExecuteNonQuery();
        }
    }

    void ITransactionPart.Committed() => _cache.Commit();

    void ITransactionPart.Undone() => _cache.Undo();

    void ITransactionPart.Failed() => _cache.Reset();

    private T? FindChanging<T>(SqliteConnection connection, string key)
        where T : class =>
        _cache.TryFind(key, changing: true, out var known) ? (T?)known : Read<T>(connection, key);

    private T? Read<T>(SqliteConnection connection, string key)
        where T : class
    {
        var commits = _cache.Commits;
        var document = connection.Statement("SELECT doc FROM shared WHERE key=$key", ("$key", key)).ExecuteScalar() is byte[] json
            ? SqliteIncidents.Read<T>(json)
            : null;
        _cache.Keep(key, document, commits);
        return document;
    }
}
