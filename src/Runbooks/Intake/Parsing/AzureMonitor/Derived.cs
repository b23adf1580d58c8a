namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Labels that the sender did not write but that follow from the alert: added only where the sender's own leave room, and
/// only when there is no doubt (all targets agree).
/// </summary>
internal static class Derived
{
    public static void Read(Payload essentials, AzureFacts facts)
    {
        var targets = Targets(essentials).Select(ResourceId.Parse).OfType<ResourceId>().ToList();
        facts.Labels
            .Add("resourceName", Agreed(targets, id => id.Name))
            .Add("resourceType", Agreed(targets, id => id.Type))
            .Add("resourceGroup", Agreed(targets, id => id.Group))
            .Add("subscription", Agreed(targets, id => id.Subscription))
            .Add("resourceType", essentials["targetResourceType"])
            .Add("resourceGroup", essentials["targetResourceGroup"])
            .Add("configurationItem", OnlyOne(essentials["configurationItems"]))
            .Add("monitoringService", essentials["monitoringService"]);
    }

    /// <summary>The ids of what the alert is about, as sent, each once.</summary>
    public static IReadOnlyList<string> Targets(Payload essentials) =>
        [.. essentials["alertTargetIDs"].Items()
            .Take(AlertLimits.Resources)
            .Select(id => id.IsString ? id.Line(AlertLimits.Resource + 1) : null)
            .Where(id => id?.Length <= AlertLimits.Resource)
            .OfType<string>()
            .Distinct(StringComparer.OrdinalIgnoreCase)];

    private static string? Agreed(IReadOnlyList<ResourceId> targets, Func<ResourceId, string?> part) =>
        targets.Select(part).Distinct(StringComparer.OrdinalIgnoreCase).Take(2).ToList() is [var only] ? only : null;

    private static string? OnlyOne(Payload items) =>
        items.Items().Take(2).ToList() is [var only] ? only.Line(AlertLimits.LabelValue) : null;
}
