using Runbooks.Model.Storage;

namespace Runbooks.Sqlite.Store;

/// <summary>Shared documents in the host's database; each change is one piece of work of the single writer.</summary>
internal sealed class SqliteSharedState : ISharedState
{
    private readonly SqliteDatabase _database;

    public SqliteSharedState(SqliteDatabase database)
    {
        SqliteSchema.Bring(database, StoreSchema.Part, StoreSchema.Versions);
        _database = database;
    }

    public Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class =>
        _database.ReadAsync(connection =>
            connection.Statement("SELECT doc FROM shared WHERE key=$key", ("$key", key)).ExecuteScalar() is byte[] json
                ? SqliteIncidents.Read<T>(json)
                : null);

    public Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _database.Writer.EnqueueAsync((connection, transaction) =>
        {
            var before = connection.Statement(transaction, "SELECT doc FROM shared WHERE key=$key", ("$key", key)).ExecuteScalar() is byte[] json
                ? SqliteIncidents.Read<T>(json)
                : null;
            var (after, result) = change(before);
            if (!ReferenceEquals(before, after))
            {
                connection.Statement(
                    transaction,
                    "INSERT INTO shared (key, version, doc) VALUES ($key, 1, $doc) ON CONFLICT (key) DO UPDATE SET version=version+1, doc=excluded.doc",
                    ("$key", key), ("$doc", SqliteIncidents.Write(after))).ExecuteNonQuery();
            }

            return (after, result);
        });
    }
}
