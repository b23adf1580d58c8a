using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// An alert as a resource of Microsoft.AlertsManagement: the body in which Application Insights' failure anomalies reach a
/// webhook, https://learn.microsoft.com/azure/azure-monitor/alerts/proactive-failure-diagnostics.
/// </summary>
internal static class AlertResource
{
    public static bool Is(Payload post) => post["properties"]["essentials"].IsObject;

    public static Alert? Read(string source, Payload post, string path, PostReport report)
    {
        var essentials = post["properties"]["essentials"];
        var rule = essentials["alertRule"].Line(AlertLimits.Resource);
        if ((post["name"].Line(AlertLimits.Name) ?? rule?[(rule.LastIndexOf('/') + 1)..]) is not { Length: > 0 and <= AlertLimits.Name } name)
        {
            report.Lose(new($"{path}.name", post["name"].Found, "give the name of the alert rule"));
            return null;
        }

        var context = post["properties"]["context"];
        var target = essentials["targetResource"].Line(AlertLimits.Resource + 1) is { Length: <= AlertLimits.Resource } text ? text : null;
        var id = ResourceId.Parse(target);
        var labels = LabelSet.ForLabels()
            .Add("resourceName", id?.Name).Add("resourceType", id?.Type).Add("resourceGroup", id?.Group).Add("subscription", id?.Subscription)
            .Add("resourceName", essentials["targetResourceName"])
            .Add("resourceType", essentials["targetResourceType"])
            .Add("resourceGroup", essentials["targetResourceGroup"])
            .Add("monitoringService", essentials["monitorService"]);
        var annotations = LabelSet.ForAnnotations();
        foreach (var (field, value) in context.Pairs().Take(AlertLimits.Annotations).Where(pair => pair.Name.Length > 0))
        {
            annotations.Add(char.ToLowerInvariant(field[0]) + field[1..], value);
        }

        return new()
        {
            Source = source,
            Name = name,
            Status = AlertText.Status(essentials["monitorCondition"], $"{path}.properties.essentials.monitorCondition", report),
            Fingerprint = post["id"].Fingerprint() ?? essentials["sourceCreatedId"].Fingerprint() ?? AlertFingerprint.OfLabels(name, labels.Values),
            Severity = essentials["severity"].Line(AlertLimits.Severity),
            Summary = context["DetectionSummary"].Line(AlertLimits.Summary) ?? essentials["description"].Line(AlertLimits.Summary),
            Labels = labels.Values,
            Annotations = annotations.Values,
            StartsAt = essentials["startDateTime"].Time(),
            EndsAt = essentials["monitorConditionResolvedDateTime"].Time(),
            Link = Essentials.PortalLink(post["id"].Line(AlertLimits.Resource)),
            Resources = target is null ? [] : [target],
        };
    }
}
