namespace Runbooks.Model.Text;

/// <summary>
/// Makes outside text safe to store and show: no control characters, no lone surrogates, nothing that turns the reading
/// direction, nothing that cannot be seen, bounded length. What is taken out leaves U+FFFD behind rather than nothing:
/// otherwise "llm-b-\u00000" would become the name of another pod, and nobody would see that something was there.
/// </summary>
public static class CleanText
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
            else if (text[at] is '\u200C' or '\u200D' && at > 0 && !char.IsAscii(text[at - 1]))
            {
                // Joins the parts of an emoji, and letters of scripts that need it; between letters of ours it only hides.
                clean.Append(text[at]);
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
        if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
        {
            clean.Append(Replacement);
            return;
        }

        var letter = char.ConvertToUtf32(text[at], text[++at]);

        // Tags, and variants of letters that no font has: whole sentences can be hidden in them.
        if (CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.Format || letter is >= 0xE0000 and <= 0xE0FFF)
        {
            clean.Append(Replacement);
        }
        else
        {
            clean.Append(text[at - 1]).Append(text[at]);
        }
    }

    private static char Clean(char c, bool oneLine) => c switch
    {
        '\n' or '\r' or '\u2028' or '\u2029' => oneLine ? ' ' : '\n',
        '\t' => oneLine ? ' ' : '\t',
        '\uFFFE' or '\uFFFF' => Replacement,

        // Blanks that count as letters.
        '\u115F' or '\u1160' or '\u3164' or '\uFFA0' => Replacement,

        // Direction, zero width, soft hyphen, byte order mark.
        _ => char.IsControl(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format ? Replacement : c,
    };
}
