using System.Runtime.CompilerServices;
using System.Text;
using SQLitePCL;

namespace Runbooks.Sqlite;

/// <summary>
/// One prepared statement, directly on SQLite. Some fifty run for each incident, and an ADO.NET command, with its reader and its parameters
/// by name, costs more than SQLite itself for most of them.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    private const int ShortText = 256;

    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">It is more than one statement.</exception>
    internal SqliteStatement(sqlite3 connection, string sql)
    {
        _connection = connection;
        Check(raw.sqlite3_prepare_v3(connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement, out var rest));
        if (rest.AsSpan().ContainsAnyExcept(" \r\n\t;"))
        {
            _statement.Dispose();
            throw new ArgumentException($"More than one statement: {sql}", nameof(sql));
        }

        for (var place = raw.sqlite3_bind_parameter_count(_statement); place > 0; place--)
        {
            _places[raw.sqlite3_bind_parameter_name(_statement, place).utf8_to_string()] = place;
        }
    }

    public int ExecuteNonQuery()
    {
        try
        {
            while (Step())
            {
            }

            return raw.sqlite3_changes(_connection);
        }
        finally
        {
            Reset();
        }
    }

    public List<T> List<T>(Func<SqliteRows, T> read)
    {
        using var rows = ExecuteReader();
        var list = new List<T>();
        while (rows.Read())
        {
            list.Add(read(rows));
        }

        return list;
    }

    /// <returns>The first column of the first row: text, a long, a double or bytes; null for NULL or no row.</returns>
    public object? ExecuteScalar()
    {
        try
        {
            return !Step() ? null : raw.sqlite3_column_type(_statement, 0) switch
            {
                raw.SQLITE_INTEGER => raw.sqlite3_column_int64(_statement, 0),
                raw.SQLITE_FLOAT => raw.sqlite3_column_double(_statement, 0),
                raw.SQLITE_TEXT => raw.sqlite3_column_text(_statement, 0).utf8_to_string(),
                raw.SQLITE_BLOB => raw.sqlite3_column_blob(_statement, 0).ToArray(),
                _ => null,
            };
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Its rows, to be disposed when they were read.</summary>
    public SqliteRows ExecuteReader() => new(this);

    public void Dispose() => _statement.Dispose();

    internal void Bind(ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var bound = 0;
        foreach (var (name, value) in parameters)
        {
            // Several statements may share a list of parameters, and not all of them use every one.
            if (_places.TryGetValue(name, out var place))
            {
                bound++;
                Check(value switch
                {
                    null => raw.sqlite3_bind_null(_statement, place),
                    long number => raw.sqlite3_bind_int64(_statement, place, number),
                    string text => BindText(place, text),
                    byte[] { Length: > 0 } bytes => raw.sqlite3_bind_blob(_statement, place, bytes),
                    byte[] => raw.sqlite3_bind_zeroblob(_statement, place, 0),
                    _ => throw new ArgumentException($"{name} is a {value.GetType().Name}: pass text, a long, bytes or null.", nameof(parameters)),
                });
            }
        }

        // SQLite would take NULL for a missing or misspelt name.
        if (bound < _places.Count)
        {
            throw new ArgumentException($"A value is missing for one of: {string.Join(", ", _places.Keys)}.", nameof(parameters));
        }
    }

    internal bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            Check(result);
        }

        return result == raw.SQLITE_ROW;
    }

    // Returns the failure of the last step again, which was reported then. Large parameters are released.
    internal void Reset()
    {
        raw.sqlite3_reset(_statement);
        raw.sqlite3_clear_bindings(_statement);
    }

    internal bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    internal long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    internal string Text(int column) =>
        raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? throw new InvalidOperationException($"Column {column} is NULL.");

    internal ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    private int BindText(int place, string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most > ShortText || text.Length == 0)
        {
            return raw.sqlite3_bind_text(_statement, place, text);
        }

        Span<byte> bytes = stackalloc byte[ShortText];
        return raw.sqlite3_bind_text(_statement, place, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _connection);
}

public readonly struct SqliteRows(SqliteStatement statement) : IDisposable
{
    public bool Read() => statement.Step();

    public bool IsDBNull(int column) => statement.IsNull(column);

    public long GetInt64(int column) => statement.Number(column);

    public int GetInt32(int column) => checked((int)statement.Number(column));

    public string GetString(int column) => statement.Text(column);

    public byte[] GetBytes(int column) => statement.Bytes(column).ToArray();

    public void Dispose() => statement.Reset();
}

/// <summary>Prepared statements that live as long as their connection, since parsing costs more than most of them take to run.</summary>
public static class SqliteStatements
{
    private static readonly ConditionalWeakTable<SqliteConnection, Dictionary<string, SqliteStatement>> s_prepared = [];

    /// <summary>
    /// The statement, prepared once for this connection, with these parameters: text, integers, blobs or null. It belongs to the connection:
    /// finish reading from it before asking for the same SQL again.
    /// </summary>
    public static SqliteStatement Statement(
        this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var statements = s_prepared.GetOrCreateValue(connection);
        if (!statements.TryGetValue(sql, out var statement))
        {
            statement = new SqliteStatement(connection.Handle!, sql);
            statements.Add(sql, statement);
        }

        statement.Bind(parameters);
        return statement;
    }

    internal static void Release(this SqliteConnection connection)
    {
        if (s_prepared.TryGetValue(connection, out var statements))
        {
            foreach (var statement in statements.Values)
            {
                statement.Dispose();
            }

            s_prepared.Remove(connection);
        }

        connection.Dispose();
    }
}
