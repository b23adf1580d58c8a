using System.Text;

namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Activity log alerts of every category, Service Health and Resource Health: one event. The claims of its caller are never
/// read: they describe a token.
/// </summary>
internal static class EventContext
{
    private static readonly string[] Labels = ["operationName", "status"];

    private static readonly string[] PropertyLabels =
        ["service", "region", "incidentType", "trackingId", "stage", "currentHealthStatus", "previousHealthStatus", "cause"];

    private static readonly string[] Noted = ["caller", "level", "subStatus", "correlationId", "eventTimestamp"];

    private static readonly string[] PropertiesNoted =
        ["title", "details", "description", "message", "impactStartTime", "impactMitigationTime", "compromisedEntity", "actionTaken", "remediationSteps"];

    public static void Read(Payload context, AzureFacts facts)
    {
        if (context["operationName"].IsMissing && context["eventSource"].IsMissing)
        {
            return;
        }

        var properties = context["properties"];
        AddAll(facts.Labels, context, Labels);
        AddAll(facts.Labels, properties, PropertyLabels);
        AddAll(facts.Annotations, context, Noted);
        AddAll(facts.Annotations, properties, PropertiesNoted);
        facts.Annotations.Add("impactedServices", ImpactedServices(properties["impactedServices"]));
        facts.Summary = properties["title"].Line(AlertLimits.Summary);
        facts.Fallback = properties["description"].Line(AlertLimits.Summary) ?? context["operationName"].Line(AlertLimits.Summary);
    }

    private static void AddAll(LabelSet set, Payload from, string[] fields)
    {
        foreach (var field in fields)
        {
            set.Add(field, from[field]);
        }
    }

    /// <summary>A list of services with their regions, or the same list written as JSON inside a string.</summary>
    private static string? ImpactedServices(Payload services)
    {
        if (!services.IsString)
        {
            return Describe(services);
        }

        var text = services.Text(AlertLimits.Body) ?? "";
        using var inner = JsonBody.Open(Encoding.UTF8.GetBytes(text), out _);
        return (inner is null ? null : Describe(new(inner.RootElement))) ?? services.Text(AlertLimits.AnnotationValue);
    }

    private static string? Describe(Payload services)
    {
        var described = services.Items().Take(AlertLimits.Labels)
            .Select(service => service["ServiceName"].Line(200) is { } name ? name + Regions(service) : null)
            .OfType<string>()
            .ToList();
        return described.Count == 0 ? null : CleanText.Clean(string.Join("; ", described), AlertLimits.AnnotationValue, oneLine: true);
    }

    private static string Regions(Payload service)
    {
        var regions = service["ImpactedRegions"].Items().Take(AlertLimits.Labels).Select(region => region["RegionName"].Line(100)).OfType<string>().ToList();
        return regions.Count == 0 ? "" : $" ({string.Join(", ", regions)})";
    }
}
