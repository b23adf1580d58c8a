using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Runbooks.Catalog.Reading;

/// <summary>
/// What one host says of itself, so that a runbook for several clusters need not be copied: <c>{{ settings.cluster }}</c>. It is
/// filled in when the file is read, and belongs to the version that an incident keeps to.
/// </summary>
public sealed partial class HostSettings(IEnumerable<KeyValuePair<string, string>> values)
{
    public static readonly HostSettings None = new([]);

    /// <summary>Environment variables do not tell capitals apart everywhere.</summary>
    private readonly SortedDictionary<string, string> _values = new(values.ToDictionary(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase);

    /// <param name="report">Takes position, problem and remedy of what this host does not say.</param>
    /// <param name="used">Takes the settings that the file reads.</param>
    internal YamlNode FillIn(YamlNode node, Action<Position, string, string> report, ISet<string> used) => node switch
    {
        YamlScalar { Value: var text } scalar when Placeholder().IsMatch(text) => scalar with
        {
            Value = Placeholder().Replace(text, match => ValueOf(match.Groups["name"].Value, scalar.At, report, used)),
            IsFilled = Placeholder().Replace(text, "").Length == 0,
        },
        YamlSequence list => list with { Items = [.. list.Items.Select(item => FillIn(item, report, used))] },
        YamlMapping mapping => mapping with { Entries = [.. mapping.Entries.Select(entry => entry with { Value = FillIn(entry.Value, report, used) })] },
        _ => node,
    };

    private string ValueOf(string name, Position at, Action<Position, string, string> report, ISet<string> used)
    {
        if (!_values.TryGetValue(name, out var value))
        {
            report(at, $"It reads settings.{Clip.To(name, 80)}, which this host does not set.",
                $"{Suggestion.For(name, _values.Keys)}Set Runbooks:Settings:{Clip.To(name, 80)} on the host, or try it with --setting {Clip.To(name, 80)}=VALUE.");
            return "?";
        }

        if (value.Contains("{{", StringComparison.Ordinal))
        {
            report(at, $"The host's setting {Clip.To(name, 80)} holds a placeholder.", "Write out what it stands for.");
        }

        used.Add($"{name}={value}");
        return value;
    }

    [GeneratedRegex(@"\{\{\s*settings\.(?<name>[A-Za-z0-9_.-]+)\s*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder();
}

/// <summary>The text files beside a runbook, and which of them its steps name. Those are part of its version.</summary>
internal sealed class SampleFiles(IReadOnlyDictionary<string, string>? there)
{
    private readonly IReadOnlyDictionary<string, string> _there = there ?? FrozenDictionary<string, string>.Empty;
    private readonly SortedDictionary<string, string> _used = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Used => _used;

    /// <summary>For the version's hash; empty where no file is named.</summary>
    public string Words => string.Concat(_used.Select(file => $"\n{file.Key}\n{file.Value}"));

    /// <summary>Takes the files that a step's parameters name.</summary>
    public void Take(JsonObject with, Type parameters, YamlSection section)
    {
        foreach (var name in parameters.GetProperties().Where(property => property.GetCustomAttribute<SampleFileAttribute>() is not null).Select(property => CamelCase.Of(property.Name)))
        {
            if (with[name] is not JsonValue value || value.ToString() is not { Length: > 0 } file)
            {
                continue;
            }

            if (!_there.TryGetValue(file, out var text))
            {
                section.Errors.AtValue(section.PathOf($"with.{name}"), $"names {Clip.To(file, 80)}, which does not stand beside the runbook.",
                    $"Put a text file there, or into {SampleFileAttribute.Folder}/, and name it so: {SampleFileAttribute.Folder}/ordinary.txt. {Known()}");
            }
            else if (Objection(text) is { } objection)
            {
                section.Errors.AtValue(section.PathOf($"with.{name}"), $"names {file}, which {objection}", $"Keep at most {SampleFileAttribute.MaxLines} lines and {SampleFileAttribute.MaxCharacters / 1024} KB.");
            }
            else
            {
                _used[file] = text;
            }
        }
    }

    private static string? Objection(string text)
    {
        var lines = text.Split('\n').Count(line => !string.IsNullOrWhiteSpace(line));
        return text.Length > SampleFileAttribute.MaxCharacters ? "is too long."
            : lines > SampleFileAttribute.MaxLines ? $"has {lines} lines."
            : lines == 0 ? "is empty."
            : text.Contains('\0', StringComparison.Ordinal) || text.Contains('\uFFFD', StringComparison.Ordinal) ? "is no text in UTF-8."
            : null;
    }

    private string Known() => _there.Count == 0 ? "There is none yet." : $"There are: {Clip.To(string.Join(", ", _there.Keys.Order(StringComparer.Ordinal)), 300)}.";
}
