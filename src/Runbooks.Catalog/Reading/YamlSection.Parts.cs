namespace Runbooks.Catalog.Reading;

/// <summary>Values that are mappings, or lists of them.</summary>
internal sealed partial class YamlSection
{
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

    public YamlSection? Sub(string key, bool required = false) => Find(key, required) switch
    {
        null => null,
        YamlMapping found => new(found, PathOf(key), errors),
        var other => Wrong<YamlSection?>(key, other, "a mapping", null),
    };

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
    public YamlMapping? Free(string key) => Find(key) switch
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

        errors.AtValue(at, $"is {node.Description} and must be a mapping.", "Write 'key: value' lines, indented.");
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
