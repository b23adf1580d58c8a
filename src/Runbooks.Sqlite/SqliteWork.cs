namespace Runbooks.Sqlite;

/// <summary>One piece of work for the writer: run inside the batch's transaction, answered after it.</summary>
internal abstract class SqliteWork
{
    public Exception? Failure { get; set; }

    /// <summary>False when SQLite has rolled back the whole transaction, as it does on a full disk.</summary>
    public static bool IsOpen(SqliteConnection connection) => SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0;

    public abstract void Run(SqliteConnection connection);

    /// <summary>In a savepoint, so that a failure undoes only its own changes.</summary>
    public void RunAlone(SqliteConnection connection)
    {
        connection.Statement("SAVEPOINT item").ExecuteNonQuery();
        try
        {
            Run(connection);
        }
        catch (Exception failure) when (IsOpen(connection))
        {
            Failure = failure;
            connection.Statement("ROLLBACK TO item").ExecuteNonQuery();
        }

        connection.Statement("RELEASE item").ExecuteNonQuery();
    }

    /// <summary>The result, once its transaction is synced.</summary>
    public abstract void Answer();

    public abstract void Fail(Exception exception);
}

internal sealed class SqliteWork<T>(Func<SqliteConnection, T> work) : SqliteWork
{
    // Continuations run elsewhere, so that the writer's thread only writes.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Task => _completion.Task;

    public override void Run(SqliteConnection connection) => _result = work(connection);

    public override void Answer()
    {
        if (Failure is { } failure)
        {
            Fail(failure);
        }
        else
        {
            _completion.TrySetResult(_result!);
        }
    }

    public override void Fail(Exception exception) => _completion.TrySetException(exception);
}

/// <summary>
/// Collects the changes of a transaction and writes them once at its end: a storm of alerts on one target then writes one document a commit,
/// and not one an alert. Called on the writer's thread.
/// </summary>
internal interface ITransactionPart
{
    void Write(SqliteConnection connection);

    /// <summary>The commit is durable. No caller has been answered yet.</summary>
    void Committed();

    /// <summary>The transaction was rolled back. Earlier commits stay.</summary>
    void Undone();

    /// <summary>It is not known whether it was written.</summary>
    void Failed();
}
