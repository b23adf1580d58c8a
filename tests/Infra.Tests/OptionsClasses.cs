using System.Collections;
using System.Reflection;

namespace Infra.Tests;

/// <summary>The settings that the code reads: every property of every class that names its section.</summary>
static class OptionsClasses
{
    private static readonly Assembly[] _assemblies =
        [typeof(Runbooks.Messages.PublicAddressOptions).Assembly, Assembly.Load("Runbooks.Integrations"), Assembly.Load("Runbooks.Web")];

    public static ILookup<string, string> SettingsBySection { get; } = _assemblies
        .SelectMany(assembly => assembly.GetTypes())
        .Select(type => (Type: type, Section: type.GetField("SectionName", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string))
        .Where(found => found.Section is not null)
        .SelectMany(found => Names(found.Section!.Replace(":", "__", StringComparison.Ordinal), found.Type))
        .ToLookup(name => name.Split("__")[0]);

    /// <summary>As app settings: two underscores between the parts, a star for an index or a key.</summary>
    private static IEnumerable<string> Names(string prefix, Type type)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            foreach (var name in Named($"{prefix}__{property.Name}", property.PropertyType))
            {
                yield return name;
            }
        }
    }

    private static IEnumerable<string> Named(string name, Type type)
    {
        if (type != typeof(string) && type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)))
        {
            return Named($"{name}__*", type.GetGenericArguments()[^1]);
        }

        return type.Assembly.GetName().Name!.StartsWith("Runbooks", StringComparison.Ordinal) && type.IsClass ? Names(name, type) : [name];
    }
}
