using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Runbooks.Intake.Parsing;

/// <summary>Turns raw JSON values and names into clean text; reads no more of them than their limit.</summary>
internal static class PayloadText
{
    /// <summary>Strings, numbers and booleans as text; a list as its entries with commas; null for the rest and for blanks.</summary>
    public static string? Read(JsonElement element, int max, bool oneLine)
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.String => Decode(JsonMarshal.GetRawUtf8Value(element)[1..^1], max, oneLine),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Decode(JsonMarshal.GetRawUtf8Value(element), max, oneLine),
            JsonValueKind.Array => Join(element, max, oneLine),
            _ => "",
        };
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    public static string NameOf(JsonProperty field, int max) => Decode(JsonMarshal.GetRawUtf8PropertyName(field), max, oneLine: true);

    public static bool IsNamed(JsonProperty field, string name, out bool sameCase)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(field);
        if (raw.Contains((byte)'\\'))
        {
            var decoded = Decode(raw, AlertLimits.LabelName, oneLine: true);
            sameCase = decoded == name;
            return decoded.Equals(name, StringComparison.OrdinalIgnoreCase);
        }

        sameCase = Ascii.Equals(raw, name);
        return sameCase || Ascii.EqualsIgnoreCase(raw, name);
    }

    private static string Join(JsonElement list, int max, bool oneLine)
    {
        var joined = new StringBuilder();
        foreach (var item in list.EnumerateArray())
        {
            if (joined.Length > max)
            {
                break;
            }

            if (item.ValueKind != JsonValueKind.Array && Read(item, max, oneLine) is { } text)
            {
                joined.Append(joined.Length == 0 ? "" : ", ").Append(text);
            }
        }

        return CleanText.Clean(joined.ToString(), max, oneLine);
    }

    private static string Decode(ReadOnlySpan<byte> raw, int max, bool oneLine)
    {
        // A character takes at most the six bytes of \uXXXX; one more than fits shows that the text has to be cut.
        var enough = (max + 1) * 6;
        var text = Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, enough)]);
        return CleanText.Clean(JsonEscapes.Decode(text), max, oneLine);
    }
}
