using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Azure.Banner;

public sealed record PublishBannerParameters
{
    [Required, RegularExpression(@"^[^\p{C}]{1,300}$")]
    [Description("What users read: one line, at most 300 characters.")]
    public required string Message { get; init; }

    [Description("How urgent it looks.")]
    public BannerSeverity Severity { get; init; } = BannerSeverity.Warning;

    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$")]
    [Description("The key that the web page reads.")]
    public string Key { get; init; } = "banner";

    [MaxLength(100)]
    [Description("The label of the key; none when left out.")]
    public string? Label { get; init; }

    [MaxLength(100)]
    [Description("The configured App Configuration store; the default one when left out.")]
    public string? Store { get; init; }

    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    [Description("The JSON blob, in the container of Banner:Container, that a static web page reads; Banner:Blob when left out.")]
    public string? Blob { get; init; }
}

public enum BannerSeverity { Info, Warning, Critical }
