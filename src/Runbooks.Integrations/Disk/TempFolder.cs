using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Disk;

/// <summary>An absolute path that needs no quoting in a shell and cannot climb: letters, digits, and <c>/ . _ -</c>.</summary>
public sealed class TempFolderAttribute : ParameterRuleAttribute
{
    public override string Words => "an absolute path of letters, digits, and / . _ -, without '..'";

    protected override bool Accepts(string value) => TempFolder.IsPath(value);
}

internal static class TempFolder
{
    public static bool IsPath(string path) =>
        path.Length is > 1 and <= 200 && path[0] == '/' && path[^1] != '/'
        && path[1..].Split('/').All(part => part.Length > 0 && part is not ("." or "..") && part[0] != '-')
        && path.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '.' or '_' or '-');

    /// <returns>Why files must not be deleted there; null when they may.</returns>
    public static string? Refusal(string folder, TimeSpan olderThan, DiskOptions options) =>
        !options.Folders.Any(allowed => folder == allowed || folder.StartsWith(allowed + "/", StringComparison.Ordinal))
            ? $"{folder} is not among the folders in which files may be deleted: {string.Join(", ", options.Folders)}. Add it to {DiskOptions.SectionName}:AllowedFolders if it is meant."
            : olderThan < options.YoungestAge
                ? $"Files younger than {options.YoungestAge} are never deleted ({DiskOptions.SectionName}:YoungestAge)."
                : null;
}
