namespace TestKit.Storage;

/// <summary>Text from outside that has broken somebody's key, path, query or file name before.</summary>
public static class HostileText
{
    public static readonly IReadOnlyList<string> Keys =
    [
        "a/b/c", "a\\b", "a?b#c%d", "'; DROP TABLE incidents; --", "\"quoted\"", "100%25", "100%", "a\0b", "a\0c", "tab\tand\nline", "\u007f\u0085",
        "../../etc/passwd", "..", ".", " leading and trailing ", "ünïcödé", "日本語のポッド", "👩‍💻 zero\u200dwidth", "İıſß", "CON", "CASE", "case",
        "e\u0301", "\u00e9", new string('x', 16_384), new string('/', 300), "a|b", "a_b", "a:b", "<script>alert(1)</script>",
    ];
}
