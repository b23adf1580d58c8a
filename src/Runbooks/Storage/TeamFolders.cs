using Runbooks.Catalog;

namespace Runbooks.Storage;

/// <summary>The folders of teams below a folder of runbooks: those that have a <c>team.yaml</c>.</summary>
public static class TeamFolders
{
    /// <summary>
    /// Stands in place of a file of a team that is a link out of the folder of runbooks: whoever may write there must not have
    /// the host read its own files, parts of which errors show. It is an error wherever it is read, and not overlooked.
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
