using System.Text;
using Runbooks.Model.Text;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// Makes outside text safe to store and show: no control characters, no lone surrogates, nothing that turns the reading
/// direction, bounded length. What is taken out leaves U+FFFD behind rather than nothing: otherwise "llm-b-\u00000" would
/// become the name of another pod.
/// </summary>
internal static class CleanText
{
    public const char Replacement = '\uFFFD';

    public static string Clean(string text, int max, bool oneLine)
    {
        var clean = new StringBuilder(Math.Min(text.Length, max));
        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]))
            {
                AppendSurrogate(clean, text, ref at);
            }
            else if (text[at] is not '\r' || at + 1 == text.Length || text[at + 1] != '\n')
            {
                clean.Append(Clean(text[at], oneLine));
            }

            if (clean.Length > max)
            {
                return Clip.To(clean.ToString(), max);
            }
        }

        return clean.ToString();
    }

    private static void AppendSurrogate(StringBuilder clean, string text, ref int at)
    {
        if (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]))
        {
            clean.Append(text[at]).Append(text[++at]);
        }
        else
        {
            clean.Append(Replacement);
        }
    }

    private static char Clean(char c, bool oneLine) => c switch
    {
        '\n' or '\r' or '\u2028' or '\u2029' => oneLine ? ' ' : '\n',
        '\t' => oneLine ? ' ' : '\t',
        '\u061C' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') => Replacement,
        '\uFEFF' or '\uFFFE' or '\uFFFF' => Replacement,
        _ => char.IsControl(c) ? Replacement : c,
    };
}
