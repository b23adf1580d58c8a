namespace Runbooks.Catalog.Reading;

/// <summary>
/// Settings of one host (<c>{{ settings.cluster }}</c>), so that a runbook for several clusters need not be copied. Filled in when the file
/// is read, so they belong to the runbook's version.
/// </summary>
public sealed partial class HostSettings(IEnumerable<KeyValuePair<string, string>> values)
{
    public static readonly HostSettings None = new([]);

    /// <summary>Not every system distinguishes case in names of environment variables.</summary>
    private readonly SortedDictionary<string, string> _values = new(values.ToDictionary(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase);

    /// <param name="report">Receives position, problem and remedy for each missing setting.</param>
    internal YamlNode FillIn(YamlNode node, Action<Position, string, string> report, ISet<string> used) => node switch
    {
        YamlScalar { Value: var text } scalar when Placeholder().IsMatch(text) => scalar with
        {
            Value = Placeholder().Replace(text, match => ValueOf(match.Groups["name"].Value, scalar.At, report, used)),
        },
        YamlSequence list => list with { Items = [.. list.Items.Select(item => FillIn(item, report, used))] },
        YamlMapping mapping =>
            mapping with { Entries = [.. mapping.Entries.Select(entry => entry with { Value = FillIn(entry.Value, report, used) })] },
        _ => node,
    };

    private string ValueOf(string name, Position at, Action<Position, string, string> report, ISet<string> used)
    {
        if (!_values.TryGetValue(name, out var value))
        {
            report(at, $"It reads settings.{Clip.To(name, 80)}, which this host does not set.",
                $"{Suggestion.For(name, _values.Keys)}Set Runbooks:Settings:{Clip.To(name, 80)} on the host, or try it with --setting "
                + $"{Clip.To(name, 80)}=VALUE.");
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
