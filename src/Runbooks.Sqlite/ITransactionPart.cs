using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite;

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
