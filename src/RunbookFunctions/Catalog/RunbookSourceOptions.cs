using System.ComponentModel.DataAnnotations;

namespace RunbookFunctions.Catalog;

/// <summary>Where runbooks come from.</summary>
internal sealed class RunbookSourceOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>The blob container with the published runbooks; empty: those that are packaged with the app.</summary>
    public string? RunbooksContainer { get; set; }

    /// <summary>A folder in place of the packaged one, for development.</summary>
    public string? RunbooksFolder { get; set; }

    /// <summary>How often it is looked at whether something was published.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromSeconds(30);
}
