using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

/// <summary>
/// The host's one database file: everything durable goes through <see cref="Writer"/>, everything else through <see cref="Read"/>. The file
/// itself is locked, and no lock file that could be deleted: two hosts on one database would each run every incident.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private readonly ConcurrentBag<SqliteConnection> _readers = [];
    private readonly FileStream _lock;
    private readonly string _path;
    private readonly ulong? _inode;
    private readonly string _synchronous;
    private bool _disposed;

    /// <exception cref="IOException">Another process has the database open, or its folder cannot be written.</exception>
    public SqliteDatabase(SqliteOptions options, ILogger<SqliteDatabase> logger)
    {
        _path = System.IO.Path.GetFullPath(options.Path);
        _synchronous = options.SurvivesPowerCut ? "FULL" : "OFF";
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(_path)!);
        (Logger, Damage) = (logger, new(logger));
        _lock = TakeLock(_path);
        _inode = FileStatus.InodeOf(_path);
        try
        {
            Writer = new SqliteWriter(
                () => Open("PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;"), options.Failpoint, Damage, logger);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public SqliteWriter Writer { get; }

    internal DatabaseDamage Damage { get; }

    internal ILogger Logger { get; }

    /// <summary>
    /// Checks that the file is where it was. Writes into a file that was moved or removed are lost with the process, and another host may have
    /// locked the file in its place.
    /// </summary>
    internal void CheckPlace()
    {
        if (FileStatus.InodeOf(_path) != _inode)
        {
            Damage.Note($"{_path} is another file now, or gone.");
        }
    }

    /// <summary>Reads every page, beside other reads and writes.</summary>
    internal void Check()
    {
        try
        {
            if (Read(connection => connection.Statement("PRAGMA quick_check(1)").ExecuteScalar()) is string and not "ok" and var found)
            {
                Damage.Note($"{found}.");
            }
        }
        catch (SqliteException) when (Damage.Found is not null)
        {
            // Logged before.
        }
    }

    /// <summary>Reads what is committed, on a connection of its own. Readers never wait for the writer.</summary>
    public T Read<T>(Func<SqliteConnection, T> read)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var connection = _readers.TryTake(out var pooled) ? pooled : Open("PRAGMA query_only=ON;");
        try
        {
            var result = read(connection);
            _readers.Add(connection);
            return result;
        }
        catch (Exception failure)
        {
            if (DatabaseDamage.Is(failure))
            {
                Damage.Note(failure.Message);
            }

            connection.Release();
            throw;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        Writer.Dispose();
        while (_readers.TryTake(out var reader))
        {
            reader.Release();
        }

        _lock.Dispose();
    }

    /// <summary>
    /// An advisory lock of another kind than SQLite's own. It is taken before SQLite opens the file and released after it has closed it, since
    /// closing any handle of a file drops SQLite's locks in this process. Where a lock would also keep out SQLite, a file beside it is locked.
    /// </summary>
    private static FileStream TakeLock(string path)
    {
        var file = OperatingSystem.IsWindows() ? path + ".lock" : path;
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException) when (File.Exists(file))
        {
            // SQLite will report what is wrong with it.
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException(
                IsHeld(e)
                    ? $"{path} is in use by another process. Stop it, or choose another data folder."
                    : $"The data folder {Path.GetDirectoryName(Path.GetFullPath(path))} cannot be used: {e.Message}",
                e);
        }
    }

    /// <summary>EWOULDBLOCK of Linux or macOS, or a sharing violation of Windows. A read-only or a broken disk is an IOException as well.</summary>
    private static bool IsHeld(IOException e) =>
        e.HResult == (OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() ? 35 : 11);

    private SqliteConnection Open(string more)
    {
        // Without pooling: the connections live as long as the database, with their prepared statements.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"PRAGMA journal_mode=WAL; PRAGMA synchronous={_synchronous}; PRAGMA busy_timeout=5000; "
                + "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; " + more;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}

internal static class SqliteReading
{
    /// <summary>Reads synchronously: SQLite answers from memory or the page cache, and a thread switch would cost more.</summary>
    /// <exception cref="StoreUnavailableException">The database could not be read.</exception>
#pragma warning disable CS1998 // Async without awaiting: whatever is thrown belongs into the task.
    public static async Task<T> ReadAsync<T>(this SqliteDatabase database, Func<SqliteConnection, T> read)
    {
        try
        {
            return database.Read(read);
        }
        catch (SqliteException e)
        {
            throw new StoreUnavailableException($"The database cannot be read: {e.Message}", e);
        }
    }
#pragma warning restore CS1998
}

public sealed class SqliteOptions
{
    /// <summary>The database file. Its folder is made when it does not exist.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// A commit survives a power cut: it is synced to disk before it is answered. Without this it survives only the end of the process, which
    /// is enough for tests and costs no sync.
    /// </summary>
    public bool SurvivesPowerCut { get; init; } = true;

    /// <summary>
    /// For crash tests. The writer calls it just before and just after each commit. When it throws, the writer stops like a killed process:
    /// nothing more is written, and no caller gets an answer.
    /// </summary>
    internal Action<WritePoint>? Failpoint { get; init; }
}

internal enum WritePoint { BeforeCommit, AfterCommit }

/// <summary>
/// The known damage of the database file. It is never cleared: a page that could not be read once may be read from a cache the next time,
/// and is damaged all the same.
/// </summary>
internal sealed class DatabaseDamage(ILogger logger)
{
    private const int Corrupt = 11, NotADatabase = 26;

    private volatile string? _found;

    /// <summary>In words, with the remedy; null while none was seen.</summary>
    public string? Found => _found;

    public static bool Is(Exception failure) => failure is SqliteException { SqliteErrorCode: Corrupt or NotADatabase };

    public void Note(string what)
    {
        if (_found is null)
        {
            _found = $"The database is damaged: {what} Stop the host, move the file away with its -wal and -shm, put a backup in its place, "
                + "and look what was done since (docs/operations.md).";
            logger.DatabaseDamaged(what);
        }
    }
}

/// <summary>Reads the whole database from time to time, so that damage in rarely read pages shows before they are needed.</summary>
internal sealed class IntegrityCheck(SqliteDatabase database, TimeProvider time, ILogger<IntegrityCheck> logger) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_pause, time);
        do
        {
            try
            {
                await Task.Run(database.Check, stoppingToken);
            }
            catch (SqliteException failure)
            {
                // Too little memory or too many open files. The next time will tell.
                logger.IntegrityUnknown(failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}

/// <summary>The tables of one part of the host, with their version. Several parts share the one file.</summary>
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
                $"{connection.DataSource} was written by a newer version: its {part} tables are version {found}, "
                    + $"this program knows up to {versions.Length}. "
                + "Run the newer version, or choose another data folder.");
        }

        for (var version = (int)found; version < versions.Length; version++)
        {
            Run(versions[version]);
        }

        connection.Statement("INSERT INTO schema_parts (part, version) VALUES ($part, "
            + "$version) ON CONFLICT (part) DO UPDATE SET version=excluded.version",
            ("$part", part), ("$version", (long)versions.Length)).ExecuteNonQuery();

        void Run(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
