namespace Runbooks.Storage;

/// <summary>A file and those that belong to it, as one text: they are one version.</summary>
internal static class FilePack
{
    /// <summary>No YAML holds it.</summary>
    private const char NextFile = '\u001E';

    public static string Pack(string text, IEnumerable<KeyValuePair<string, string>> beside) => text + string.Concat(beside
        .OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{NextFile}{file.Key}\n{file.Value.Replace(NextFile, ' ')}"));

    public static (string Text, Dictionary<string, string> Beside) Unpack(string kept)
    {
        var parts = kept.Split(NextFile);
        return (parts[0], parts.Skip(1).Select(part => part.Split('\n', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal));
    }
}
