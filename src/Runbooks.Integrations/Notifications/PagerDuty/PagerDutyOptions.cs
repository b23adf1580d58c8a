using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Notifications.PagerDuty;

public sealed class PagerDutyOptions
{
    public const string SectionName = "PagerDuty";

    /// <summary>An integration key that contacts may refer to as <c>${PagerDuty:RoutingKey}</c>; a secret.</summary>
    public string? RoutingKey { get; set; }

    /// <summary>Where events go.</summary>
    [Required, Url]
    public string EventsUrl { get; set; } = "https://events.pagerduty.com";
}
