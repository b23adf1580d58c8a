namespace Runbooks.Catalog.Reading;

/// <summary>Comments of a query, in whatever language it is.</summary>
internal static class QueryComments
{
    /// <returns>Each comment to the end of its line, as the query's server takes it. A sign within quotes is none.</returns>
    public static IEnumerable<string> In(string query, string sign)
    {
        foreach (var line in query.Split('\n'))
        {
            char? quote = null;
            for (var at = 0; at < line.Length; at++)
            {
                if (quote is null && string.CompareOrdinal(line, at, sign, 0, sign.Length) == 0)
                {
                    yield return line[at..];
                    break;
                }

                if (line[at] == '\\')
                {
                    at++;
                }
                else if (line[at] == quote || (quote is null && line[at] is '"' or '\'' or '`'))
                {
                    quote = quote is null ? line[at] : null;
                }
            }
        }
    }
}
