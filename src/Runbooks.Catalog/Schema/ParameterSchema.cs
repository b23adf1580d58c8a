using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Schema;

/// <summary>Allows a template for every value and is never stricter than the binder, so everything that an editor underlines is wrong.</summary>
internal static class ParameterSchema
{
    public static JsonObject Of(Type type)
    {
        var parameters = StepParameters.Of(type);
        var keys = new JsonObject(parameters.Select(parameter => KeyValuePair.Create(parameter.Name, (JsonNode?)OfParameter(parameter))));
        var schema = new JsonObject { ["type"] = "object", ["properties"] = keys, ["additionalProperties"] = false };
        var required = parameters.Where(parameter => parameter.Required).Select(parameter => parameter.Name).ToList();
        if (required.Count > 0)
        {
            schema["required"] = SchemaParts.Strings(required);
        }

        return schema;
    }

    private static JsonObject OfParameter(StepParameter parameter)
    {
        var schema = OfType(parameter.Type, parameter.Rules.OfType<RangeAttribute>().FirstOrDefault());
        var description = parameter.Description.Length > 0 ? $"{parameter.Description} ({parameter.Expected})" : parameter.Expected;
        schema["description"] = parameter.Default is { } value ? $"{description} Default: {value}." : description;
        return schema;
    }

    private static JsonObject OfType(Type type, RangeAttribute? range = null)
    {
        var bare = ParameterType.Bare(type);
        return ParameterType.ShapeOf(bare) switch
        {
            ParameterShape.Text or ParameterShape.Parsed => new() { ["type"] = new JsonArray("string", "number", "boolean") },
            ParameterShape.Boolean => OrText(new() { ["type"] = "boolean" }, "^([Tt]rue|[Ff]alse|TRUE|FALSE)$"),
            ParameterShape.Integer => OrText(Within(new() { ["type"] = "integer" }, range), @"^\s*[-+]?\d+\s*$"),
            ParameterShape.Number => OrText(Within(new() { ["type"] = "number" }, range), @"^\s*[-+]?[\d.]+([eE][-+]?\d+)?\s*$"),
            ParameterShape.Duration => OrText(new() { ["const"] = 0 }, SchemaParts.DurationPattern),
            ParameterShape.Choice => OrText(new() { ["enum"] = SchemaParts.Strings(CamelCase.Choices(bare)) }, null),
            ParameterShape.List when ParameterType.ShapeOf(ParameterType.ListItem(bare)!) == ParameterShape.Text => SchemaParts.OneOrMany(),
            ParameterShape.List => new() { ["type"] = "array", ["items"] = OfType(ParameterType.ListItem(bare)!) },
            ParameterShape.Map => new() { ["type"] = "object", ["additionalProperties"] = OfType(ParameterType.MapValue(bare)!) },
            ParameterShape.Record => Of(bare),
            _ => [],
        };
    }

    private static JsonObject Within(JsonObject schema, RangeAttribute? range)
    {
        if (range is { Minimum: int or double, Maximum: int or double })
        {
            schema["minimum"] = JsonValue.Create(Convert.ToDouble(range.Minimum, null));
            schema["maximum"] = JsonValue.Create(Convert.ToDouble(range.Maximum, null));
        }

        return schema;
    }

    private static JsonObject OrText(JsonObject schema, string? textPattern) => new()
    {
        ["anyOf"] = new JsonArray(schema, new JsonObject
        {
            ["type"] = "string",
            ["pattern"] = textPattern is null ? SchemaParts.TemplatePattern : $"({textPattern})|{SchemaParts.TemplatePattern}",
        }),
    };
}

internal static class SchemaParts
{
    public const string DurationPattern = @"^(0|(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,9}ms)?)$";
    public const string TemplatePattern = @"\{\{";
    public const string NamePattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$";

    public static JsonObject Text(string description) =>
        new() { ["type"] = new JsonArray("string", "number", "boolean"), ["minLength"] = 1, ["description"] = description };

    public static JsonObject Duration(string description) =>
        new()
        {
            ["type"] = new JsonArray("string", "integer"),
            ["minLength"] = 1,
            ["pattern"] = DurationPattern,

            // Patterns apply to text only. Of all numbers only 0 is a duration.
            ["minimum"] = 0,
            ["maximum"] = 0,
            ["description"] = $"{description} {DurationText.Expected}.",
        };

    public static JsonObject Count(int most, string description) =>
        new() { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = most, ["description"] = description };

    public static JsonObject CountOrPercent(int most, string description) => new()
    {
        ["type"] = new JsonArray("integer", "string"),
        ["minimum"] = 1,
        ["maximum"] = most,
        ["pattern"] = "^(100|[1-9][0-9]?)%$",
        ["description"] = description,
    };

    public static JsonObject Flag(string description) => new() { ["type"] = "boolean", ["description"] = description };

    public static JsonObject Choice(IEnumerable<string> choices, string description) =>
        new() { ["type"] = "string", ["enum"] = Strings(choices), ["description"] = description };

    public static JsonObject Choice<T>(string description) where T : struct, Enum => Choice(CamelCase.Choices(typeof(T)), description);

    /// <summary>A list of words, or one word.</summary>
    public static JsonObject TextList(string description)
    {
        var words = OneOrMany();
        words["minItems"] = 1;
        words["description"] = description;
        return words;
    }

    public static JsonObject OneOrMany() => new()
    {
        ["type"] = new JsonArray("array", "string", "number", "boolean"),
        ["items"] = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") },
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

    /// <summary>A mapping with names that the author chose.</summary>
    public static JsonObject Named(JsonObject value, string description) => new()
    {
        ["type"] = "object",
        ["description"] = description,
        ["minProperties"] = 1,
        ["propertyNames"] = new JsonObject { ["pattern"] = NamePattern },
        ["additionalProperties"] = value,
    };

    public static JsonObject WordOr(JsonObject mapping, IEnumerable<string>? choices, string description)
    {
        var word = new JsonObject { ["type"] = "string" };
        if (choices is not null)
        {
            word["enum"] = Strings(choices);
        }

        return new() { ["description"] = description, ["anyOf"] = new JsonArray(word, mapping) };
    }

    /// <summary>Text. Numbers and booleans count as written.</summary>
    public static JsonObject AnyText(string description) =>
        new() { ["type"] = new JsonArray("string", "number", "boolean"), ["description"] = description };

    public static JsonObject Texts(string description) =>
        new() { ["type"] = "object", ["description"] = description, ["additionalProperties"] = AnyText("A text.") };

    /// <summary>A whole file.</summary>
    public static JsonObject Document(string title, string description, JsonObject keys, params string[] required)
    {
        var document = Mapping(description, keys, required);
        document["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        document["title"] = title;
        return document;
    }

    public static JsonObject Reference(string definition) => new() { ["$ref"] = $"#/$defs/{definition}" };

    public static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
