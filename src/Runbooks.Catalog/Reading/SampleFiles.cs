using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Reading;

/// <summary>The text files beside a runbook, and which of them its steps name. Those are part of its version.</summary>
internal sealed class SampleFiles(IReadOnlyDictionary<string, string>? there)
{
    private readonly IReadOnlyDictionary<string, string> _there = there ?? FrozenDictionary<string, string>.Empty;
    private readonly SortedDictionary<string, string> _used = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Used => _used;

    /// <summary>For the version's hash; empty where no file is named.</summary>
    public string HashedText => string.Concat(_used.Select(file => $"\n{file.Key}\n{file.Value}"));

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
            else if (WhyRefused(text) is { } objection)
            {
                section.Errors.AtValue(section.PathOf($"with.{name}"), $"names {file}, which {objection}", $"Keep at most {SampleFileAttribute.MaxLines} lines and {SampleFileAttribute.MaxCharacters / 1024} KB.");
            }
            else
            {
                _used[file] = text;
            }
        }
    }

    private static string? WhyRefused(string text)
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
