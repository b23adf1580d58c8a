namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <summary>Cuts PromQL into its words and signs.</summary>
internal static partial class PromTokens
{
    /// <returns>Each with its place; an empty one at the end.</returns>
    /// <exception cref="PromQueryException">A character begins nothing.</exception>
    public static IReadOnlyList<(string Text, int At)> Of(string query)
    {
        List<(string Text, int At)> tokens = [];
        var at = 0;
        while (at < query.Length)
        {
            var match = Token().Match(query, at);
            if (!match.Success || match.Index != at)
            {
                throw new PromQueryException($"1:{at + 1}: parse error: unexpected character: '{query[at]}'");
            }

            // Between brackets a colon parts range and step; elsewhere it may begin a name.
            var length = match.Value[0] == ':' && tokens is [.., { Text: "[" }, _] ? 1 : match.Length;
            if (!string.IsNullOrWhiteSpace(match.Value) && match.Value[0] != '#')
            {
                tokens.Add((query.Substring(at, length), at));
            }

            at += length;
        }

        tokens.Add(("", query.Length));
        return tokens;
    }

    [GeneratedRegex("""\s+|#[^\n]*|([0-9]+(ms|[smhdwy]))+|[A-Za-z_:][A-Za-z0-9_:]*|([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|=~|!~|!=|==|>=|<=|[={}()\[\],<>+\-*/%^]""", RegexOptions.NonBacktracking)]
    private static partial Regex Token();
}
