using Runbooks.Catalog.Parameters;

namespace Runbooks.Storage;

/// <summary>The folders of teams below a folder of runbooks: those that have a <c>team.yaml</c>.</summary>
public static class TeamFolders
{
    /// <summary>
    /// Used in place of a team's file that is a link to outside the folder of runbooks. Errors quote parts of a file, so somebody who may write
    /// in the folder could otherwise read the host's own files. The text is an error wherever it is read.
    /// </summary>
    public const string TextOfLinkOutside = "# A link that leads out of the folder of runbooks is not read.";

    /// <summary>
    /// Used in place of a team's file that cannot be opened: a link to nothing, or one without the right to read it. It is an error of this
    /// team, and the files of the others are read.
    /// </summary>
    public const string TextOfUnreadable = "# This file cannot be opened, so it is not read.";

    public static bool IsOutside(string team, FileInfo file) =>
        new DirectoryInfo(Path.TrimEndingDirectorySeparator(team)).Parent is not { } root
        || !SampleFolder.IsWithin(SampleFolder.Real(root), file);

    /// <returns>By name, without folders that a link brings in from elsewhere.</returns>
    public static IReadOnlyList<DirectoryInfo> Of(string folder)
    {
        var root = SampleFolder.Real(new DirectoryInfo(folder));
        return [.. new DirectoryInfo(root)
            .EnumerateDirectories()
            .Where(team => SampleFolder.IsWithin(root, team) && FileOf(team) is not null)
            .OrderBy(team => team.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// The <c>team.yaml</c>, in any case of letters: a wrong case is an error and must not be ignored. Null for a folder that is no team's
    /// or cannot be read.
    /// </summary>
    public static FileInfo? FileOf(DirectoryInfo team)
    {
        try
        {
            if (!team.Exists)
            {
                return null;
            }

            return team.EnumerateFiles()
                .Where(file => string.Equals(file.Name, TeamFile.FileName, StringComparison.OrdinalIgnoreCase))
                .MinBy(file => file.Name, StringComparer.Ordinal);
        }
        catch (UnauthorizedAccessException)
        {
            // Such as lost+found, where the folder is a mounted disk.
            return null;
        }
    }
}

/// <summary>Reads the text files beside runbooks in a folder, see <see cref="SampleFileAttribute"/>.</summary>
public static class SampleFolder
{
    /// <summary>The first ones by name; others are ignored.</summary>
    public const int MostFiles = 100;

    /// <summary>On the way to one file, the limit of operating systems.</summary>
    private const int MostLinks = 40;

    private static readonly EnumerationOptions s_readable = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None };

    /// <returns>
    /// By path from the folder, without files that a link brings in from elsewhere or that cannot be opened. One character more than allowed shows that a file is too
    /// long.
    /// </returns>
    public static IReadOnlyDictionary<string, string> Read(string folder)
    {
        var root = Real(new DirectoryInfo(folder));
        var here = new DirectoryInfo(root).EnumerateFiles("*.txt").Select(file => (file.Name, File: file));
        var deeper = new DirectoryInfo(Path.Combine(root, SampleFileAttribute.Folder));
        var below = deeper.Exists && IsWithin(root, deeper)
            ? deeper.EnumerateFiles("*.txt", s_readable).Select(file => (Name: $"{SampleFileAttribute.Folder}/{file.Name}", File: file))
            : [];
        return here.Concat(below)
            .Where(file => IsWithin(root, file.File))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => (file.Name, Text: Text(file.File)))
            .Where(file => file.Text is not null)
            .Take(MostFiles)
            .ToDictionary(file => file.Name, file => file.Text!, StringComparer.Ordinal);
    }

    /// <summary>Whether a published file is one, by its name: <c>ordinary.txt</c>, <c>samples/ordinary.txt</c>.</summary>
    public static bool IsSample(string name) =>
        name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)
        && name.Split('/') is [_] or [SampleFileAttribute.Folder, _];

    internal static bool IsWithin(string root, FileSystemInfo entry) =>
        Real(entry).StartsWith($"{root}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    /// <summary>The path after following every link on the way, also those of folders.</summary>
    /// <returns>Empty for links that form a circle.</returns>
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

        static string[] Parts(string path) => path[Path.GetPathRoot(path)!.Length..]
            .Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A pipe has no length either, and opening one would wait until somebody writes into it.</summary>
    public static bool IsEmpty(FileSystemInfo entry) => new FileInfo(Real(entry)).Length == 0;

    /// <returns>Null for one that cannot be opened: a runbook that names it has an error then.</returns>
    private static string? Text(FileInfo file)
    {
        try
        {
            if (IsEmpty(file))
            {
                return "";
            }

            using var reader = file.OpenText();
            var text = new char[SampleFileAttribute.MaxCharacters + 1];
            return new string(text, 0, reader.ReadBlock(text));
        }
        catch (Exception unreadable) when (unreadable is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
