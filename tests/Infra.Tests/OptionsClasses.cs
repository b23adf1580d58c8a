using System.Collections;
using System.Globalization;
using System.Reflection;
using Runbooks.SignedLinks;

namespace Infra.Tests;

/// <param name="Name">As an app setting: two underscores between the parts, a star for an index or a key.</param>
/// <param name="Default">Empty when there is none.</param>
/// <param name="Means">The comment at the property.</param>
sealed record ReadSetting(string Name, string Default, string Means);

/// <summary>The settings that the code reads: every property of every class that names its section, by section.</summary>
static class OptionsClasses
{
    private static readonly Assembly[] _assemblies =
        [typeof(PublicAddressOptions).Assembly, Assembly.Load("Runbooks.AzureStorage"), Assembly.Load("Runbooks.Integrations"), Assembly.Load("Runbooks.Web"), Assembly.Load("RunbookFunctions")];

    public static IReadOnlyList<(Type Type, string Section)> Types { get; } =
        [.. _assemblies.SelectMany(assembly => assembly.GetTypes())
            .Select(type => (Type: type, Section: SectionOf(type)))
            .Where(found => found.Section is not null)
            .Select(found => (found.Type, found.Section!))];

    public static IReadOnlyDictionary<string, IReadOnlyList<ReadSetting>> Settings { get; } = Types
        .SelectMany(found => Of(Prefix(found.Section), found.Type).Select(setting => (Section: Prefix(found.Section), Setting: setting)))
        .GroupBy(found => found.Section, found => found.Setting)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(
            group => group.Key,
            group => (IReadOnlyList<ReadSetting>)[.. group.DistinctBy(setting => setting.Name).OrderBy(setting => setting.Name, StringComparer.Ordinal)]);

    public static IEnumerable<ReadSetting> All => Settings.Values.SelectMany(settings => settings);

    private static string Prefix(string section) => section.Replace(":", "__", StringComparison.Ordinal);

    private static string? SectionOf(Type type) =>
        (type.GetField("SectionName", BindingFlags.Public | BindingFlags.Static) ?? type.GetField("Section", BindingFlags.Public | BindingFlags.Static))
            is { IsLiteral: true } field ? field.GetRawConstantValue() as string : null;

    private static IEnumerable<ReadSetting> Of(string prefix, Type type)
    {
        var example = type.GetConstructor([]) is null ? null : Activator.CreateInstance(type);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsBound))
        {
            var (name, inner) = Unwrap($"{prefix}__{property.Name}", property.PropertyType);
            if (inner.Assembly.GetName().Name!.StartsWith("Runbooks", StringComparison.Ordinal) && inner.IsClass)
            {
                foreach (var nested in Of(name, inner))
                {
                    yield return nested;
                }
            }
            else
            {
                yield return new ReadSetting(
                    name, Text(example is null ? null : property.GetValue(example)), SourceComments.At(property.DeclaringType!.Name, property.Name));
            }
        }
    }

    /// <summary>What is worked out of other properties is not a setting; a collection is filled in place.</summary>
    private static bool IsBound(PropertyInfo property) =>
        property.CanWrite || (property.PropertyType.IsGenericType && property.PropertyType.IsAssignableTo(typeof(IEnumerable)));

    private static (string Name, Type Inner) Unwrap(string name, Type type) =>
        type != typeof(string) && type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable))
            ? Unwrap($"{name}__*", type.GetGenericArguments()[^1])
            : (name, type);

    private static string Text(object? value) => value switch
    {
        string text => text,
        bool yes => yes ? "true" : "false",
        IEnumerable => "",
        DateTime time when time == default => "",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
