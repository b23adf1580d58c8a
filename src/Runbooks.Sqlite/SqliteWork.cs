using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite;

/// <summary>One piece of work on its way through the writer: run inside the batch's transaction, answered after it.</summary>
internal abstract class SqliteWork
{
    public Exception? Failure { get; set; }

    public abstract void Run(SqliteConnection connection);

    public abstract void Complete();

    public abstract void Fail(Exception exception);
}

internal sealed class SqliteWork<T>(Func<SqliteConnection, T> work) : SqliteWork
{
    // Continuations run elsewhere: the writer's thread is for writing.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Task => _completion.Task;

    public override void Run(SqliteConnection connection) => _result = work(connection);

    public override void Complete() => _completion.TrySetResult(_result!);

    public override void Fail(Exception exception) => _completion.TrySetException(exception);
}
