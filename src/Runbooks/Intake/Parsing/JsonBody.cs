using System.Text.Json;

namespace Runbooks.Intake.Parsing;

/// <summary>The raw bytes of a post as a JSON document, within <see cref="AlertLimits"/>.</summary>
internal static class JsonBody
{
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
            error = new("$", "empty", Remedy);
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
