using System.Buffers;

namespace Runbooks.Catalog.Parameters;

/// <summary>
/// A query (PromQL, KQL …) of the runbook's author. A value inserted inside quotes may contain only letters, digits, blanks and <c>_ - . :
/// / @</c>, so that no alert can end the string. Outside quotes it has to be one number or name, because words and slashes are operators
/// and comments there.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class QueryTextAttribute : Attribute, IInsertRule
{
    private static readonly SearchValues<char> s_bare = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:");

    /// <summary>The start of a comment that lasts to the end of the line. Null if the language has none.</summary>
    public string? Comment { get; init; }

    string? IInsertRule.Refuse(string before, string value) =>
        !value.All(character => char.IsLetterOrDigit(character) || character is ' ' or '_' or '-' or '.' or ':' or '/' or '@')
            ? "may not be put into a query: only letters, digits, blanks and _ - . : / @ are let in."
            : !QueryScan.EndsInside(before, Comment) && value.AsSpan(value.StartsWith('-') ? 1 : 0).ContainsAnyExcept(s_bare)
            ? "may not be put into a query outside quotes: only a number or a name of ASCII letters, digits and _ . : is let in there. "
                + "Put quotes around the placeholder if a text is meant."
            : null;
}

/// <summary>A backslash is literal in Kusto's <c>@"…"</c> and in backticks. Only backticks span lines.</summary>
internal static class QueryScan
{
    /// <returns>Each to the end of its line. The comment sign does not count within quotes.</returns>
    public static IReadOnlyList<string> CommentsOf(string query, string sign) => Scan(query, sign).Comments;

    public static bool EndsInside(string text, string? sign) => Scan(text, sign).EndsInside;

    private static (bool EndsInside, IReadOnlyList<string> Comments) Scan(string text, string? sign)
    {
        var comments = new List<string>();
        char? quote = null;
        var (isRaw, isComment) = (false, false);
        for (var at = 0; at < text.Length; at++)
        {
            var character = text[at];
            if (quote is null && sign is not null && string.CompareOrdinal(text, at, sign, 0, sign.Length) == 0)
            {
                comments.Add(text[at..].Split('\n')[0]);
                at += comments[^1].Length - 1;
                isComment = at == text.Length - 1;
            }
            else if (character == '\\' && quote is not null && !isRaw)
            {
                at++;
            }
            else if (character == quote || (character == '\n' && quote != '`'))
            {
                quote = null;
            }
            else if (quote is null && character is '"' or '\'' or '`')
            {
                quote = character;
                isRaw = character == '`' || (at > 0 && text[at - 1] == '@');
            }
        }

        return (quote is not null || isComment, comments);
    }
}
