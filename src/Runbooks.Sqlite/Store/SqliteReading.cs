using Microsoft.Data.Sqlite;
using Runbooks.Model.Storage;

namespace Runbooks.Sqlite.Store;

internal static class SqliteReading
{
    /// <summary>Reads at once: SQLite answers from memory or the page cache, and a thread switch would cost more.</summary>
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
