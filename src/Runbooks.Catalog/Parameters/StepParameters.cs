using System.Collections.Concurrent;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Parameters;

/// <summary>Reads the parameters of a check or an action from its parameter record: constructor parameters and init properties.</summary>
public static class StepParameters
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<StepParameter>> s_known = new();

    /// <summary>In the order in which the record declares them.</summary>
    public static IReadOnlyList<StepParameter> Of(Type type) => s_known.GetOrAdd(type, Read);

    internal static ConstructorInfo ConstructorOf(Type type) =>
        type.GetConstructors()
            // A record's copy constructor takes the record itself.
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
                .Select(property => FromProperty(property, defaults)),
        ];
    }

    private static StepParameter FromConstructor(ParameterInfo parameter, PropertyInfo? property)
    {
        var attributes = parameter.GetCustomAttributes().Concat(property?.GetCustomAttributes() ?? []);
        var initial = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        // 'Mode mode = Mode.B' is kept in metadata as a number, 'TimeSpan t = default' as null.
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
        TypeInWords = ParameterType.Words(type),
        Required = required || attributes.OfType<RequiredAttribute>().Any(),
        Description = attributes.OfType<DescriptionAttribute>().FirstOrDefault()?.Description ?? "",
        Secret = attributes.OfType<SecretAttribute>().Any(),
        Rules = [.. attributes.OfType<ValidationAttribute>()],
        Refuse = attributes.OfType<QueryTextAttribute>().Any() ? QueryTextAttribute.Refuse : null,
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
