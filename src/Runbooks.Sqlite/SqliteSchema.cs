namespace Runbooks.Sqlite;

/// <summary>Tables of one part of the host, with the version they were made in: several parts share the one file.</summary>
public static class SqliteSchema
{
    /// <param name="versions">The statements of version 1, 2, …; each is run once in the life of a file.</param>
    /// <exception cref="InvalidDataException">The file was written by a newer version of this program.</exception>
    /// <exception cref="Model.Storage.StoreUnavailableException">The file cannot be written.</exception>
    public static void Bring(SqliteDatabase database, string part, params string[] versions) =>
        database.Writer.EnqueueAsync(connection => Bring(connection, part, versions)).GetAwaiter().GetResult();

    private static void Bring(SqliteConnection connection, string part, string[] versions)
    {
        Run("CREATE TABLE IF NOT EXISTS schema_parts (part TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID");
        var found = connection.Statement("SELECT version FROM schema_parts WHERE part=$part", ("$part", part)).ExecuteScalar() as long? ?? 0;
        if (found > versions.Length)
        {
            throw new InvalidDataException(
                $"{connection.DataSource} was written by a newer version: its {part} tables are version {found}, this program knows up to {versions.Length}. "
                + "Run the newer version, or choose another data folder.");
        }

        for (var version = (int)found; version < versions.Length; version++)
        {
            Run(versions[version]);
        }

        connection.Statement("INSERT INTO schema_parts (part, version) VALUES ($part, $version) ON CONFLICT (part) DO UPDATE SET version=excluded.version",
            ("$part", part), ("$version", (long)versions.Length)).ExecuteNonQuery();

        void Run(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
