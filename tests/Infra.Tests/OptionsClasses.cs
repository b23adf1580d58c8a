using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <param name="Name">As an app setting: two underscores between the parts, a star for an index or a key.</param>
/// <param name="Default">Empty when there is none.</param>
/// <param name="Means">The comment at the property.</param>
sealed record ReadSetting(string Name, string Default, string Means);

/// <summary>The settings that the code reads: every property of every class that names its section, by section.</summary>
static partial class OptionsClasses
{
    private static readonly Assembly[] _assemblies =
        [typeof(Runbooks.Messages.PublicAddressOptions).Assembly, Assembly.Load("Runbooks.Integrations"), Assembly.Load("Runbooks.Web")];

    public static IReadOnlyDictionary<string, IReadOnlyList<ReadSetting>> Settings { get; } = _assemblies
        .SelectMany(assembly => assembly.GetTypes())
        .Select(type => (Type: type, Section: SectionOf(type)))
        .Where(found => found.Section is not null)
        .GroupBy(found => found.Section!.Replace(":", "__", StringComparison.Ordinal))
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(
            group => group.Key,
            group => (IReadOnlyList<ReadSetting>)[.. group.SelectMany(found => Of(group.Key, found.Type)).OrderBy(setting => setting.Name, StringComparer.Ordinal)]);

    private static string? SectionOf(Type type) =>
        (type.GetField("SectionName", BindingFlags.Public | BindingFlags.Static) ?? type.GetField("Section", BindingFlags.Public | BindingFlags.Static))
            is { IsLiteral: true } field ? field.GetRawConstantValue() as string : null;

    private static IEnumerable<ReadSetting> Of(string prefix, Type type)
    {
        var example = type.GetConstructor([]) is null ? null : Activator.CreateInstance(type);
        var source = Source(type);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
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
                yield return new ReadSetting(name, Text(example is null ? null : property.GetValue(example)), Comment(source, property.Name));
            }
        }
    }

    private static (string Name, Type Inner) Unwrap(string name, Type type) =>
        type != typeof(string) && type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable))
            ? Unwrap($"{name}__*", type.GetGenericArguments()[^1])
            : (name, type);

    private static string Text(object? value) => value switch
    {
        string text => text,
        bool yes => yes ? "true" : "false",
        IEnumerable => "",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Source(Type type) =>
        Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .FirstOrDefault(text => text.Contains($" class {type.Name}", StringComparison.Ordinal)
                || text.Contains($" record {type.Name}", StringComparison.Ordinal)) is { } found
            ? found[Math.Max(found.IndexOf($" class {type.Name}", StringComparison.Ordinal), found.IndexOf($" record {type.Name}", StringComparison.Ordinal))..]
            : "";

    /// <summary>The summary above the property: the comment lines, then attributes, then its name.</summary>
    private static string Comment(string source, string property)
    {
        var lines = source.Split('\n').Select(line => line.Trim()).ToList();
        var at = lines.FindIndex(line => line.StartsWith("public ", StringComparison.Ordinal) && line.Contains($" {property} {{", StringComparison.Ordinal));
        var above = lines.Take(Math.Max(at, 0)).Reverse().SkipWhile(line => line.StartsWith('[')).TakeWhile(line => line.StartsWith("///", StringComparison.Ordinal)).Reverse();
        var text = string.Join(' ', above.Select(line => line[3..].Trim()));
        text = Code().Replace(text, "`$1`");
        text = Reference().Replace(text, "`$1`");
        return Tag().Replace(text, "").Replace("|", "\\|", StringComparison.Ordinal).Trim();
    }

    [GeneratedRegex("<c>([^<]*)</c>", RegexOptions.NonBacktracking)]
    private static partial Regex Code();

    [GeneratedRegex("<see cref=\"([^\"]*)\" ?/>", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();

    [GeneratedRegex("<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tag();
}
