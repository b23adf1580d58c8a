namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Azure Monitor's common alert schema, from every monitoring service:
/// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
/// </summary>
internal sealed class AzureMonitorParser : IAlertParser
{
    public string Source => AlertSource.AzureMonitor;

    public ParsedAlerts Parse(JsonElement body)
    {
        var post = new Payload(body);
        return post.IsArray ? AlertList.Read(post, "$", Read) : AlertList.ReadSingle(post, "$", Read);
    }

    public static bool Carries(Payload post) =>
        post["essentials"].IsObject || post["data"]["essentials"].IsObject || AlertResource.Is(post);

    public static Alert? Read(Payload post, string path, PostReport report)
    {
        // Logic Apps often pass on only the inside of "data".
        var wrapped = !post["essentials"].IsObject;
        var data = wrapped ? post["data"] : post;
        if (!data["essentials"].IsObject)
        {
            if (AlertResource.Is(post))
            {
                return AlertResource.Read(post, path, report);
            }

            // Or they pass on a whole request, with the alert as its body.
            if (Carries(post["body"]))
            {
                return Read(post["body"], $"{path}.body", report);
            }

            if (!ForeignPost.Report(post, path, report))
            {
                report.Lose(OtherSchema.Explain(post, path));
            }

            return null;
        }

        var facts = Gather(data);
        var inside = $"{path}{(wrapped ? ".data" : "")}.essentials";
        var essentials = new Essentials(data["essentials"], facts);
        if (essentials.Name is { } name)
        {
            var status = AlertText.Status(data["essentials"]["monitorCondition"], $"{inside}.monitorCondition", report);
            return ResourceEvent.Tell(ToAlert(name, status, essentials, facts));
        }

        report.Lose(new($"{inside}.alertRule", data["essentials"]["alertRule"].Found, "give the name of the alert rule"));
        return null;
    }

    private static AzureFacts Gather(Payload data)
    {
        var facts = new AzureFacts();
        var context = data["alertContext"];
        ConditionContext.Read(context, facts);
        LogV1Context.Read(context, facts);
        CustomProperties.Read(data, context, facts);
        PrometheusContext.Read(context, facts);
        ConditionContext.Derive(context, facts);
        EventContext.Read(context, facts);
        SmartDetectorContext.Read(context, facts);
        CostContext.Read(context, facts);
        DerivedLabels.Read(data["essentials"], facts);
        return facts;
    }

    /// <param name="status">
    /// Service Health can write "status: Resolved" in an alert that is Fired. Taking that for an all-clear could lose an alert, so it only
    /// becomes a label that a trigger may ask for.
    /// </param>
    private static Alert ToAlert(string name, AlertStatus status, Essentials essentials, AzureFacts facts) => new()
    {
        Source = AlertSource.AzureMonitor,
        Name = name,
        Status = status,
        Fingerprint = essentials.Fingerprint ?? AlertFingerprint.OfLabels(name, facts.Labels.Values),
        Severity = essentials.Severity,
        Summary = essentials.Summary,
        Labels = facts.Labels.Values,
        Measured = facts.Measured,
        Annotations = facts.Annotations.Values,
        StartsAt = essentials.StartsAt,
        EndsAt = essentials.EndsAt,
        Link = essentials.Link,
        Runbook = facts.Runbook,
        Resources = essentials.Resources,
    };
}

/// <summary>All messages of Azure Resource Health for one rule and one resource are one alert.</summary>
internal static class ResourceEvent
{
    public static Alert Tell(Alert alert)
    {
        if (ResourceHealth.Of(alert) is not { } health || alert.Resources.Count == 0)
        {
            return alert;
        }

        var fingerprint = AlertFingerprint.Of([alert.Name.ToUpperInvariant(), alert.Resources[0].ToUpperInvariant()]);
        var same = alert with { Fingerprint = fingerprint };
        return alert.Status == AlertStatus.Firing ? health.Told(same) : same;
    }
}

/// <summary>In cost alerts most of it is null.</summary>
internal sealed class Essentials(Payload essentials, AzureFacts facts)
{
    public string? Name =>
        RuleName()
        ?? facts.Name
        ?? ResourceId.Parse(essentials["alertRuleId"].Line(AlertLimits.Resource))?.Name
        ?? essentials["monitoringService"].Line(AlertLimits.Name);

    public string? Fingerprint => essentials["alertId"].Fingerprint() ?? essentials["originAlertId"].Fingerprint();

    public string? Severity => essentials["severity"].Line(AlertLimits.Severity) is not { } text ? null
        : text is [>= '0' and <= '4'] ? $"Sev{text}"
        : text;

    public string? Summary => facts.Summary ?? essentials["description"].Line(AlertLimits.Summary) ?? facts.Fallback;

    public DateTimeOffset? StartsAt => essentials["firedDateTime"].Time();

    public DateTimeOffset? EndsAt => essentials["resolvedDateTime"].Time();

    public string? Link =>
        essentials["investigationLink"].Link()
        ?? facts.Link
        ?? PortalLink(essentials["alertId"].Line(AlertLimits.Resource));

    public IReadOnlyList<string> Resources =>
        DerivedLabels.Targets(essentials) is { Count: > 0 } targets ? targets : facts.Scope is { } scope ? [scope] : [];

    /// <summary>Azure calls rules of a Prometheus group "group/alertname"; authors know them by the second part.</summary>
    private string? RuleName()
    {
        if (essentials["alertRule"].Line(AlertLimits.Name) is not { } rule)
        {
            return null;
        }

        if (facts.Name is { } name && rule.EndsWith($"/{name}", StringComparison.OrdinalIgnoreCase))
        {
            return name;
        }

        return facts.RuleGroup is { } group
            && rule.Length > group.Length + 1
            && rule.StartsWith($"{group}/", StringComparison.OrdinalIgnoreCase)
            ? rule[(group.Length + 1)..]
            : rule;
    }

    public static string? PortalLink(string? id) =>
        id?.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase) == true
            ? AlertLink.Clean(
                "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"
                + Uri.EscapeDataString(id))
            : null;
}

/// <summary>
/// Each part of an alert's context adds the fields that it knows. Nothing switches on <c>monitoringService</c>, whose values Azure spells
/// in more than one way.
/// </summary>
internal sealed class AzureFacts
{
    public LabelSet Labels { get; } = LabelSet.ForLabels();

    public LabelSet Annotations { get; } = LabelSet.ForAnnotations();

    /// <summary>Where the context has a better name than the essentials.</summary>
    public string? Name { get; set; }

    public string? RuleGroup { get; set; }

    /// <summary>Says more than the rule's description, which is the same each time.</summary>
    public string? Summary { get; set; }

    public string? Fallback { get; set; }

    public string? Link { get; set; }

    public string? Runbook { get; set; }

    /// <summary>Names of custom properties with measured values.</summary>
    public IReadOnlyList<string>? Measured { get; set; }

    /// <summary>For an alert whose essentials name no target.</summary>
    public string? Scope { get; set; }
}

/// <summary>
/// Labels by the rule's owner, whose word counts more than the telemetry: they replace dimensions of the same name. The property
/// <c>runbook</c> chooses the runbook.
/// </summary>
internal static class CustomProperties
{
    public static void Read(Payload data, Payload context, AzureFacts facts)
    {
        // Metric and log alerts repeat them in the context, and older ones have them only there. In every other kind of alert
        // "properties" is what happened, which strangers can influence: it must not choose a runbook.
        Payload[] owners = context["condition"].IsObject
            ? [context["properties"], data["customProperties"]]
            : [data["customProperties"]];
        foreach (var properties in owners)
        {
            Take(properties, facts);
        }

        var firing = new FiringText(data["essentials"], context);
        var measured = owners
            .Where(properties => properties.IsObject)
            .SelectMany(properties => properties.Pairs())
            .Select(pair => pair.Name)
            .Distinct()
            .Where(name => facts.Labels[name] is { } value && firing.IsIn(name, value))
            .ToList();
        facts.Measured = measured.Count > 0 ? measured : null;
    }

    private static void Take(Payload properties, AzureFacts facts)
    {
        if (properties.IsObject)
        {
            facts.Labels.SetAll(properties);

            // A value that cannot be an id, such as the address of a page, stays a label.
            var runbook = properties["runbook"].IsString ? properties["runbook"].Line(AlertLimits.Runbook) : null;
            facts.Runbook = NameRules.ReadId(runbook) ?? facts.Runbook;
        }
    }
}
