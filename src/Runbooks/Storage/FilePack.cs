namespace Runbooks.Storage;

/// <summary>A file and those that belong to it, as one text: they are one version.</summary>
internal static class FilePack
{
    private const char NextFile = '\u001E';

    public static string Pack(string text, IEnumerable<KeyValuePair<string, string>> beside) => Plain(text) + string.Concat(beside
        .OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{NextFile}{Plain(file.Key).Replace('\n', ' ')}\n{Plain(file.Value)}"));

    public static (string Text, Dictionary<string, string> Beside) Unpack(string kept)
    {
        var parts = kept.Split(NextFile);
        var beside = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1).Select(part => part.Split('\n', 2)).Where(part => part.Length == 2))
        {
            beside[part[0]] = part[1];
        }

        return (parts[0], beside);
    }

    /// <summary>A comment may hold any character: one that holds the separator must not become a file of its own.</summary>
    private static string Plain(string text) => text.Replace(NextFile, ' ');
}
