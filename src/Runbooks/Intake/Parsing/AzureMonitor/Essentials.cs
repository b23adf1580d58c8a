using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>The part that all Azure Monitor alerts share. Cost alerts leave most of it null.</summary>
internal sealed class Essentials(Payload essentials, AzureFacts facts)
{
    public string? Name =>
        RuleName()
        ?? facts.Name
        ?? ResourceId.Parse(essentials["alertRuleId"].Line(AlertLimits.Resource))?.Name
        ?? essentials["monitoringService"].Line(AlertLimits.Name);

    /// <summary>
    /// Only <c>monitorCondition</c> says it. Service Health can write "status: Resolved" in an alert that is Fired: taking
    /// that for an all-clear could lose an alert, so it becomes a label that a trigger may ask for.
    /// </summary>
    public AlertStatus Status =>
        "Resolved".Equals(essentials["monitorCondition"].Line(AlertLimits.Name), StringComparison.OrdinalIgnoreCase)
            ? AlertStatus.Resolved
            : AlertStatus.Firing;

    public string? Fingerprint => essentials["alertId"].Fingerprint() ?? essentials["originAlertId"].Fingerprint();

    public string? Severity => essentials["severity"].Line(AlertLimits.Severity) is not { } text ? null
        : text is [>= '0' and <= '4'] ? $"Sev{text}"
        : text;

    public string? Summary => facts.Summary ?? essentials["description"].Line(AlertLimits.Summary) ?? facts.Fallback;

    public DateTimeOffset? StartsAt => essentials["firedDateTime"].Time();

    public DateTimeOffset? EndsAt => essentials["resolvedDateTime"].Time();

    public string? Link => essentials["investigationLink"].Link() ?? facts.Link ?? PortalLink();

    public IReadOnlyList<string> Resources => Derived.Targets(essentials) is { Count: > 0 } targets ? targets
        : facts.Scope is { } scope ? [scope]
        : [];

    /// <summary>Rules of a Prometheus group are called "group/alertname" here: the name that authors know is the second.</summary>
    private string? RuleName() =>
        essentials["alertRule"].Line(AlertLimits.Name) is not { } rule ? null
        : facts.Name is { } name && rule.EndsWith($"/{name}", StringComparison.OrdinalIgnoreCase) ? name
        : rule;

    private string? PortalLink() =>
        essentials["alertId"].Line(AlertLimits.Resource) is { } id && id.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase)
            ? AlertLink.Clean($"https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/{Uri.EscapeDataString(id)}")
            : null;
}
