using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite;

/// <summary>Prepared statements that live as long as their connection: parsing costs more than most of ours take to run.</summary>
public static class SqliteStatements
{
    private static readonly ConditionalWeakTable<SqliteConnection, Dictionary<string, SqliteStatement>> Prepared = [];

    /// <summary>
    /// The statement, prepared once for this connection, with these parameters: text, integers, blobs or null. Owned by the
    /// connection: finish reading from it before asking for the same SQL again.
    /// </summary>
    /// <exception cref="SqliteException">It cannot be parsed.</exception>
    public static SqliteStatement Statement(
        this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var statements = Prepared.GetOrCreateValue(connection);
        if (!statements.TryGetValue(sql, out var statement))
        {
            statement = new SqliteStatement(connection.Handle!, sql);
            statements.Add(sql, statement);
        }

        statement.Bind(parameters);
        return statement;
    }

    /// <summary>Closes the connection and its statements.</summary>
    internal static void Release(this SqliteConnection connection)
    {
        if (Prepared.TryGetValue(connection, out var statements))
        {
            foreach (var statement in statements.Values)
            {
                statement.Dispose();
            }

            Prepared.Remove(connection);
        }

        connection.Dispose();
    }
}
