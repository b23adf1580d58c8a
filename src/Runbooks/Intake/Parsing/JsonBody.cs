using System.Globalization;
using System.Text;
using System.Text.Json;
using Runbooks.Model.Text;

namespace Runbooks.Intake.Parsing;

/// <summary>The raw bytes of a post as a JSON document, within <see cref="AlertLimits"/>.</summary>
internal static class JsonBody
{
    /// <summary>What is found where nothing was sent.</summary>
    public const string Empty = "empty";

    private const string Remedy = "post one JSON document as UTF-8";

    public static JsonDocument? Open(ReadOnlyMemory<byte> utf8, out AlertError? error)
    {
        error = null;
        if (utf8.Span.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }

        if (utf8.Length > AlertLimits.Body)
        {
            error = new("$", $"{utf8.Length} bytes", $"post at most {AlertLimits.Body} bytes; send fewer alerts at once");
        }
        else if (utf8.Span.IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            error = new("$", Empty, Remedy);
        }
        else
        {
            return Parse(utf8, out error);
        }

        return null;
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> utf8, out AlertError? error)
    {
        error = null;
        try
        {
            return JsonDocument.Parse(utf8, new() { MaxDepth = AlertLimits.Depth });
        }
        catch (JsonException e)
        {
            // The library's message quotes the body and names its own types: only the place is repeated.
            error = new("$", $"not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", $"{Remedy}, nested at most {AlertLimits.Depth} levels");
            return null;
        }
    }
}

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
