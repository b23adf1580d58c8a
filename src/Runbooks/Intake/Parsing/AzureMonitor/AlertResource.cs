namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// An alert as a resource of Microsoft.AlertsManagement: the body in which Application Insights' failure anomalies reach a
/// webhook, https://learn.microsoft.com/azure/azure-monitor/alerts/proactive-failure-diagnostics.
/// </summary>
internal static class AlertResource
{
    public static bool Is(Payload post) => post["properties"]["essentials"].IsObject;

    public static Alert? Read(Payload post, string path, PostReport report)
    {
        var essentials = post["properties"]["essentials"];
        var rule = essentials["alertRule"].Line(AlertLimits.Resource);
        var given = post["name"].Line(AlertLimits.Name) ?? rule?[(rule.LastIndexOf('/') + 1)..];
        if (given is not { Length: > 0 and <= AlertLimits.Name } name)
        {
            report.Lose(new($"{path}.name", post["name"].Found, "give the name of the alert rule"));
            return null;
        }

        var context = post["properties"]["context"];
        var resource = essentials["targetResource"].Line(AlertLimits.Resource + 1);
        var target = resource is { Length: <= AlertLimits.Resource } ? resource : null;
        var labels = DerivedLabels.AddTo(LabelSet.ForLabels(), ResourceId.Parse(target) is { } id ? [id] : [])
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
            Source = AlertSource.AzureMonitor,
            Name = name,
            Status = AlertText.Status(essentials["monitorCondition"], $"{path}.properties.essentials.monitorCondition", report),
            Fingerprint = post["id"].Fingerprint()
                ?? essentials["sourceCreatedId"].Fingerprint()
                ?? AlertFingerprint.OfLabels(name, labels.Values),
            Severity = essentials["severity"].Line(AlertLimits.Severity),
            Summary = context["DetectionSummary"].Line(AlertLimits.Summary)
                ?? essentials["description"].Line(AlertLimits.Summary),
            Labels = labels.Values,
            Annotations = annotations.Values,
            StartsAt = essentials["startDateTime"].Time(),
            EndsAt = essentials["monitorConditionResolvedDateTime"].Time(),
            Link = Essentials.PortalLink(post["id"].Line(AlertLimits.Resource)),
            Resources = target is null ? [] : [target],
        };
    }
}

/// <summary>Bodies of Azure that are not the common alert schema.</summary>
internal static class OtherSchema
{
    private const string SwitchOn =
        "switch on the common alert schema for this receiver of the action group "
        + "(portal: Monitor, Alerts, Action groups, the receiver, Enable the common alert schema)";

    public static AlertError Explain(Payload post, string path)
    {
        var schema = post["schemaId"];
        foreach (var field in (string[])["data", "body"])
        {
            if (post[field] is { IsString: true } text
                && text.Line(AlertLimits.LabelValue)?.Contains("\"essentials\"", StringComparison.Ordinal) == true)
            {
                return new($"{path}.{field}", "the alert as a text", "post the JSON itself and not as a text");
            }
        }

        if (!schema.IsMissing && schema.Line(AlertLimits.Name) != "azureMonitorCommonAlertSchema")
        {
            return new($"{path}.schemaId", schema.Found, SwitchOn);
        }

        // The next two are not sent through action groups, so there is no schema to switch on.
        if (!post["operation"].IsMissing && post["context"].IsObject)
        {
            return new(
                $"{path}.operation",
                post["operation"].Found,
                "this is a notification of an autoscale setting, which knows no common alert schema; "
                    + "write an activity log alert on its scale actions, with an action group that posts here");
        }

        if (!post["status"].IsMissing && post["context"].IsObject)
        {
            return new(
                $"{path}.context",
                post["context"].Found,
                "this is a classic alert rule, which knows no common alert schema; "
                    + "replace it by a metric or activity log alert rule with an action group that posts here");
        }

        return post["data"].IsObject
            ? new($"{path}.data.essentials", post["data"]["essentials"].Found, SwitchOn)
            : new($"{path}.data", post["data"].Found, SwitchOn);
    }
}
