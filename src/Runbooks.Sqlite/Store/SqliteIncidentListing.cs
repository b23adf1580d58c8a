using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Sqlite.Store;

/// <summary>Listings, each answered from an index and from the small columns alone.</summary>
internal static class SqliteIncidentListing
{
    private const int MaxWords = 3;

    private static readonly SearchValues<char> s_plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:");

    /// <exception cref="FormatException">The cursor is none of ours.</exception>
    public static IncidentPage List(SqliteConnection connection, IncidentQuery query)
    {
        var limit = Math.Clamp(query.Limit, 1, 500);
        var after = query.After is { } cursor ? IncidentCursor.Parse(cursor) : null;
        using var reader = connection.Statement(Sql(query), Parameters(query, after, limit)).ExecuteReader();
        var items = new List<IncidentSummary>();
        long last = 0;
        while (reader.Read())
        {
            var summary = SqliteIncidents.Read<IncidentSummary>(reader, 0);
            if (!query.Fits(summary))
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

    /// <summary>From the index of states alone.</summary>
    public static IReadOnlyDictionary<IncidentState, int> Count(SqliteConnection connection)
    {
        var counts = new Dictionary<IncidentState, int>();
        using var reader = connection.Statement("SELECT state, count(*) FROM incidents GROUP BY state").ExecuteReader();
        while (reader.Read())
        {
            counts[Enum.Parse<IncidentState>(reader.GetString(0))] = reader.GetInt32(1);
        }

        return counts;
    }

    internal static string Sql(IncidentQuery query)
    {
        var sql = new StringBuilder("SELECT summary, seq FROM incidents WHERE 1=1");
        sql.Append(query.State is null ? "" : " AND state=$state");
        sql.Append(query.RunbookId is null ? "" : " AND runbook=$runbook");
        // Written out, not as a parameter: only then may SQLite use the index of the open ones, or of the unfinished.
        sql.Append(query.Open switch { true => " AND open=1", false => " AND open<>1", null => "" });
        sql.Append(query.LeftToPeople || query.Unfinished ? " AND open=2" : "");
        sql.Append(query.Since is null ? "" : " AND opened_at >= $since");
        sql.Append(query.After is null ? "" : " AND (opened_at, seq) < ($at, $seq)");
        for (var i = 0; i < Words(query).Count; i++)
        {
            sql.Append(CultureInfo.InvariantCulture, $" AND CAST(summary AS TEXT) LIKE $word{i}");
        }

        // What no index answers is looked for in what is read, until there are enough.
        return sql.Append(" ORDER BY opened_at DESC, seq DESC").Append(query.Text is null && !query.LeftToPeople ? " LIMIT $limit" : "").ToString();
    }

    /// <summary>
    /// Words that a summary holds as they are if it fits: SQLite then passes over most rows, which costs far less than reading their
    /// JSON. A word that JSON may write in another way, and one too many, is left to <see cref="IncidentQuery.Fits"/>.
    /// </summary>
    private static List<string> Words(IncidentQuery query) =>
        [.. (query.Text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => !word.AsSpan().ContainsAnyExcept(s_plain)).Take(MaxWords)];

    private static (string, object?)[] Parameters(IncidentQuery query, IncidentCursor? after, int limit)
    {
        var parameters = new List<(string, object?)> { ("$limit", limit + 1L) };
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
