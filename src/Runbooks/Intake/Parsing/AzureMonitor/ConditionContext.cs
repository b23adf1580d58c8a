namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Metric alerts (static, dynamic, availability tests) and log search alerts of version 2: what fired, and for which dimensions.</summary>
internal static class ConditionContext
{
    private static readonly string[] Noted =
        ["metricName", "metricValue", "metricMeasureColumn", "operator", "threshold", "timeAggregation", "alertSensitivity", "searchQuery"];

    public static void Read(Payload context, AzureFacts facts)
    {
        var condition = context["condition"];
        var conditions = condition["allOf"].Items().Take(AlertLimits.Labels).ToList();
        foreach (var one in conditions)
        {
            // All of them fire together, so where two name the same dimension the first speaks for both.
            facts.Labels.AddAll(one["dimensions"]);
        }

        if (conditions is not [var first, ..])
        {
            return;
        }

        foreach (var field in Noted)
        {
            facts.Annotations.Add(field, first[field]);
        }

        facts.Annotations.Add("windowSize", condition["windowSize"]);
        facts.Fallback = Sentence(first, condition["windowSize"]);
        facts.Link = first["linkToFilteredSearchResultsUI"].Link() ?? first["linkToSearchResultsUI"].Link();
    }

    /// <summary>Labels for triggers, where the sender's own leave room.</summary>
    public static void Derive(Payload context, AzureFacts facts)
    {
        foreach (var field in (string[])["metricName", "metricNamespace", "webTestName"])
        {
            var values = context["condition"]["allOf"].Items().Take(AlertLimits.Labels)
                .Select(one => one[field].Line(AlertLimits.LabelValue)).Distinct().Take(2).ToList();
            facts.Labels.Add(field, values is [var only] ? only : null);
        }
    }

    private static string? Sentence(Payload first, Payload window)
    {
        var what = first["webTestName"].Line(100) ?? first["metricName"].Line(100) ?? first["metricMeasureColumn"].Line(100) ?? "Search results";
        return first["metricValue"].Line(30) is { } value && first["threshold"].Line(30) is { } threshold
            ? $"{what}: {first["timeAggregation"].Line(30) ?? "value"} {value} over {window.Line(30) ?? "the window"}, {first["operator"].Line(30) ?? "threshold"} {threshold}"
            : null;
    }
}
