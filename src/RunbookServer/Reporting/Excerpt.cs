using System.Globalization;
using Runbooks.Catalog.Problems;
using Runbooks.Model.Text;

namespace RunbookServer.Reporting;

/// <summary>The line that a problem is in, with a caret under the place.</summary>
internal static class Excerpt
{
    private const int LongestLine = 160;

    /// <returns>Two lines; none where the file has no such line.</returns>
    public static IEnumerable<string> Of(string text, CatalogError problem)
    {
        var lines = text.TrimStart('\uFEFF').Split('\n');
        if (problem.Line > lines.Length || lines[problem.Line - 1].TrimEnd('\r') is not { Length: > 0 } line || problem.Column - 1 > line.Length)
        {
            yield break;
        }

        // A long line begins a little before the place.
        var start = problem.Column > LongestLine ? problem.Column - LongestLine / 2 : 0;
        var number = problem.Line.ToString(CultureInfo.InvariantCulture);
        yield return $"  {number} | {(start > 0 ? "…" : "")}{Clip.To(line[start..], LongestLine)}";
        yield return $"  {new string(' ', number.Length)} | {(start > 0 ? " " : "")}{Blanks(line[start..(problem.Column - 1)])}^";
    }

    /// <summary>As wide as the text above: a wide character takes two columns, and what joins the one before takes none.</summary>
    private static string Blanks(string text) => string.Concat(StringInfo.GetTextElementEnumerator(text).Elements().Select(element => IsWide(element) ? "  " : " "));

    private static IEnumerable<string> Elements(this TextElementEnumerator elements)
    {
        while (elements.MoveNext())
        {
            yield return elements.GetTextElement();
        }
    }

    private static bool IsWide(string element) => element.EnumerateRunes().First().Value is >= 0x1100 and (<= 0x115F or >= 0x2E80) and (<= 0xA4CF or >= 0xAC00) and (<= 0xD7A3 or >= 0xF900) and (<= 0xFAFF or >= 0xFE30) and (<= 0xFE6F or >= 0xFF00) and (<= 0xFF60 or >= 0x1F300) and <= 0x3FFFD;
}
