using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Azure.AppConfiguration;

public sealed record SetFlagParameters
{
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    [Description("The feature flag.")]
    public required string Flag { get; init; }

    [Description("Whether to switch it on or off.")]
    public bool Enabled { get; init; } = true;

    [MaxLength(100)]
    [Description("The label of the flag; none when left out.")]
    public string? Label { get; init; }

    [MaxLength(100)]
    [Description("The configured App Configuration store; the default one when left out.")]
    public string? Store { get; init; }
}
