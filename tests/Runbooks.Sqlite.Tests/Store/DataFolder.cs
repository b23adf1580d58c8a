using Microsoft.Extensions.Logging.Abstractions;

namespace Runbooks.Sqlite.Tests.Store;

/// <summary>A data folder of one test's own, with its database.</summary>
internal sealed class DataFolder : IDisposable
{
    private SqliteDatabase? _database;

    public string Path { get; } = Directory.CreateTempSubdirectory("runbooks-").FullName;

    public SqliteDatabase Database => _database ??= new SqliteDatabase(
        new SqliteOptions { Path = System.IO.Path.Combine(Path, "runbooks.db") }, NullLogger<SqliteDatabase>.Instance);

    /// <summary>As after a restart: closed, and opened again when next asked for.</summary>
    public void Close()
    {
        _database?.Dispose();
        _database = null;
    }

    public void Dispose()
    {
        Close();
        Directory.Delete(Path, recursive: true);
    }
}
