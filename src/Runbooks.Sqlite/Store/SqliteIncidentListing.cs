using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Runbooks.Model.Incidents;

namespace Runbooks.Sqlite.Store;

/// <summary>Listings. Each is answered from an index and the small columns alone.</summary>
internal static class SqliteIncidentListing
{
    private const int MaxWords = 3;

    private static readonly SearchValues<char> s_plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:");

    /// <exception cref="FormatException">The cursor is not one of ours.</exception>
    /// <param name="unreadable">Called for each row that a newer version wrote. Such a row must not hide the others.</param>
    public static IncidentPage List(SqliteConnection connection, IncidentQuery query, Action<string, JsonException> unreadable)
    {
        var limit = Math.Clamp(query.Limit, 1, IncidentQuery.Most);
        var after = query.After is { } cursor ? IncidentCursor.Parse(cursor) : null;
        using var reader = connection.Statement(Sql(query), Parameters(query, after)).ExecuteReader();
        var items = new List<IncidentSummary>();
        long last = 0;
        while (reader.Read())
        {
            if (SqliteIncidents.TryReadSummary(reader.GetBytes(0), reader.GetString(2), unreadable) is not { } summary || !query.Fits(summary))
            {
                continue;
            }

            if (items.Count == limit)
            {
                return new(items, new IncidentCursor(items[^1].OpenedAt, last.ToString(CultureInfo.InvariantCulture)).ToString());
            }

            items.Add(summary);
            last = reader.GetInt64(1);
        }

        return new(items, null);
    }

    public static IReadOnlyDictionary<IncidentState, int> Count(SqliteConnection connection)
    {
        var counts = new Dictionary<IncidentState, int>();
        using var reader = connection.Statement("SELECT state, count(*) FROM incidents GROUP BY state").ExecuteReader();
        while (reader.Read())
        {
            // A state that only a newer version knows is not counted.
            if (Enum.TryParse<IncidentState>(reader.GetString(0), out var state))
            {
                counts[state] = reader.GetInt32(1);
            }
        }

        return counts;
    }

    internal static string Sql(IncidentQuery query)
    {
        var sql = new StringBuilder("SELECT summary, seq, id FROM incidents WHERE 1=1");
        sql.Append(query.State is null ? "" : " AND state=$state");
        sql.Append(query.RunbookId is null ? "" : " AND runbook=$runbook");
        // Constants in the SQL and not parameters, since SQLite uses a partial index only then.
        sql.Append(query.Open switch { true => " AND open=1", false => " AND open<>1", null => "" });
        sql.Append(query.LeftToPeople || query.Unfinished ? " AND open=2" : "");
        sql.Append(query.Since is null ? "" : " AND opened_at >= $since");
        sql.Append(query.After is null ? "" : " AND (opened_at, seq) < ($at, $seq)");
        for (var i = 0; i < Words(query).Count; i++)
        {
            sql.Append(CultureInfo.InvariantCulture, $" AND CAST(summary AS TEXT) LIKE $word{i}");
        }

        // Without a limit: rows are read until there are enough, and some may not match or not be readable.
        return sql.Append(" ORDER BY opened_at DESC, seq DESC").ToString();
    }

    /// <summary>
    /// Words that are in a summary's JSON as they are, where the summary matches. With them SQLite skips most rows without parsing their
    /// JSON. Words that JSON may escape are left to <see cref="IncidentQuery.Fits"/>, and so are words beyond the limit.
    /// </summary>
    private static List<string> Words(IncidentQuery query) =>
        [
            .. (query.Text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Where(word => !word.AsSpan().ContainsAnyExcept(s_plain))
                .Take(MaxWords),
        ];

    private static (string, object?)[] Parameters(IncidentQuery query, IncidentCursor? after)
    {
        var parameters = new List<(string, object?)>();
        if (query.State is { } state)
        {
            parameters.Add(("$state", state.ToString()));
        }

        if (query.RunbookId is { } runbook)
        {
            parameters.Add(("$runbook", runbook));
        }

        if (query.Since is { } since)
        {
            parameters.Add(("$since", since.UtcTicks));
        }

        parameters.AddRange(Words(query).Select((word, i) => ($"$word{i}", (object?)$"%{word}%")));
        if (after is not null)
        {
            parameters.Add(("$at", after.OpenedAt.UtcTicks));
            parameters.Add(("$seq", long.TryParse(after.Tie, CultureInfo.InvariantCulture, out var seq) ? seq : long.MaxValue));
        }

        return [.. parameters];
    }
}
