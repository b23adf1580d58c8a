using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Schema;

/// <summary>
/// The schema of a <c>with</c> mapping, from the parameter record. It lets a template stand for every value, and is no
/// stricter than the binder: what an editor underlines is wrong.
/// </summary>
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
            schema["required"] = Shape.Strings(required);
        }

        return schema;
    }

    private static JsonObject OfParameter(StepParameter parameter)
    {
        var schema = OfType(parameter.Type, parameter.Rules.OfType<RangeAttribute>().FirstOrDefault());
        var description = parameter.Description.Length > 0 ? $"{parameter.Description} ({parameter.Words})" : parameter.Words;
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
            ParameterShape.WholeNumber => OrText(Within(new() { ["type"] = "integer" }, range), @"^\s*[-+]?\d+\s*$"),
            ParameterShape.Number => OrText(Within(new() { ["type"] = "number" }, range), @"^\s*[-+]?[\d.]+([eE][-+]?\d+)?\s*$"),
            ParameterShape.Duration => OrText(new() { ["const"] = 0 }, Shape.DurationPattern),
            ParameterShape.Choice => OrText(new() { ["enum"] = Shape.Strings(CamelCase.Choices(bare)) }, null),
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
            ["pattern"] = textPattern is null ? Shape.TemplatePattern : $"({textPattern})|{Shape.TemplatePattern}",
        }),
    };
}
