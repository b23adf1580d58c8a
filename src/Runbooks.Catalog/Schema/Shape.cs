using System.Text.Json.Nodes;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Schema;

/// <summary>The small vocabulary of JSON Schema that runbook files need.</summary>
internal static class Shape
{
    public const string DurationPattern = @"^(0|(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,9}ms)?)$";
    public const string TemplatePattern = @"\{\{";
    public const string NamePattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$";

    public static JsonObject Text(string description) => new() { ["type"] = "string", ["minLength"] = 1, ["description"] = description };

    public static JsonObject Duration(string description) =>
        new() { ["type"] = new JsonArray("string", "integer"), ["minLength"] = 1, ["pattern"] = DurationPattern, ["description"] = $"{description} {DurationText.Words}." };

    public static JsonObject Whole(int least, int most, string description) =>
        new() { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most, ["description"] = description };

    public static JsonObject WholeOrPercent(int least, int most, string description) => new()
    {
        ["type"] = new JsonArray("integer", "string"),
        ["minimum"] = least,
        ["maximum"] = most,
        ["pattern"] = "^(100|[1-9][0-9]?)%$",
        ["description"] = description,
    };

    public static JsonObject Flag(string description) => new() { ["type"] = "boolean", ["description"] = description };

    public static JsonObject Choice(IEnumerable<string> choices, string description) =>
        new() { ["type"] = "string", ["enum"] = Strings(choices), ["description"] = description };

    public static JsonObject Choice<T>(string description) where T : struct, Enum => Choice(CamelCase.Choices(typeof(T)), description);

    /// <summary>A list of words, or one word.</summary>
    public static JsonObject Words(string description) => new()
    {
        ["type"] = new JsonArray("string", "array"),
        ["items"] = new JsonObject { ["type"] = "string" },
        ["minItems"] = 1,
        ["description"] = description,
    };

    public static JsonObject List(JsonObject item, string description) =>
        new() { ["type"] = "array", ["items"] = item, ["minItems"] = 1, ["description"] = description };

    public static JsonObject Mapping(string description, JsonObject keys, params string[] required)
    {
        var mapping = new JsonObject { ["type"] = "object", ["description"] = description, ["properties"] = keys, ["additionalProperties"] = false };
        if (required.Length > 0)
        {
            mapping["required"] = Strings(required);
        }

        return mapping;
    }

    /// <summary>A mapping whose keys are names of the author's choice.</summary>
    public static JsonObject Named(JsonObject value, string description) => new()
    {
        ["type"] = "object",
        ["description"] = description,
        ["minProperties"] = 1,
        ["propertyNames"] = new JsonObject { ["pattern"] = NamePattern },
        ["additionalProperties"] = value,
    };

    public static JsonObject Reference(string definition) => new() { ["$ref"] = $"#/$defs/{definition}" };

    public static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
