using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

/// <summary>
/// The only writer of the database: one thread that takes all waiting work, runs it in one transaction, syncs once and then answers all
/// callers (group commit). Work that fails is rolled back alone.
/// </summary>
public sealed class SqliteWriter : IDisposable
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Func<SqliteConnection> _open;
    private readonly Action<WritePoint>? _failpoint;
    private readonly DatabaseDamage _damage;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private volatile ITransactionPart[] _parts = [];
    private List<SqliteWork> _waiting = [];
    private SqliteConnection? _connection;
    private bool _stopping;
    private bool _dead;
    private volatile string? _failure;
    private long _commits;
    private long _committedAt;

    internal SqliteWriter(Func<SqliteConnection> open, Action<WritePoint>? failpoint, DatabaseDamage damage, ILogger logger)
    {
        (_open, _failpoint, _damage, _logger) = (open, failpoint, damage, logger);
        _connection = open();
        _thread = new Thread(Loop) { IsBackground = true, Name = "sqlite-writer" };
        _thread.Start();
    }

    /// <summary>The committed transactions. With group commit they are fewer than pieces of work.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    /// <summary>
    /// Runs the work inside the next transaction, in the order of the calls, and answers once that is synced to disk. The work sees what
    /// earlier work wrote, has no effect but its writes to this connection, and must be quick. When it throws, its own changes are undone and the caller gets
    /// the exception. When other work in the batch throws, it runs once more.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The transaction could not be committed.</exception>
    public Task<T> EnqueueAsync<T>(Func<SqliteConnection, T> work)
    {
        var item = new SqliteWork<T>(work);
        lock (_gate)
        {
            if (_stopping)
            {
                return Task.FromException<T>(new StoreUnavailableException("The database is closed: the host is stopping."));
            }

            _waiting.Add(item);
        }

        _arrived.Release();
        return item.Task;
    }

    /// <inheritdoc cref="EnqueueAsync{T}"/>
    public Task EnqueueAsync(Action<SqliteConnection> work) =>
        EnqueueAsync(connection =>
        {
            work(connection);
            return true;
        });

    internal void Join(ITransactionPart part)
    {
        lock (_gate)
        {
            _parts = [.. _parts, part];
        }
    }

    /// <summary>Null when a commit worked just now, or a new one does; otherwise what is wrong. Costs at most one write in ten seconds.</summary>
    public async Task<string?> CheckHealthAsync()
    {
        try
        {
            if (_failure is not null || Stopwatch.GetElapsedTime(Interlocked.Read(ref _committedAt)) > s_fresh)
            {
                await EnqueueAsync(connection => connection.Statement("PRAGMA application_id=1380860491").ExecuteNonQuery());
            }

            return null;
        }
        catch (StoreUnavailableException e)
        {
            return e.Message;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _arrived.Release();
        _thread.Join();
        _connection?.Release();
        _arrived.Dispose();
    }

    private void Loop()
    {
        while (true)
        {
            _arrived.Wait();
            List<SqliteWork> batch;
            bool last;
            lock (_gate)
            {
                (batch, _waiting) = (_waiting, []);
                last = _stopping;
            }

            if (batch.Count > 0 && !_dead)
            {
                Commit(batch);
            }

            if (last)
            {
                return;
            }
        }
    }

    // Whatever it is (a broken disk, a full disk, a closed file): the callers get the error and the thread lives on.
    private void Commit(List<SqliteWork> batch)
    {
        Exception? unwritable;
        try
        {
            var connection = _connection ??= _open();
            connection.Statement("BEGIN IMMEDIATE").ExecuteNonQuery();
            if (!TryRun(batch, connection))
            {
                Undo(connection);
                connection.Statement("BEGIN IMMEDIATE").ExecuteNonQuery();
                batch.ForEach(item => item.RunAlone(connection));
            }

            unwritable = WriteParts(connection);
            if (unwritable is not null)
            {
                Undo(connection);
            }
            else if (!Reach(WritePoint.BeforeCommit))
            {
                return;
            }
            else
            {
                connection.Statement("COMMIT").ExecuteNonQuery();
                Array.ForEach(_parts, part => part.Committed());
                Interlocked.Increment(ref _commits);
                Interlocked.Exchange(ref _committedAt, Stopwatch.GetTimestamp());
            }
        }
        catch (Exception e)
        {
            Unavailable(batch, e);
            return;
        }

        if (unwritable is not null)
        {
            CommitEach(batch, unwritable);
            return;
        }

        if (!Reach(WritePoint.AfterCommit))
        {
            return;
        }

        if (_failure is not null)
        {
            _failure = null;
            _logger.StorageRecovered();
        }

        batch.ForEach(item => item.Answer());
    }

    /// <returns>Why a value cannot be written, whatever the state of the disk; null when all can.</returns>
    private Exception? WriteParts(SqliteConnection connection)
    {
        try
        {
            Array.ForEach(_parts, part => part.Write(connection));
            return null;
        }
        catch (Exception e) when (e is not SqliteException)
        {
            return e;
        }
    }

    /// <summary>Work that cannot be written must not fail the rest of its batch, so each piece is tried by itself.</summary>
    private void CommitEach(List<SqliteWork> batch, Exception unwritable)
    {
        if (batch is [var only])
        {
            only.Fail(only.Failure ?? unwritable);
            return;
        }

        foreach (var item in batch)
        {
            item.Failure = null;
            Commit([item]);
        }
    }

    /// <summary>
    /// Without a savepoint around each piece of work, which would cost as much as many of them do. Most batches have no failure; a batch with
    /// one runs once more, each piece alone.
    /// </summary>
    private static bool TryRun(List<SqliteWork> batch, SqliteConnection connection)
    {
        try
        {
            batch.ForEach(item => item.Run(connection));
            return true;
        }
        catch (Exception) when (SqliteWork.IsOpen(connection))
        {
            return false;
        }
    }

    private void Undo(SqliteConnection connection)
    {
        connection.Statement("ROLLBACK").ExecuteNonQuery();
        Array.ForEach(_parts, part => part.Undone());
    }

    private void Unavailable(List<SqliteWork> batch, Exception cause)
    {
        var failure = $"The database cannot be written: {cause.Message}";
        if (failure != _failure)
        {
            // A disk may stay full for hours, and every write tries it.
            _logger.StorageUnavailable(failure, cause is SqliteException ? null : cause);
        }

        _failure = failure;
        if (DatabaseDamage.Is(cause))
        {
            _damage.Note(cause.Message);
        }

        _connection?.Release();
        _connection = null;
        Array.ForEach(_parts, part => part.Failed());
        batch.ForEach(item => item.Fail(new StoreUnavailableException(failure, cause)));
    }

    private bool Reach(WritePoint point)
    {
        try
        {
            _failpoint?.Invoke(point);
        }
        catch (Exception)
        {
            _dead = true;
        }

        return !_dead;
    }
}
