using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Azure.Routing;

/// <summary>What every reroute is told.</summary>
public abstract record RerouteParameters
{
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9 ._-]{0,259}$")]
    [Description("Whose traffic is taken away.")]
    public required string From { get; init; }

    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9 ._-]{0,259}$")]
    [Description("Who has to be enabled and healthy to take it over; any of the others when left out.")]
    public string? To { get; init; }

    [Range(1, 1000)]
    [Description("Leave it this weight instead of disabling it, where traffic is spread by weight.")]
    public int? Weight { get; init; }
}
