using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Parameters;

public static class StepParameters
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<StepParameter>> s_known = new();

    /// <summary>In the order in which the record declares them.</summary>
    public static IReadOnlyList<StepParameter> Of(Type type) => s_known.GetOrAdd(type, Read);

    internal static ConstructorInfo ConstructorOf(Type type) =>
        type.GetConstructors()
            // Without the copy constructor, which takes the record itself.
            .Where(constructor => constructor.GetParameters() is not [var only] || only.ParameterType != type)
            .MaxBy(constructor => constructor.GetParameters().Length)
        ?? throw new InvalidOperationException($"The parameter record {type} has no public constructor.");

    private static IReadOnlyList<StepParameter> Read(Type type)
    {
        var constructor = ConstructorOf(type);
        var positional = constructor.GetParameters();
        var settable = type.GetProperties().Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0);
        var defaults = positional.Length == 0 ? constructor.Invoke([]) : null;
        return
        [
            .. positional.Select(parameter => FromConstructor(parameter, type.GetProperty(parameter.Name!))),
            .. settable
                .Where(property => !Array.Exists(positional, parameter => parameter.Name == property.Name))
                // Inherited parameters that several steps share (the pod) come first.
                .OrderBy(property => property.DeclaringType == type)
                .Select(property => FromProperty(property, defaults)),
        ];
    }

    private static StepParameter FromConstructor(ParameterInfo parameter, PropertyInfo? property)
    {
        var attributes = parameter.GetCustomAttributes().Concat(property?.GetCustomAttributes() ?? []);
        var initial = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        // Metadata store 'Mode mode = Mode.B' as a number and 'TimeSpan t = default' as null.
        var value = ParameterType.Bare(parameter.ParameterType) is { IsEnum: true } choice && initial is not null
            ? Enum.ToObject(choice, initial)
            : initial ?? Zero(parameter.ParameterType);
        return Describe(parameter.Name!, parameter.ParameterType, [.. attributes], !parameter.HasDefaultValue) with
        {
            Position = parameter.Position,
            DefaultValue = value,
            Default = parameter.HasDefaultValue ? Show(value) : null,
        };
    }

    private static StepParameter FromProperty(PropertyInfo property, object? defaults)
    {
        var value = defaults is null ? null : property.GetValue(defaults);
        var required = property.IsDefined(typeof(RequiredMemberAttribute));
        return Describe(property.Name, property.PropertyType, [.. property.GetCustomAttributes()], required) with
        {
            Property = property,
            DefaultValue = value,
            Default = required ? null : Show(value),
        };
    }

    private static StepParameter Describe(string name, Type type, Attribute[] attributes, bool required) => new()
    {
        Name = CamelCase.Of(name),
        Type = type,
        TypeText = ParameterType.Expected(type),
        Required = required || attributes.OfType<RequiredAttribute>().Any(),
        Description = attributes.OfType<DescriptionAttribute>().FirstOrDefault()?.Description ?? "",
        Secret = attributes.OfType<SecretAttribute>().Any(),
        Rules = [.. attributes.OfType<ValidationAttribute>()],
        Insert = attributes.OfType<IInsertRule>().FirstOrDefault(),
    };

    private static object? Zero(Type type) =>
        type.IsValueType && Nullable.GetUnderlyingType(type) is null ? RuntimeHelpers.GetUninitializedObject(type) : null;

    private static string? Show(object? value) => value switch
    {
        null => null,
        string text => text,
        bool flag => flag ? "true" : "false",
        TimeSpan duration => DurationText.Format(duration),
        Enum choice => CamelCase.Of(choice.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        System.Collections.IEnumerable => null,
        _ => value.ToString(),
    };
}

public sealed record StepParameter
{
    /// <summary>The key in the <c>with</c> mapping.</summary>
    public required string Name { get; init; }

    public required Type Type { get; init; }

    /// <summary>For example <c>text</c>, <c>whole number</c>, <c>one of: passing, failing</c>.</summary>
    public required string TypeText { get; init; }

    public required bool Required { get; init; }

    /// <summary>As a file would write it. Null if there is none to show.</summary>
    public string? Default { get; init; }

    public string Description { get; init; } = "";

    public bool Secret { get; init; }

    public IReadOnlyList<ValidationAttribute> Rules { get; init; } = [];

    /// <summary>Null if every value may be inserted.</summary>
    internal IInsertRule? Insert { get; init; }

    /// <summary>The position in the constructor. Null for an init property.</summary>
    internal int? Position { get; init; }

    internal object? DefaultValue { get; init; }

    internal PropertyInfo? Property { get; init; }

    /// <summary>What to write, with its bounds.</summary>
    public string Expected
    {
        get
        {
            if (Rules.OfType<ParameterRuleAttribute>().FirstOrDefault() is { } rule)
            {
                return ParameterType.ShapeOf(Type) == ParameterShape.List ? $"a list; each item is {rule.Expected}" : rule.Expected;
            }

            return Rules.OfType<RangeAttribute>().FirstOrDefault() is { } range ? $"{TypeText}, {Bounds(range)}"
                : Rules.OfType<MaxLengthAttribute>().FirstOrDefault() is { } most ? $"{TypeText} of at most {most.Length} characters"
                : TypeText;
        }
    }

    internal ForPeopleAttribute? ForPeople => Rules.OfType<ForPeopleAttribute>().FirstOrDefault();

    /// <summary>Whether blanks around a value are ignored: for a name, a number or a choice, but not for prose.</summary>
    internal bool IsTrimmed => Rules.Any(rule => rule is ParameterRuleAttribute and not ForPeopleAttribute)
        || ParameterType.ShapeOf(Type) is ParameterShape.Boolean or ParameterShape.Integer or ParameterShape.Number
            or ParameterShape.Duration or ParameterShape.Choice or ParameterShape.Parsed;

    internal static string Bounds(RangeAttribute range)
    {
        return $"from {Show(range.Minimum)} to {Show(range.Maximum)}";

        // The bounds of a duration are texts until the rule is first used.
        string Show(object bound) => range.OperandType == typeof(TimeSpan)
            ? DurationText.Format(bound is TimeSpan time ? time : TimeSpan.Parse((string)bound, CultureInfo.InvariantCulture))
            : Convert.ToString(bound, CultureInfo.InvariantCulture)!;
    }
}

internal enum ParameterShape { Text, Boolean, Integer, Number, Duration, Choice, List, Map, Json, Parsed, Record }

internal static class ParameterType
{
    public static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    public static ParameterShape ShapeOf(Type type) => Bare(type) switch
    {
        var bare when bare == typeof(string) => ParameterShape.Text,
        var bare when bare == typeof(bool) => ParameterShape.Boolean,
        var bare when bare == typeof(int) => ParameterShape.Integer,
        var bare when bare == typeof(double) => ParameterShape.Number,
        var bare when bare == typeof(TimeSpan) => ParameterShape.Duration,
        { IsEnum: true } => ParameterShape.Choice,
        var bare when typeof(JsonNode).IsAssignableFrom(bare) => ParameterShape.Json,
        var bare when MapValue(bare) is not null => ParameterShape.Map,
        var bare when ListItem(bare) is not null => ParameterShape.List,
        var bare when Array.Exists(bare.GetInterfaces(), face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IParsable<>)) => ParameterShape.Parsed,
        _ => ParameterShape.Record,
    };

    /// <summary>The item type of a list or of one of its interfaces. Otherwise null.</summary>
    public static Type? ListItem(Type type) =>
        type is { IsGenericType: true, GenericTypeArguments: [var item] } && type.IsAssignableFrom(typeof(List<>).MakeGenericType(item)) ? item : null;

    /// <summary>The type if it is a record, or the record type of its items. Otherwise null.</summary>
    public static Type? RecordOf(Type type) =>
        (ListItem(Bare(type)) ?? Bare(type)) is var record && ShapeOf(record) == ParameterShape.Record ? record : null;

    /// <summary>The value type of a dictionary with text keys. Otherwise null.</summary>
    public static Type? MapValue(Type type) =>
        type is { IsGenericType: true, GenericTypeArguments: [var key, var value] } && key == typeof(string)
        && type.IsAssignableFrom(typeof(Dictionary<,>).MakeGenericType(key, value)) ? value : null;

    public static string Expected(Type type)
    {
        var bare = Bare(type);
        return ShapeOf(bare) switch
        {
            ParameterShape.Text => "text",
            ParameterShape.Boolean => "true or false",
            ParameterShape.Integer => "a whole number",
            ParameterShape.Number => "a number",
            ParameterShape.Duration => DurationText.Expected,
            ParameterShape.Choice => $"one of: {string.Join(", ", CamelCase.Choices(bare))}",
            ParameterShape.List => $"a list; each item is {Expected(ListItem(bare)!)}",
            ParameterShape.Map => $"a mapping; each value is {Expected(MapValue(bare)!)}",
            ParameterShape.Json => bare == typeof(JsonObject) ? "a mapping" : "any value",
            ParameterShape.Parsed => bare.GetCustomAttribute<DescriptionAttribute>()?.Description ?? $"a {bare.Name}",
            _ => $"a mapping with the keys: {string.Join(", ", StepParameters.Of(bare).Select(parameter => parameter.Name))}",
        };
    }
}
