using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Disk;

/// <summary>Section <c>Disk</c>.</summary>
public sealed class DiskOptions : IValidatableObject
{
    public const string SectionName = "Disk";

    /// <summary>Folders, with all that is below them, in which old files may be deleted. Nothing is deleted elsewhere.</summary>
    public IList<string> AllowedFolders { get; } = [];

    /// <summary>No file that is younger is ever deleted, whatever a runbook says.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "365.00:00:00")]
    public TimeSpan YoungestAge { get; set; } = TimeSpan.FromHours(1);

    internal IReadOnlyList<string> Folders => AllowedFolders.Count > 0 ? [.. AllowedFolders] : ["/tmp", "/var/tmp"];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => AllowedFolders
        .Where(folder => !TempFolder.IsPath(folder))
        .Select(folder => new ValidationResult($"{SectionName}:AllowedFolders holds '{folder}': it must be an absolute path of letters, digits, and / . _ -, and not the root."));
}
