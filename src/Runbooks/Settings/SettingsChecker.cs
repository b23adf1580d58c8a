using System.Collections;
using System.ComponentModel;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Runbooks.Settings;

/// <summary>Finds settings that nothing reads, and values that cannot be read. Otherwise a misspelt setting would silently do nothing.</summary>
/// <param name="others">Other known settings by their full name, such as secrets that contacts name, and sections of the platform.</param>
/// <param name="origin">Where a setting comes from, for the sentence; null where that is clear.</param>
public sealed class SettingsChecker(IEnumerable<SettingsSection> sections, IEnumerable<string> others, Func<string, string?> origin)
{
    private readonly ILookup<string, Type> _sections = sections.ToLookup(section => section.Name, section => section.Options, StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _others = new(others, StringComparer.OrdinalIgnoreCase);

    /// <param name="onlyOurs">
    /// Whether the whole configuration is ours. Where it has the environment of a process, and contacts may name any variable as a secret,
    /// only settings that are plainly misspelt are reported.
    /// </param>
    public IReadOnlyList<SettingProblem> Check(IConfiguration configuration, bool onlyOurs) =>
    [
        .. configuration.GetChildren()
            .Where(child => !_others.Contains(child.Key))
            .SelectMany(child => CheckTop(child, onlyOurs))
            .Where(problem => onlyOurs || problem.IsPlain)
            .OrderBy(problem => problem.Text, StringComparer.Ordinal),
    ];

    private IEnumerable<SettingProblem> CheckTop(IConfigurationSection top, bool onlyOurs)
    {
        if (_sections.Contains(top.Key))
        {
            return CheckParts(top, isList: false, isPlain: onlyOurs).Concat(CheckObject(top, [.. _sections[top.Key]]));
        }

        var meant = Suggestion.Closest(top.Key, _sections.Select(section => section.Key));
        var isOurs = onlyOurs || (meant is not null && Math.Abs(meant.Length - top.Key.Length) <= 2 && top.GetChildren().Any());
        return isOurs ? Leaves(top).Select(leaf => Unknown(leaf, meant is null ? null : $"{meant}{leaf.Path[top.Key.Length..]}")) : [];
    }

    /// <param name="types">Several where different classes read parts of the same section.</param>
    private IEnumerable<SettingProblem> CheckObject(IConfigurationSection section, IReadOnlyList<Type> types)
    {
        var properties = types
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Where(IsBound)
            .ToLookup(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (properties[child.Key].FirstOrDefault() is { } property)
            {
                foreach (var problem in CheckValue(child, property.PropertyType))
                {
                    yield return problem;
                }
            }
            else
            {
                var meant = Suggestion.Closest(child.Key, properties.Select(known => known.Key));
                foreach (var leaf in Leaves(child))
                {
                    yield return Unknown(leaf, meant is null ? null : $"{section.Path}:{meant}{leaf.Path[child.Path.Length..]}");
                }
            }
        }
    }

    private IEnumerable<SettingProblem> CheckValue(IConfigurationSection value, Type type)
    {
        if (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable)))
        {
            var inner = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[^1];
            var isList = type.IsArray || type.GetGenericArguments().Length == 1;
            return CheckParts(value, isList, isPlain: true).Concat(value.GetChildren().SelectMany(child => CheckValue(child, inner)));
        }

        if (type.IsClass && type != typeof(string) && type != typeof(Uri))
        {
            return CheckParts(value, isList: false, isPlain: true).Concat(CheckObject(value, [type]));
        }

        if (value.GetChildren().Any())
        {
            return Leaves(value).Select(leaf => Unknown(leaf, value.Path));
        }

        var mayBeEmpty = !IsNeeded(type);
        if (value.Value is not { } text || (text.Length == 0 && mayBeEmpty) || CanRead(text, Nullable.GetUnderlyingType(type) ?? type))
        {
            return [];
        }

        return [new($"The setting '{value.Path}'{Origin(value)} has to be {Describe(type)}. docs/settings.md says what it does.", IsPlain: true)];
    }

    /// <summary>A value where only parts are read: the binder ignores it.</summary>
    private IEnumerable<SettingProblem> CheckParts(IConfigurationSection section, bool isList, bool isPlain)
    {
        if (section.Value is not { Length: > 0 })
        {
            return [];
        }

        var remedy = isList
            ? $"is a list, and one value in its place is not read: write it as '{section.Path}:0', in JSON in brackets."
            : $"has parts, and a value in its place is not read: write '{section.Path}:NAME'.";
        return [new($"The setting '{section.Path}'{Origin(section)} {remedy} docs/settings.md lists them all.", isPlain)];
    }

    /// <summary>Whether an empty text is an error. For the other types it is the same as no setting.</summary>
    private static bool IsNeeded(Type type) => type.IsValueType && Nullable.GetUnderlyingType(type) is null;

    private static bool CanRead(string text, Type type)
    {
        // The enum converter also reads numbers and adds up names: "Sender, Viewer" would be Operator.
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Contains(text.Trim(), StringComparer.OrdinalIgnoreCase);
        }

        // The TimeSpan converter takes a bare number for days, which hardly anybody means.
        if (type == typeof(TimeSpan) && !text.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            var converter = TypeDescriptor.GetConverter(type);
            return converter?.CanConvertFrom(typeof(string)) != true || converter.ConvertFromInvariantString(text) is not null;
        }
        // A converter may throw any exception.
        catch (Exception)
        {
            return false;
        }
    }

    private static string Describe(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        { IsEnum: true } kind => $"one of {string.Join(", ", Enum.GetNames(kind))}",
        var kind when kind == typeof(bool) => "true or false",
        var kind when kind == typeof(TimeSpan) => "a length of time such as 00:05:00 (hh:mm:ss), or 90.00:00:00 for 90 days",
        var kind when kind == typeof(int) || kind == typeof(long) => "a whole number",
        var kind when kind == typeof(Uri) => "an address",
        _ => "a number",
    };

    private SettingProblem Unknown(IConfigurationSection leaf, string? meant)
    {
        var unknown = $"This host has no setting '{leaf.Path}'{Origin(leaf)}.";
        if (SettingsOfOneHost.ReaderOf(leaf.Path, Has) is { } reader)
        {
            return new($"{unknown} {reader} has it.", IsPlain: meant is not null);
        }

        var suggestion = meant is null ? "" : $"Did you mean '{meant}'? ";
        return new($"{unknown} {suggestion}docs/settings.md lists them all.", IsPlain: meant is not null, IsUnknown: meant is null);
    }

    private bool Has(string name) =>
        name.Split(':') is [var section, .. var rest]
        && _sections[section].Any(type => rest is not [var property] || type.GetProperty(property) is not null);

    private string Origin(IConfigurationSection leaf) => origin(leaf.Path) is { } from ? $" ({from})" : "";

    /// <summary>A computed property is not a setting; a collection without a setter is filled in place.</summary>
    private static bool IsBound(PropertyInfo property) =>
        property.CanWrite || (property.PropertyType.IsGenericType && property.PropertyType.IsAssignableTo(typeof(IEnumerable)));

    private IEnumerable<IConfigurationSection> Leaves(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        if (children.Count > 0)
        {
            return children.SelectMany(Leaves);
        }

        return _others.Contains(section.Path) ? [] : [section];
    }
}

/// <param name="IsPlain">There can be no doubt.</param>
/// <param name="IsUnknown">No setting has a similar name, so it may be meant as a secret.</param>
public sealed record SettingProblem(string Text, bool IsPlain, bool IsUnknown = false)
{
    public override string ToString() => Text;
}

public sealed record SettingsSection(string Name, Type Options);

public static class SettingsServices
{
    /// <summary>Keys that the class does not have, and values that its annotations do not allow, are refused.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class
    {
        var known = new SettingsSection(section, typeof(T));
        if (services.Any(service => known.Equals(service.ImplementationInstance)))
        {
            // A second binding would double the entries of every list, and every problem.
            return services.AddOptions<T>();
        }

        services.AddSingleton(known);
        return services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
    }
}

/// <summary>Section <c>Runbooks</c>: what runbooks may read of this host.</summary>
public sealed class RunbookSettingsOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>
    /// By name, what runbooks read as <c>{{ settings.NAME }}</c>, such as the cluster or region of this host. No secrets: the values are on
    /// cards and in the record.
    /// </summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>Settings that keep a host from starting. Asked before the start, which would end with a stack trace at the first one.</summary>
public static partial class InvalidSettings
{
    public static IReadOnlyList<string> Find(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
            return [];
        }
        catch (OptionsValidationException invalid)
        {
            return Describe(invalid);
        }
        catch (AggregateException several) when (several.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            return [.. several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(Describe).Distinct()];
        }
    }

    /// <summary>The broken rules in our own sentences. The message of a rule for a whole section names its settings itself.</summary>
    public static IReadOnlyList<string> Describe(OptionsValidationException invalid) =>
        [.. invalid.Failures.Select(failure => Sentence(failure, invalid.OptionsType))];

    private static string Sentence(string failure, Type options)
    {
        var rule = Annotation().Match(failure);
        if (!rule.Success)
        {
            return failure;
        }

        var (member, why) = (rule.Groups["member"].Value, rule.Groups["why"].Value);
        return member.Length == 0 ? why : $"The setting '{SectionOf(options)}:{member}' cannot be used: {why} docs/settings.md says what it does.";
    }

    private static object? SectionOf(Type options) => options.GetField(nameof(RunbookSettingsOptions.SectionName))?.GetRawConstantValue();

    /// <summary>.NET's message for a rule of an attribute or of the class itself.</summary>
    [GeneratedRegex(
        "^DataAnnotation validation failed for .* members: '(?<member>[^']*)' with the error: '(?<why>.*)'\\.$",
        RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Annotation();
}

/// <summary>Sections and settings that only one of the two hosts reads. The settings page marks them, and the other host says who reads them.</summary>
public static class SettingsOfOneHost
{
    public static IReadOnlyList<string> FunctionsApp { get; } =
        ["AzureStorage", "Intake", "Runbooks:RefreshEvery", "Runbooks:RunbooksContainer", "Runbooks:RunbooksFolder"];

    public static IReadOnlyList<string> SelfHosted { get; } = ["Storage", "Telemetry"];

    /// <param name="isOwn">Whether the asking host reads an entry of these lists, so that it is not only the other host's.</param>
    /// <returns>Who reads it, as the beginning of a sentence; null where both hosts do, or none.</returns>
    public static string? ReaderOf(string path, Func<string, bool>? isOwn = null)
    {
        return Holds(FunctionsApp) ? "Only the Functions app" : Holds(SelfHosted) ? "Only a self-hosted process" : null;

        bool Holds(IReadOnlyList<string> names) => names.Any(name => IsOrHolds(name, path) && isOwn?.Invoke(name) != true);
    }

    private static bool IsOrHolds(string name, string path) =>
        path.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (path.Length == name.Length || path[name.Length] == ':');
}
