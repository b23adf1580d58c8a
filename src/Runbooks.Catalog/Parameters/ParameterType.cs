using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Parameters;

/// <summary>The shapes that a parameter may have.</summary>
internal enum ParameterShape { Text, Boolean, WholeNumber, Number, Duration, Choice, List, Map, Json, Parsed, Record }

/// <summary>Which shape a .NET type has, and how people call it.</summary>
internal static class ParameterType
{
    public static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    public static ParameterShape ShapeOf(Type type) => Bare(type) switch
    {
        var bare when bare == typeof(string) => ParameterShape.Text,
        var bare when bare == typeof(bool) => ParameterShape.Boolean,
        var bare when bare == typeof(int) || bare == typeof(long) => ParameterShape.WholeNumber,
        var bare when bare == typeof(double) || bare == typeof(decimal) => ParameterShape.Number,
        var bare when bare == typeof(TimeSpan) => ParameterShape.Duration,
        { IsEnum: true } => ParameterShape.Choice,
        var bare when bare == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(bare) => ParameterShape.Json,
        var bare when MapValue(bare) is not null => ParameterShape.Map,
        var bare when ListItem(bare) is not null => ParameterShape.List,
        var bare when Array.Exists(bare.GetInterfaces(), face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IParsable<>)) => ParameterShape.Parsed,
        _ => ParameterShape.Record,
    };

    /// <summary>The type of the items when a list, an array or one of their interfaces; else null.</summary>
    public static Type? ListItem(Type type)
    {
        var item = type.IsArray ? type.GetElementType() : type is { IsGenericType: true, GenericTypeArguments: [var only] } ? only : null;
        return item is not null && type.IsAssignableFrom(type.IsArray ? item.MakeArrayType() : typeof(List<>).MakeGenericType(item)) ? item : null;
    }

    /// <summary>The type of the values when a dictionary with text keys; else null.</summary>
    public static Type? MapValue(Type type) =>
        type is { IsGenericType: true, GenericTypeArguments: [var key, var value] } && key == typeof(string)
        && type.IsAssignableFrom(typeof(Dictionary<,>).MakeGenericType(key, value)) ? value : null;

    public static string Words(Type type)
    {
        var bare = Bare(type);
        return ShapeOf(bare) switch
        {
            ParameterShape.Text => "text",
            ParameterShape.Boolean => "true or false",
            ParameterShape.WholeNumber => "a whole number",
            ParameterShape.Number => "a number",
            ParameterShape.Duration => DurationText.Words,
            ParameterShape.Choice => $"one of: {string.Join(", ", CamelCase.Choices(bare))}",
            ParameterShape.List => $"a list; each item is {Words(ListItem(bare)!)}",
            ParameterShape.Map => $"a mapping; each value is {Words(MapValue(bare)!)}",
            ParameterShape.Json => "any value",
            ParameterShape.Parsed => bare.GetCustomAttribute<DescriptionAttribute>()?.Description ?? $"a {bare.Name}",
            _ => $"a mapping with the keys: {string.Join(", ", StepParameters.Of(bare).Select(parameter => parameter.Name))}",
        };
    }
}
