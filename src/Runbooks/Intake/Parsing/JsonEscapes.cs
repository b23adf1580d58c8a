using System.Globalization;
using System.Text;

namespace Runbooks.Intake.Parsing;

/// <summary>Undoes JSON's escapes, lone surrogates included: what becomes of those is decided afterwards.</summary>
internal static class JsonEscapes
{
    public static string Decode(string text)
    {
        var at = text.IndexOf('\\', StringComparison.Ordinal);
        if (at < 0)
        {
            return text;
        }

        var decoded = new StringBuilder(text.Length).Append(text, 0, at);
        for (; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                decoded.Append(text[at]);
            }
            else if (++at < text.Length)
            {
                decoded.Append(Unescape(text, ref at));
            }
        }

        return decoded.ToString();
    }

    private static char Unescape(string text, ref int at)
    {
        switch (text[at])
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'u':
                // Four hex digits always follow, unless the text was cut here for its length.
                var digits = text.AsSpan(at + 1, Math.Min(4, text.Length - at - 1));
                at += digits.Length;
                return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) ? (char)code : CleanText.Replacement;
            default: return text[at];
        }
    }
}
