using Runbooks.Catalog.Parameters;

namespace Runbooks.Storage;

/// <summary>Reads the text files that stand beside runbooks in a folder, see <see cref="SampleFileAttribute"/>.</summary>
public static class SampleFolder
{
    /// <summary>The first by name; others are left alone.</summary>
    public const int MostFiles = 100;

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

    internal static string Real(FileSystemInfo entry) => Path.TrimEndingDirectorySeparator((entry.ResolveLinkTarget(returnFinalTarget: true) ?? entry).FullName);

    private static string Text(string path)
    {
        using var reader = new StreamReader(path);
        var text = new char[SampleFileAttribute.MaxCharacters + 1];
        return new string(text, 0, reader.ReadBlock(text));
    }
}
