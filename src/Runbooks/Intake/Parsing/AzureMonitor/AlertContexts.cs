namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Metric alerts (static, dynamic, availability tests) and log search alerts of version 2.</summary>
internal static class ConditionContext
{
    private static readonly string[] s_noted =
        ["metricName", "metricValue", "metricMeasureColumn", "operator", "threshold", "timeAggregation", "alertSensitivity", "searchQuery"];

    public static void Read(Payload context, AzureFacts facts)
    {
        var condition = context["condition"];
        var conditions = condition["allOf"].Items().Take(AlertLimits.Labels).ToList();
        foreach (var criterion in conditions)
        {
            // All of them fire together, so where two name the same dimension the first one counts.
            facts.Labels.AddAll(criterion["dimensions"]);
        }

        if (conditions is not [var first, ..])
        {
            return;
        }

        foreach (var field in s_noted)
        {
            facts.Annotations.Add(field, first[field]);
        }

        facts.Annotations.Add("windowSize", condition["windowSize"]);
        facts.Fallback = Sentence(first, condition["windowSize"]);
        facts.Link = first["linkToFilteredSearchResultsUI"].Link() ?? first["linkToSearchResultsUI"].Link();
    }

    /// <summary>For triggers, where the sender's own labels leave room.</summary>
    public static void Derive(Payload context, AzureFacts facts)
    {
        foreach (var field in (string[])["metricName", "metricNamespace", "webTestName"])
        {
            var values = context["condition"]["allOf"].Items().Take(AlertLimits.Labels)
                .Select(criterion => criterion[field].Line(AlertLimits.LabelValue))
                .Distinct()
                .Take(2)
                .ToList();
            facts.Labels.Add(field, values is [var only] ? only : null);
        }
    }

    private static string? Sentence(Payload first, Payload window)
    {
        if (first["metricValue"].Line(30) is not { } value || first["threshold"].Line(30) is not { } threshold)
        {
            return null;
        }

        var what = first["webTestName"].Line(100)
            ?? first["metricName"].Line(100)
            ?? first["metricMeasureColumn"].Line(100)
            ?? "Search results";
        var aggregation = first["timeAggregation"].Line(30) ?? "value";
        var comparison = first["operator"].Line(30) ?? "threshold";
        return $"{what}: {aggregation} {value} over {window.Line(30) ?? "the window"}, {comparison} {threshold}";
    }
}

/// <summary>Log search alerts of version 1 (Log Analytics, Application Insights): flat, capitalised, thresholds as numbers.</summary>
internal static class LogV1Context
{
    public static void Read(Payload context, AzureFacts facts)
    {
        if (context["SearchQuery"].IsMissing)
        {
            return;
        }

        facts.Labels.AddAll(context["Dimensions"]);
        facts.Annotations
            .Add("searchQuery", context["SearchQuery"])
            .Add("resultCount", context["ResultCount"])
            .Add("operator", context["Operator"])
            .Add("threshold", context["Threshold"]);
        facts.Fallback = context["ResultCount"].Line(30) is { } count ? $"The log search found {count} results" : null;
        facts.Link = context["LinkToFilteredSearchResultsUI"].Link() ?? context["LinkToSearchResults"].Link();
    }
}

/// <summary>Azure Monitor's managed Prometheus: labels and annotations as the rule wrote them.</summary>
internal static class PrometheusContext
{
    public static void Read(Payload context, AzureFacts facts)
    {
        // Azure writes null for labels that are empty.
        if (!context["labels"].IsObject && context["ruleGroup"].IsMissing)
        {
            return;
        }

        facts.Labels.SetAll(context["labels"]);
        facts.Annotations
            .SetAll(context["annotations"])
            .Add("expression", context["expression"])
            .Add("expressionValue", context["expressionValue"]);
        facts.Name = context["labels"]["alertname"].Line(AlertLimits.Name);
        facts.RuleGroup = ResourceId.Parse(context["ruleGroup"].Line(AlertLimits.Resource))?.Name;
        facts.Summary = context["annotations"]["summary"].Line(AlertLimits.Summary)
            ?? context["annotations"]["description"].Line(AlertLimits.Summary);
    }
}

/// <summary>
/// Activity log alerts of every category, Service Health and Resource Health. The claims of the caller are never read: they describe a
/// token.
/// </summary>
internal static class EventContext
{
    /// <summary>These say what an event begins or ends. Properties of the rule's owner must not replace them.</summary>
    private static readonly string[] s_reserved = ["operationName", "status"];

    private static readonly string[] s_propertiesReserved = ["trackingId", "stage", "currentHealthStatus", "previousHealthStatus"];

    private static readonly string[] s_propertyLabels = ["service", "region", "incidentType", "cause"];

    private static readonly string[] s_noted = ["caller", "level", "subStatus", "correlationId", "eventTimestamp"];

    private static readonly string[] s_propertiesNoted =
    [
        "title", "details", "description", "message", "impactStartTime", "impactMitigationTime", "compromisedEntity", "actionTaken",
        "remediationSteps",
    ];

    public static void Read(Payload context, AzureFacts facts)
    {
        if (context["operationName"].IsMissing && context["eventSource"].IsMissing)
        {
            return;
        }

        var properties = context["properties"];
        ReserveAll(facts.Labels, context, s_reserved);
        ReserveAll(facts.Labels, properties, s_propertiesReserved);
        AddAll(facts.Labels, properties, s_propertyLabels);
        AddAll(facts.Annotations, context, s_noted);
        AddAll(facts.Annotations, properties, s_propertiesNoted);
        facts.Annotations.Add("impactedServices", ImpactedServices(properties["impactedServices"]));
        facts.Summary = properties["title"].Line(AlertLimits.Summary);
        facts.Fallback = properties["description"].Line(AlertLimits.Summary) ?? context["operationName"].Line(AlertLimits.Summary);
    }

    private static void ReserveAll(LabelSet set, Payload from, string[] fields)
    {
        foreach (var field in fields)
        {
            set.Reserve(field, from[field]);
        }
    }

    private static void AddAll(LabelSet set, Payload from, string[] fields)
    {
        foreach (var field in fields)
        {
            set.Add(field, from[field]);
        }
    }

    /// <summary>A list of services with their regions, or the same list as JSON inside a string.</summary>
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
        var regions = service["ImpactedRegions"].Items()
            .Take(AlertLimits.Labels)
            .Select(region => region["RegionName"].Line(100))
            .OfType<string>()
            .ToList();
        return regions.Count == 0 ? "" : $" ({string.Join(", ", regions)})";
    }
}

/// <summary>Budget alerts have no rule, no severity and no targets: the budget gives name and scope.</summary>
internal static class CostContext
{
    private static readonly string[] s_noted =
        ["SpentAmount", "BudgetThreshold", "NotificationThresholdAmount", "ForecastedTotalForPeriod", "Unit", "BudgetStartDate"];

    public static void Read(Payload context, AzureFacts facts)
    {
        var budget = context["AlertData"];
        if (!budget.IsObject)
        {
            return;
        }

        facts.Name = budget["BudgetName"].Line(AlertLimits.Name);
        facts.Scope = budget["Scope"].Line(AlertLimits.Resource)?.TrimEnd('/') is { Length: > 0 } scope ? scope : null;
        facts.Labels
            .Add("alertCategory", context["AlertCategory"])
            .Add("budgetName", budget["BudgetName"])
            .Add("budgetType", budget["BudgetType"])
            .Add("thresholdType", budget["ThresholdType"]);
        foreach (var field in s_noted)
        {
            facts.Annotations.Add(char.ToLowerInvariant(field[0]) + field[1..], budget[field]);
        }
    }
}

internal static class SmartDetectorContext
{
    public static void Read(Payload context, AzureFacts facts)
    {
        if (context["SmartDetectorId"].IsMissing && context["SmartDetectorName"].IsMissing)
        {
            return;
        }

        facts.Labels.Add("smartDetectorId", context["SmartDetectorId"]);
        facts.Annotations
            .Add("smartDetectorName", context["SmartDetectorName"])
            .Add("detectionSummary", context["DetectionSummary"])
            .Add("detectedValue", context["DetectedValue"])
            .Add("normalValue", context["NormalValue"]);
        facts.Summary = context["DetectionSummary"].Line(AlertLimits.Summary);
    }
}
