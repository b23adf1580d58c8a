using System.Text.RegularExpressions;
using TestKit;

namespace Infra.Tests;

/// <summary>The comments at properties, as one line of Markdown.</summary>
static partial class SourceComments
{
    private static readonly Lazy<IReadOnlyList<string>> _files = new(() =>
        [.. Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText)]);

    public static string At(string type, string property) => Of(Source(type), property);

    /// <summary>The summary above the property: the comment lines, then attributes, then its name.</summary>
    private static string Of(string source, string property)
    {
        var lines = source.Split('\n').Select(line => line.Trim()).ToList();
        var at = lines.FindIndex(line => line.StartsWith("public ", StringComparison.Ordinal) && line.Contains($" {property} {{", StringComparison.Ordinal));
        var above = lines.Take(Math.Max(at, 0)).Reverse().SkipWhile(line => line.StartsWith('[')).TakeWhile(line => line.StartsWith("///", StringComparison.Ordinal)).Reverse();
        var text = string.Join(' ', above.Select(line => line[3..].Trim()));
        text = Code().Replace(text, "`$1`");
        text = Reference().Replace(text, "`$1`");
        return Tag().Replace(text, "").Replace("|", "\\|", StringComparison.Ordinal).Trim();
    }

    private static string Source(string type) =>
        _files.Value.Select(text => (Text: text, At: Declared(type).Match(text))).FirstOrDefault(found => found.At.Success) is { Text: { } text } found
            ? text[found.At.Index..]
            : "";

    private static Regex Declared(string type) => new($@" (class|record|struct) {Regex.Escape(type)}\b");

    [GeneratedRegex("<c>([^<]*)</c>", RegexOptions.NonBacktracking)]
    private static partial Regex Code();

    [GeneratedRegex("<see cref=\"([^\"]*)\" ?/>", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();

    [GeneratedRegex("<[^>]*>", RegexOptions.NonBacktracking)]
    private static partial Regex Tag();
}
