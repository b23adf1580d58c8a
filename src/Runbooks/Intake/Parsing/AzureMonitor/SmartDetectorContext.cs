namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Application Insights' smart detection.</summary>
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
