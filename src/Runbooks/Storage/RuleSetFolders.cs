using Runbooks.Catalog.Parameters;

namespace Runbooks.Storage;

/// <summary>The folders of teams below a folder of runbooks: those that have a <c>team.yaml</c>.</summary>
public static class TeamFolders
{
    /// <summary>
    /// Stands in place of a file of a team that is a link out of the folder of runbooks: whoever may write there must not have
    /// the host read its own files, since errors quote parts of them. It is an error wherever it is read, and not overlooked.
    /// </summary>
    public const string TextOfLinkOutside = "# A link that leads out of the folder of runbooks is not read.";

    /// <param name="team">The team's folder.</param>
    public static bool IsOutside(string team, FileInfo file) =>
        new DirectoryInfo(Path.TrimEndingDirectorySeparator(team)).Parent is not { } root || !SampleFolder.IsWithin(SampleFolder.Real(root), file);

    /// <returns>By name. What a link brings in from elsewhere is none of it.</returns>
    public static IReadOnlyList<DirectoryInfo> Of(string folder)
    {
        var root = SampleFolder.Real(new DirectoryInfo(folder));
        return [.. new DirectoryInfo(root).EnumerateDirectories().Where(team => SampleFolder.IsWithin(root, team) && FileOf(team) is not null).OrderBy(team => team.Name, StringComparer.Ordinal)];
    }

    /// <summary>Its <c>team.yaml</c>, also one that is written otherwise: that is an error, and not overlooked. Null for a folder that is no team's, or cannot be read.</summary>
    public static FileInfo? FileOf(DirectoryInfo team)
    {
        try
        {
            return team.Exists ? team.EnumerateFiles().Where(file => string.Equals(file.Name, TeamFile.FileName, StringComparison.OrdinalIgnoreCase)).MinBy(file => file.Name, StringComparer.Ordinal) : null;
        }
        catch (UnauthorizedAccessException)
        {
            // Such as lost+found, where the folder is a disk of its own.
            return null;
        }
    }
}

/// <summary>Reads the text files that stand beside runbooks in a folder, see <see cref="SampleFileAttribute"/>.</summary>
public static class SampleFolder
{
    /// <summary>The first by name; others are left alone.</summary>
    public const int MostFiles = 100;

    /// <summary>On the way to one file, as systems have it.</summary>
    private const int MostLinks = 40;

    /// <returns>By their path from the folder. What a link brings in from elsewhere is none of it; of a file that is too long, enough to see that.</returns>
    public static IReadOnlyDictionary<string, string> Read(string folder)
    {
        var root = Real(new DirectoryInfo(folder));
        var files = new DirectoryInfo(root).EnumerateFiles("*.txt").Select(file => (file.Name, File: file))
            .Concat(new DirectoryInfo(Path.Combine(root, SampleFileAttribute.Folder)) is { Exists: true } deeper && IsWithin(root, deeper)
                ? deeper.EnumerateFiles("*.txt").Select(file => (Name: $"{SampleFileAttribute.Folder}/{file.Name}", File: file))
                : []);
        return files.Where(file => IsWithin(root, file.File)).OrderBy(file => file.Name, StringComparer.Ordinal).Take(MostFiles).ToDictionary(file => file.Name, file => Text(file.File.FullName), StringComparer.Ordinal);
    }

    /// <summary>Whether a name in a container of published files is one: <c>ordinary.txt</c>, <c>samples/ordinary.txt</c>.</summary>
    public static bool IsSample(string name) =>
        name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
        && name.Split('/') is [_] or [SampleFileAttribute.Folder, _];

    internal static bool IsWithin(string root, FileSystemInfo entry) => Real(entry).StartsWith($"{root}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    /// <summary>Where it is when every link on the way is followed, those of folders too.</summary>
    /// <returns>Empty for links that lead round in a circle.</returns>
    internal static string Real(FileSystemInfo entry)
    {
        var path = Path.GetPathRoot(entry.FullName)!;
        var parts = new Stack<string>(Parts(entry.FullName).Reverse());
        for (var links = 0; parts.TryPop(out var part);)
        {
            var next = Path.Combine(path, part);
            if (part is "." or "..")
            {
                path = part == "." ? path : Path.GetDirectoryName(path) ?? path;
            }
            else if (new FileInfo(next).LinkTarget is not { } target)
            {
                path = next;
            }
            else if (links++ == MostLinks)
            {
                return "";
            }
            else
            {
                path = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : path;
                foreach (var step in Parts(target).Reverse())
                {
                    parts.Push(step);
                }
            }
        }

        return path;

        static string[] Parts(string path) => path[Path.GetPathRoot(path)!.Length..].Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Text(string path)
    {
        using var reader = new StreamReader(path);
        var text = new char[SampleFileAttribute.MaxCharacters + 1];
        return new string(text, 0, reader.ReadBlock(text));
    }
}
