using System.Text.Json;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// One place in a post, read tolerantly: nothing here throws, and a place that does not exist reads as nothing. It works
/// on the raw bytes because <see cref="JsonElement.GetString"/> throws for lone surrogates and invalid UTF-8.
/// </summary>
internal readonly struct Payload(JsonElement element)
{
    public JsonElement Element => element;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsString => element.ValueKind == JsonValueKind.String;

    public bool IsMissing => element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>The field of that name; ignoring case, because Azure Monitor's own services do not agree on it.</summary>
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

    /// <summary>The entries of an array; anything else that is there counts as its own only entry.</summary>
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

    /// <summary>The first of the <see cref="Pairs"/> with that name.</summary>
    public Payload Pair(string name) => IsObject ? this[name] : Pairs().FirstOrDefault(pair => pair.Name == name).Value;

    /// <summary>Text of one line, at most <paramref name="max"/> characters; null when there is none.</summary>
    public string? Line(int max) => PayloadText.Read(element, max, oneLine: true);

    /// <summary>Text that keeps its lines, at most <paramref name="max"/> characters; null when there is none.</summary>
    public string? Text(int max) => PayloadText.Read(element, max, oneLine: false);

    /// <summary>What is here, in words for an <see cref="AlertError"/>.</summary>
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
