namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Rule groups of Azure Monitor's managed Prometheus: labels and annotations as the rule wrote them.</summary>
internal static class PrometheusContext
{
    public static void Read(Payload context, AzureFacts facts)
    {
        if (!context["labels"].IsObject)
        {
            return;
        }

        facts.Labels.SetAll(context["labels"]);
        facts.Annotations
            .SetAll(context["annotations"])
            .Add("expression", context["expression"])
            .Add("expressionValue", context["expressionValue"]);
        facts.Name = context["labels"]["alertname"].Line(AlertLimits.Name);
        facts.Summary = context["annotations"]["summary"].Line(AlertLimits.Summary)
            ?? context["annotations"]["description"].Line(AlertLimits.Summary);
    }
}
