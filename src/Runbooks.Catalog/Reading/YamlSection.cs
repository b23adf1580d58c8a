using System.Globalization;

namespace Runbooks.Catalog.Reading;

/// <summary>
/// Missing or wrong values are reported and replaced by harmless ones, so that reading finds all errors. Keys that were never asked for are
/// unknown.
/// </summary>
internal sealed class YamlSection(YamlMapping mapping, string path, FileErrors errors)
{
    private const int LongestWord = 500;

    private readonly List<string> _asked = [];

    /// <summary>Reads a whole file.</summary>
    /// <param name="first">The first key of such a file.</param>
    /// <returns>Null if nothing could be read.</returns>
    public static YamlSection? Open(FileErrors errors, string first)
    {
        switch (YamlTree.Read(errors.Text, errors.Refuse, errors.Warn))
        {
            case YamlMapping whole:
                errors.Locate(whole);
                return new(whole, "", errors);
            case { } other:
                errors.NoMapping(other, first);
                return null;
            default:
                return null;
        }
    }

    public string Path => path;

    public FileErrors Errors => errors;

    public string PathOf(string key) => FileErrors.Join(path, key);

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Null if there is none.</summary>
    public YamlNode? Node(string key) => Find(key);

    /// <summary>A value without checks; a later read reports its errors. Null for none.</summary>
    public string? Raw(string key) => Find(key) is YamlScalar { IsNull: false } scalar ? scalar.Value : null;

    /// <param name="mayBeEmpty">It has to be in quotes; without them the value is missing.</param>
    public string Text(string key, string fallback = "", bool required = false, int longest = 2_000, bool mayBeEmpty = false)
    {
        switch (Find(key, required))
        {
            case null:
                return fallback;
            case YamlScalar { IsNull: false } scalar when scalar.Value.Length <= longest && (mayBeEmpty || scalar.Value.Trim().Length > 0):
                return scalar.Value;
            case YamlScalar { Value.Length: > 0 } scalar when scalar.Value.Length > longest:
                errors.AtValue(PathOf(key), $"is longer than {longest} characters.", "Shorten it.");
                return fallback;
            case var other:
                errors.NoText(PathOf(key), other, "Write a line of text.");
                return fallback;
        }
    }

    /// <summary>Text that must not have placeholders, which would never be filled.</summary>
    public string Plain(string key, bool required = false, int longest = 2_000)
    {
        var text = Text(key, required: required, longest: longest);
        if (Template.HasPlaceholder(text))
        {
            errors.AtValue(
                PathOf(key),
                "holds a placeholder, but this text is shown as it stands.",
                "Remove it; placeholders belong into 'target', 'with' and the question of an approval.");
        }

        return text;
    }

    public TimeSpan? Duration(string key, TimeSpan least, TimeSpan most, bool required = false)
    {
        if (Find(key, required) is not { } node)
        {
            return null;
        }

        if (node is YamlScalar scalar && DurationText.TryParse(scalar.Value, out var duration))
        {
            if (duration >= least && duration <= most)
            {
                return duration;
            }

            errors.AtValue(
                PathOf(key),
                $"is {scalar.Description}.",
                $"Write a duration from {DurationText.Format(least)} to {DurationText.Format(most)}.");
            return null;
        }

        var range = $"from {DurationText.Format(least)} to {DurationText.Format(most)}";
        errors.AtValue(PathOf(key), $"is {node.Description} and must be a duration.", $"Write {DurationText.Expected}, {range}.");
        return null;
    }

    public int? Count(string key, int most, string besides = "")
    {
        if (Find(key) is not { } node)
        {
            return null;
        }

        if (node is YamlScalar scalar
            && int.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= most)
        {
            return number;
        }

        errors.AtValue(PathOf(key), $"is {node.Description}.", $"Write a whole number from 1 to {most}{besides}.");
        return null;
    }

    public bool Flag(string key)
    {
        switch (Find(key))
        {
            case null or YamlScalar { Value: "false" }:
                return false;
            case YamlScalar { Value: "true" }:
                return true;
            case var other:
                errors.AtValue(PathOf(key), $"is {other.Description}.", "Write true or false.");
                return false;
        }
    }

    public T Choice<T>(string key, T fallback, bool required = false) where T : struct, Enum =>
        Find(key, required) is { } node && OneOf(node, PathOf(key), CamelCase.Choices(typeof(T)), errors) is { } word ? Enum.Parse<T>(word, ignoreCase: true) : fallback;

    /// <returns>Null if it is none of them, which is reported.</returns>
    public static string? OneOf(YamlNode node, string path, IReadOnlyList<string> choices, FileErrors errors)
    {
        if (node is YamlScalar scalar && choices.Contains(scalar.Value))
        {
            return scalar.Value;
        }

        var guess = node is YamlScalar { IsNull: false } word ? Suggestion.For(word.Value, choices) : "";
        errors.AtValue(path, $"is {node.Description}.", $"{guess}Write one of: {string.Join(", ", choices)}.");
        return null;
    }

    /// <summary>A list of words, or a single word.</summary>
    public IReadOnlyList<string> TextList(string key, bool required = false)
    {
        switch (Find(key, required))
        {
            case null:
                return [];
            case YamlScalar { IsNull: false } one when one.Value.Length > 0:
                return [one.Value];
            case YamlSequence { Items.Count: > 0 } list:
                return [.. list.Items.Select((item, index) => Word(item, $"{PathOf(key)}[{index}]")).OfType<string>()];
            case var other:
                errors.AtValue(
                    PathOf(key),
                    other is YamlSequence ? "is an empty list." : $"is {other.Description} and must be a list.",
                    "Write at least one name, for example [name].");
                return [];
        }
    }

    /// <summary>Text that must not have placeholders, which would never be filled.</summary>
    /// <param name="remedy">What to write instead of a placeholder.</param>
    public IReadOnlyList<string> PlainWords(string key, string remedy, bool required = false)
    {
        var words = TextList(key, required);
        for (var index = 0; index < words.Count; index++)
        {
            RefusePlaceholder(words.Count > 1 ? $"{key}[{index}]" : key, words[index], remedy);
        }

        return words;
    }

    public void RefusePlaceholder(string key, string text, string remedy)
    {
        if (Template.HasPlaceholder(text))
        {
            errors.AtValue(PathOf(key), "holds a placeholder, and none is filled in here but {{ settings.NAME }}.", remedy);
        }
    }

    /// <summary>Reports every key that was not asked for. Call it last.</summary>
    public void RejectOthers()
    {
        foreach (var entry in mapping.Entries.Where(entry => !_asked.Contains(entry.Key)))
        {
            errors.AtKey(
                PathOf(entry.Key),
                "is not a known key.",
                $"{(errors.HomeOf(entry.Key) is { } home ? $"{home} " : Suggestion.For(entry.Key, _asked))}The keys here are: {string.Join(", ", _asked)}.");
        }
    }

    private YamlNode? Find(string key, bool required = false)
    {
        if (!_asked.Contains(key))
        {
            _asked.Add(key);
        }

        var node = mapping.Entries.FirstOrDefault(entry => entry.Key == key)?.Value;
        if (node is null && required)
        {
            errors.AtKey(PathOf(key), "is missing.", $"Add '{key}:'.");
        }

        return node;
    }

    private string? Word(YamlNode node, string at, int longest = LongestWord, bool mayBeEmpty = false)
    {
        switch (node)
        {
            case YamlScalar { IsNull: false } scalar when scalar.Value.Length <= longest && (mayBeEmpty || scalar.Value.Length > 0):
                return scalar.Value;
            case YamlScalar { IsNull: false, Value.Length: > 0 }:
                errors.AtValue(at, $"is longer than {longest} characters.", "Shorten it.");
                return null;
            default:
                errors.NoText(at, node, "Write a text.");
                return null;
        }
    }

    /// <inheritdoc cref="Text"/>
    public IReadOnlyDictionary<string, string> TextMap(string key, int longest = LongestWord, bool mayBeEmpty = false) => Find(key) switch
    {
        null => new Dictionary<string, string>(),
        YamlMapping found =>
            found.Entries.ToDictionary(
                entry => entry.Key, entry => Word(entry.Value, $"{PathOf(key)}.{entry.Key}", longest, mayBeEmpty) ?? ""),
        var other =>
            Wrong<IReadOnlyDictionary<string, string>>(key, other, "a mapping of names to texts", new Dictionary<string, string>()),
    };

    public YamlSection? Sub(string key, bool required = false) =>
        Free(key, required) is { } found ? new(found, PathOf(key), errors) : null;

    public IReadOnlyList<YamlSection> Items(string key, bool required = false) => Find(key, required) switch
    {
        null => [],
        YamlSequence { Items.Count: > 0 } list =>
            [.. list.Items.Select((item, index) => Item(item, $"{PathOf(key)}[{index}]")).OfType<YamlSection>()],
        var other => Wrong<IReadOnlyList<YamlSection>>(key, other, "a list with at least one item", []),
    };

    public IReadOnlyList<(string Name, YamlSection Section)> Named(string key, bool required = false) => Find(key, required) switch
    {
        null => [],
        YamlMapping { Entries.Count: > 0 } found =>
            [
                .. found.Entries
                    .Select(entry => (entry.Key, Item(entry.Value, $"{PathOf(key)}.{entry.Key}")))
                    .Where(pair => pair.Item2 is not null)
                    .Select(pair => (pair.Key, pair.Item2!)),
            ],
        var other => Wrong<IReadOnlyList<(string, YamlSection)>>(key, other, "a mapping with at least one name", []),
    };

    /// <summary>Null if there is none.</summary>
    public YamlMapping? Free(string key, bool required = false) => Find(key, required) switch
    {
        null => null,
        YamlMapping found => found,
        var other => Wrong<YamlMapping?>(key, other, "a mapping", null),
    };

    private YamlSection? Item(YamlNode node, string at)
    {
        if (node is YamlMapping found)
        {
            return new(found, at, errors);
        }

        errors.AtValue(at, $"is {node.Description} and must be a mapping.", "Write 'key: value' lines below it, or indent it like what it belongs to.");
        return null;
    }

    private T Wrong<T>(string key, YamlNode node, string expected, T fallback)
    {
        var isEmpty = node is YamlSequence or YamlMapping && expected.StartsWith(node.Description, StringComparison.Ordinal);
        errors.AtValue(
            PathOf(key), $"is {(isEmpty ? "empty" : node.Description)} and must be {expected}.", $"See {errors.Page} for an example.");
        return fallback;
    }
}
