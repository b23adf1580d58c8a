using System.Runtime.InteropServices;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// One place in a post. Nothing here throws, and a missing place reads as nothing. It works on the raw bytes because
/// <see cref="JsonElement.GetString"/> throws for lone surrogates and invalid UTF-8.
/// </summary>
internal readonly struct Payload(JsonElement element)
{
    public JsonElement Element => element;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsString => element.ValueKind == JsonValueKind.String;

    public bool IsWhole => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out _);

    public bool IsMissing => element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>Case is ignored, because Azure Monitor's own services do not agree on it.</summary>
    public Payload this[string name]
    {
        get
        {
            JsonElement exact = default, similar = default;
            foreach (var field in IsObject ? element.EnumerateObject() : default)
            {
                if (PayloadText.IsNamed(field, name, out var sameCase))
                {
                    (sameCase ? ref exact : ref similar) = field.Value;
                }
            }

            return new(exact.ValueKind == JsonValueKind.Undefined ? similar : exact);
        }
    }

    /// <summary>The entries of an array; anything else counts as its own only entry.</summary>
    public IEnumerable<Payload> Items()
    {
        if (IsArray)
        {
            foreach (var item in element.EnumerateArray())
            {
                yield return new(item);
            }
        }
        else if (!IsMissing)
        {
            yield return this;
        }
    }

    /// <summary>Names with values, written as an object or as a list of <c>{name, value}</c> (also <c>key</c> for name).</summary>
    public IEnumerable<(string Name, Payload Value)> Pairs()
    {
        if (IsObject)
        {
            foreach (var field in element.EnumerateObject())
            {
                yield return (PayloadText.NameOf(field, AlertLimits.LabelName), new(field.Value));
            }
        }
        else if (IsArray)
        {
            foreach (var item in Items())
            {
                if ((item["name"].Line(AlertLimits.LabelName) ?? item["key"].Line(AlertLimits.LabelName)) is { } name)
                {
                    yield return (name, item["value"]);
                }
            }
        }
    }

    /// <summary>
    /// The parts that give no text, with their names and places: values that are objects or contain one, and the entries of a list that
    /// gives no <see cref="Pairs"/> at all.
    /// </summary>
    public IEnumerable<(string? Name, string Place, Payload Value)> NoPairs() =>
        IsArray && !Pairs().Any()
            ? Items()
                .Select((item, index) => ((string?)null, $"[{index}]", Value: item))
                .Where(entry => entry.Value.IsObject || entry.Value.IsArray)
            : Pairs().Where(pair => pair.Value.HasObjects).Select(pair => ((string?)pair.Name, $".{pair.Name}", pair.Value));

    public Payload Pair(string name) => IsObject ? this[name] : Pairs().FirstOrDefault(pair => pair.Name == name).Value;

    /// <summary>Null when there is no text.</summary>
    public string? Line(int max) => PayloadText.Read(element, max, oneLine: true);

    /// <summary>Keeps its lines; null when there is no text.</summary>
    public string? Text(int max) => PayloadText.Read(element, max, oneLine: false);

    public string Raw => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(element));

    /// <summary>It is a non-empty object, or a list with an object or a list in it.</summary>
    public bool HasObjects => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Any(),
        JsonValueKind.Array => element.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Object or JsonValueKind.Array),
        _ => false,
    };

    public string Found => element.ValueKind switch
    {
        JsonValueKind.Undefined => "missing",
        JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => element.GetArrayLength() == 0 ? "an empty list" : "a list",
        JsonValueKind.String => $"the text \"{Line(40)}\"",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };
}

internal static class PayloadValues
{
    /// <summary>
    /// ISO 8601, or seconds or milliseconds since 1970. Null for anything else, and for a clock's zero, which programs write where no time
    /// is set.
    /// </summary>
    public static DateTimeOffset? Time(this Payload payload) => ReadTime(payload) is { Year: > 1970 } time ? time : null;

    /// <summary>Warns the sender of a faulty time, since the start of an alert tells its episodes apart.</summary>
    public static DateTimeOffset? Time(this Payload payload, string path, PostReport report)
    {
        var isGiven = payload.IsObject
            || (payload.Line(64) is { } text && text != "0" && !text.StartsWith("0001-", StringComparison.Ordinal));
        if (isGiven && ReadTime(payload) is null)
        {
            report.Warn(new(
                path,
                payload.Found,
                "this is no time, so it counts as not given; write it in ISO 8601, or as seconds or milliseconds since 1970"));
        }

        return payload.Time();
    }

    private static DateTimeOffset? ReadTime(Payload payload)
    {
        if (payload.Line(64) is not { Length: >= 10 } text)
        {
            return null;
        }

        if (text.Length is 10 or 13 && text.All(char.IsAsciiDigit))
        {
            var sinceEpoch = long.Parse(text, CultureInfo.InvariantCulture);
            return DateTimeOffset.UnixEpoch.AddMilliseconds(text.Length == 10 ? sinceEpoch * 1000 : sinceEpoch);
        }

        // A bare time of day would be read as today's.
        var hasDate = char.IsAsciiDigit(text[0]) && text[4] == '-';
        return hasDate
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
    }

    public static string? Link(this Payload payload) => payload.IsString ? AlertLink.Clean(payload.Line(AlertLimits.Link + 1)) : null;

    /// <summary>An identity that is too long is hashed, since a cut one could equal another's.</summary>
    public static string? Fingerprint(this Payload payload) =>
        payload.Line(AlertLimits.Fingerprint + 1) is not { } text ? null
        : text.Length <= AlertLimits.Fingerprint ? text
        : AlertFingerprint.Of([payload.Text(AlertLimits.Body) ?? text]);
}

/// <summary>Reads no more of a value or name than its limit.</summary>
internal static class PayloadText
{
    /// <summary>A list is read as its entries with commas; null for objects and for blanks.</summary>
    public static string? Read(JsonElement element, int max, bool oneLine)
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.String => Decode(JsonMarshal.GetRawUtf8Value(element)[1..^1], max, oneLine),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False =>
                Decode(JsonMarshal.GetRawUtf8Value(element), max, oneLine),
            JsonValueKind.Array => Join(element, max, oneLine),
            _ => "",
        };
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    public static string NameOf(JsonProperty field, int max) =>
        Decode(JsonMarshal.GetRawUtf8PropertyName(field), max, oneLine: true);

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
        // A character takes at most the six bytes of \uXXXX. One more than fits shows that the text has to be cut.
        var enough = (max + 1) * 6;
        var text = Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, enough)]);
        return CleanText.Clean(JsonEscapes.Decode(text), max, oneLine);
    }
}

/// <summary>Undoes JSON's escapes. It keeps lone surrogates; the caller replaces them.</summary>
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
                // Four hex digits always follow, unless the text was cut here.
                var digits = text.AsSpan(at + 1, Math.Min(4, text.Length - at - 1));
                at += digits.Length;
                return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                    ? (char)code
                    : CleanText.Replacement;
            default: return text[at];
        }
    }
}
