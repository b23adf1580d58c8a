namespace RunbookLocal.Store;

/// <summary>
/// Text from outside as a key. SQLite's text ends at a NUL: without this, two targets that differ only behind one
/// would be one target.
/// </summary>
internal static class SqliteKey
{
    public static string Of(string text) =>
        text.AsSpan().ContainsAny('\0', '%')
            ? text.Replace("%", "%25", StringComparison.Ordinal).Replace("\0", "%00", StringComparison.Ordinal)
            : text;
}
