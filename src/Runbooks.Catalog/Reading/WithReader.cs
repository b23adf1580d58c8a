using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Runbooks.Catalog.Yaml;

namespace Runbooks.Catalog.Reading;

/// <summary>Turns a <c>with</c> mapping into JSON: plain numbers, true, false and null are themselves, the rest is text.</summary>
internal static class WithReader
{
    private static readonly Regex s_number = new(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.NonBacktracking);

    public static JsonElement ToElement(JsonObject with) => JsonSerializer.SerializeToElement(with);

    public static JsonObject ToJson(YamlMapping? mapping)
    {
        var with = new JsonObject();
        foreach (var entry in mapping?.Entries ?? [])
        {
            with[entry.Key] = ToJson(entry.Value);
        }

        return with;
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMapping mapping => ToJson(mapping),
        YamlSequence list => new JsonArray([.. list.Items.Select(ToJson)]),
        YamlScalar { IsNull: true } => null,
        YamlScalar { Plain: true, Value: "true" } => JsonValue.Create(true),
        YamlScalar { Plain: true, Value: "false" } => JsonValue.Create(false),
        // The text of the number is kept, so that 1.10 can still be a version.
        YamlScalar { Plain: true } scalar when s_number.IsMatch(scalar.Value) => JsonNode.Parse(scalar.Value),
        YamlScalar scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };
}
