using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Runbooks.Sqlite;

/// <summary>Prepared statements that live as long as their connection: parsing costs more than most of ours take to run.</summary>
public static class SqliteStatements
{
    private static readonly ConditionalWeakTable<SqliteConnection, Dictionary<string, SqliteCommand>> Prepared = [];

    /// <summary>
    /// The statement, prepared once for this connection, with these parameters. Owned by the connection: do not dispose
    /// it, and finish reading from it before asking for the same SQL again.
    /// </summary>
    public static SqliteCommand Statement(
        this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        connection.Statement(null, sql, parameters);

    /// <inheritdoc cref="Statement(SqliteConnection, string, ReadOnlySpan{ValueTuple{string, object}})"/>
    public static SqliteCommand Statement(
        this SqliteConnection connection, SqliteTransaction? transaction, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var statements = Prepared.GetOrCreateValue(connection);
        if (!statements.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            statements.Add(sql, command);
        }

        command.Transaction = transaction;
        foreach (var (name, value) in parameters)
        {
            // SQLite knows no booleans or enums here: callers pass text, integers, reals and blobs.
            if (command.Parameters.Contains(name))
            {
                command.Parameters[name].Value = value ?? DBNull.Value;
            }
            else
            {
                command.Parameters.AddWithValue(name, value ?? DBNull.Value);
            }
        }

        return command;
    }

    /// <summary>Closes the connection and its statements.</summary>
    internal static void Release(this SqliteConnection connection)
    {
        if (Prepared.TryGetValue(connection, out var statements))
        {
            foreach (var command in statements.Values)
            {
                command.Dispose();
            }

            Prepared.Remove(connection);
        }

        connection.Dispose();
    }
}
