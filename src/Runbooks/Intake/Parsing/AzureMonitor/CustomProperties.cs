namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// What the rule's owner attached to it. It becomes labels, over dimensions of the same name: the owner's word counts more
/// than what the telemetry carries. Its <c>runbook</c> names the runbook outright.
/// </summary>
internal static class CustomProperties
{
    public static void Read(Payload data, Payload context, AzureFacts facts)
    {
        // Metric and log alerts repeat them in the context, older ones have them only there. In every other kind of alert
        // "properties" is what happened, which strangers can influence: it must not choose a runbook.
        if (context["condition"].IsObject)
        {
            Take(context["properties"], facts);
        }

        Take(data["customProperties"], facts);
    }

    private static void Take(Payload properties, AzureFacts facts)
    {
        if (properties.IsObject)
        {
            facts.Labels.SetAll(properties);
            facts.Runbook = (properties["runbook"].IsString ? properties["runbook"].Line(AlertLimits.Runbook) : null) ?? facts.Runbook;
        }
    }
}
