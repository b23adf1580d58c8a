namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Labels that the sender did not write but that follow from the alert: added only where the sender's own leave room, and
/// only when there is no doubt (all targets agree).
/// </summary>
internal static class DerivedLabels
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
            .Reserve("monitoringService", essentials["monitoringService"]);
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

/// <summary>
/// <c>/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}/{type}/{name}…</c>; a subscription or a group
/// alone has no type and no name.
/// </summary>
internal sealed record ResourceId(string Subscription, string? Group, string? Type, string? Name)
{
    public static ResourceId? Parse(string? text)
    {
        var parts = text?.Split('/', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (parts.Length < 2 || !Is(parts[0], "subscriptions"))
        {
            return null;
        }

        var group = parts.Length >= 4 && Is(parts[2], "resourceGroups") ? parts[3] : null;

        // An extension resource has a second "providers": the last one names the resource itself.
        var providers = Array.FindLastIndex(parts, part => Is(part, "providers"));
        var path = providers < 0 ? [] : parts[(providers + 1)..];
        return path.Length >= 3 && path.Length % 2 == 1
            ? new(parts[1], group, string.Join('/', path.Where((_, at) => at == 0 || at % 2 == 1)), path[^1])
            : new(parts[1], group, null, null);
    }

    private static bool Is(string part, string name) => part.Equals(name, StringComparison.OrdinalIgnoreCase);
}
