namespace Runbooks.Sqlite;

/// <summary>One piece of work on its way through the writer: run inside the batch's transaction, answered after it.</summary>
internal abstract class SqliteWork
{
    public Exception? Failure { get; set; }

    /// <summary>False when SQLite has dropped the whole transaction, as it does on a full disk.</summary>
    public static bool IsOpen(SqliteConnection connection) => SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0;

    public abstract void Run(SqliteConnection connection);

    /// <summary>So that nothing but its own changes are undone when it fails.</summary>
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

    /// <summary>What became of it, once its transaction is synced.</summary>
    public abstract void Answer();

    public abstract void Fail(Exception exception);
}

internal sealed class SqliteWork<T>(Func<SqliteConnection, T> work) : SqliteWork
{
    // Continuations run elsewhere: the writer's thread is for writing.
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
/// Puts off what its pieces of work change until the end of their transaction, and writes it once: a storm of alerts on one
/// target is then one document a commit, not one an alert. Called on the writer's thread.
/// </summary>
internal interface ITransactionPart
{
    void Write(SqliteConnection connection);

    /// <summary>It is durable. Nobody has been answered yet.</summary>
    void Committed();

    /// <summary>It was rolled back; what was committed before stands.</summary>
    void Undone();

    /// <summary>Whether it was written nobody knows.</summary>
    void Failed();
}
