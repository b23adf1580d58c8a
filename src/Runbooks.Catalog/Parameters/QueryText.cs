using System.Buffers;
using System.Text;

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

/// <summary>A backslash is literal in Kusto's <c>@"…"</c>, where a quote is written twice, and in backticks. Only backticks span lines.</summary>
internal static partial class QueryScan
{
    private const string Opening = "([{";
    private const string Closing = ")]}";

    /// <returns>Each to the end of its line. The comment sign does not count within quotes.</returns>
    public static IReadOnlyList<string> CommentsOf(string query, string sign) => Scan(query, sign).Comments;

    public static bool EndsInside(string text, string? sign) => Scan(text, sign).EndsInside;

    /// <returns>Why nobody can be asked this, as a sentence that continues the key. Null where nothing of that kind is seen.</returns>
    public static (string Problem, string Remedy)? WhyBroken(string query, string sign)
    {
        var scan = Scan(query, sign);
        if (Foreign().Match(scan.Code) is { Success: true } foreign)
        {
            return ($"has {foreign.Value} outside a text, as a chat, Word or a web page writes it: nothing can answer it.", "Write the plain character.");
        }

        return scan.Unclosed is { } quote ? ($"begins a text with {quote} that is not closed on its line: nothing can answer it.", "Close it.")
            : Unpaired(scan.Code) is { } bracket ? ($"has a '{bracket}' without its counterpart: nothing can answer it.", "Add the other bracket, or remove this one.")
            : null;
    }

    private static char? Unpaired(string code)
    {
        var open = new Stack<char>();
        foreach (var character in code)
        {
            if (Opening.Contains(character, StringComparison.Ordinal))
            {
                open.Push(character);
            }
            else if (Closing.IndexOf(character, StringComparison.Ordinal) is var kind and >= 0 && (!open.TryPop(out var opened) || opened != Opening[kind]))
            {
                return character;
            }
        }

        return open.TryPop(out var left) ? left : null;
    }

    private static Scanned Scan(string text, string? sign)
    {
        var comments = new List<string>();
        var code = new StringBuilder();
        char? quote = null, unclosed = null;
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
            else if (isRaw && character == quote && quote != '`' && at + 1 < text.Length && text[at + 1] == quote)
            {
                at++;
            }
            else if (character == quote || (character == '\n' && quote != '`'))
            {
                unclosed ??= character == quote ? null : quote;
                quote = null;
            }
            else if (quote is null && character is '"' or '\'' or '`')
            {
                quote = character;
                isRaw = character == '`' || (at > 0 && text[at - 1] == '@');
            }
            else if (quote is null)
            {
                code.Append(character);
            }
        }

        return new(quote is not null || isComment, comments, code.ToString(), unclosed ?? quote);
    }

    /// <summary>Quotes of a chat or of Word, and the characters of a web page's source.</summary>
    [GeneratedRegex("[“”„‟‘’‚‛«»＂＇]|&(?:[a-z]{2,5}|#[0-9]{1,5});", RegexOptions.NonBacktracking)]
    private static partial Regex Foreign();

    /// <param name="Code">What stands outside texts and comments.</param>
    /// <param name="Unclosed">The quote that its line, or the query, ends within.</param>
    private sealed record Scanned(bool EndsInside, IReadOnlyList<string> Comments, string Code, char? Unclosed);
}
