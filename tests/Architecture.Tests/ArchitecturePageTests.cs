using System.Text.RegularExpressions;
using TestKit;

namespace Architecture.Tests;

/// <summary>The page that newcomers read first names what is there, and leaves no folder out.</summary>
public sealed partial class ArchitecturePageTests
{
    private static readonly string[] s_rows =
        [.. File.ReadLines(RepositoryRoot.Of("docs", "architecture.md")).TakeWhile(line => line != "## Packages").Where(line => Row().IsMatch(line))];

    private static readonly Dictionary<string, string> s_files = Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*.*", SearchOption.AllDirectories)
        .Where(file => Path.GetExtension(file) is ".cs" or ".razor")
        .Select(file => Path.GetRelativePath(RepositoryRoot.Of("src"), file).Replace('\\', '/')).Where(file => !Built().IsMatch(file))
        .ToDictionary(file => file, file => File.ReadAllText(RepositoryRoot.Of("src", file)));

    [Fact]
    public void EveryPlaceThatIsNamed_IsThere()
    {
        var places = s_files.Keys.SelectMany(Folders).Concat(s_files.SelectMany(file => Names(file.Key, file.Value))).Select(place => $"/{place}").ToHashSet(StringComparer.Ordinal);

        var named = s_rows.SelectMany(row => Place().Matches(row)).Select(match => match.Groups[1].Value.TrimEnd('/')).Distinct().ToList();

        named.Count.ShouldBeGreaterThan(100);
        named.Where(name => !places.Any(place => place.EndsWith($"/{name}", StringComparison.Ordinal)) && !IsMember(name)).ShouldBeEmpty();
    }

    [Fact]
    public void EveryFolderOfAProject_IsInTheTree()
    {
        var folders = s_files.Keys.Select(file => file.Split('/')).Where(parts => parts.Length > 2).Select(parts => (Project: parts[0], Folder: parts[1])).Distinct();

        folders.Where(one => !s_rows.Any(row => row.StartsWith($"| `{one.Project}` |", StringComparison.Ordinal) && row.Contains($"`{one.Folder}/`", StringComparison.Ordinal)))
            .Select(one => $"{one.Project}/{one.Folder}").ShouldBeEmpty();
    }

    private static IEnumerable<string> Folders(string file) =>
        Enumerable.Range(1, file.Count(character => character == '/')).Select(depth => string.Join('/', file.Split('/').Take(depth)));

    /// <summary>The file, and each type in it, by the folder or by the file.</summary>
    private static IEnumerable<string> Names(string file, string text)
    {
        var whole = file[..file.LastIndexOf('.')];
        return Type().Matches(text).Select(type => type.Groups[1].Value).SelectMany(type => (string[])[$"{Path.GetDirectoryName(file)!.Replace('\\', '/')}/{type}", $"{whole}/{type}"]).Append(whole);
    }

    /// <summary><c>Type.Member</c>, where a file declares the type and says the member.</summary>
    private static bool IsMember(string name) =>
        name.Split('.') is [var type, var member] && s_files.Values.Any(text => Type().Matches(text).Any(one => one.Groups[1].Value == type) && text.Contains($" {member}", StringComparison.Ordinal));

    [GeneratedRegex(@"^(\| |\d+\. )", RegexOptions.NonBacktracking)]
    private static partial Regex Row();

    [GeneratedRegex("/(obj|bin)/", RegexOptions.NonBacktracking)]
    private static partial Regex Built();

    [GeneratedRegex(@"`([A-Z]\w*[a-z]\w*([./][A-Z]\w*)*/?)`", RegexOptions.NonBacktracking)]
    private static partial Regex Place();

    [GeneratedRegex(@"(?:class|record|struct|interface|enum) (\w+)", RegexOptions.NonBacktracking)]
    private static partial Regex Type();
}
