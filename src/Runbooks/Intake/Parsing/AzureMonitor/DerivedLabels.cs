namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Labels that follow from the alert. They are added only where the sender's own leave room, and only when all targets agree.
/// </summary>
internal static class DerivedLabels
{
    public static void Read(Payload essentials, AzureFacts facts)
    {
        var targets = Targets(essentials).Select(ResourceId.Parse).OfType<ResourceId>().ToList();
        AddTo(facts.Labels, targets)
            .Add("resourceType", essentials["targetResourceType"])
            .Add("resourceGroup", essentials["targetResourceGroup"])
            .Add("configurationItem", OnlyOne(essentials["configurationItems"]))
            .Reserve("monitoringService", essentials["monitoringService"]);
    }

    /// <summary>As sent, each once.</summary>
    public static IReadOnlyList<string> Targets(Payload essentials) =>
        [.. essentials["alertTargetIDs"].Items()
            .Take(AlertLimits.Resources)
            .Select(id => id.IsString ? id.Line(AlertLimits.Resource + 1) : null)
            .Where(id => id?.Length <= AlertLimits.Resource)
            .OfType<string>()
            .Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Adds what all of them agree on.</summary>
    public static LabelSet AddTo(LabelSet labels, IReadOnlyList<ResourceId> targets) => labels
        .Add("resourceName", Agreed(targets, id => id.Name))
        .Add("resourceType", Agreed(targets, id => id.Type))
        .Add("resourceGroup", Agreed(targets, id => id.Group))
        .Add("subscription", Agreed(targets, id => id.Subscription))
        .Add("resourcePath", Agreed(targets, id => id.Path))
        .Add("resourceId", Agreed(targets, id => id.Key));

    private static string? Agreed(IReadOnlyList<ResourceId> targets, Func<ResourceId, string?> part) =>
        targets.Select(part).Distinct(StringComparer.OrdinalIgnoreCase).Take(2).ToList() is [var only] ? only : null;

    private static string? OnlyOne(Payload items) =>
        items.Items().Take(2).ToList() is [var only] ? only.Line(AlertLimits.LabelValue) : null;
}

/// <summary>
/// <c>/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}/{type}/{name}…</c>; a subscription or a group
/// alone has no type and no name.
/// </summary>
/// <param name="Key">In lower case, since Azure's case varies.</param>
/// <param name="Path">As <c>workspace/endpoint/deployment</c>: a child's name is unique only in its parent.</param>
internal sealed record ResourceId(string Key, string Subscription, string? Group, string? Type, string? Name, string? Path)
{
    public static ResourceId? Parse(string? text)
    {
        var parts = text?.Split('/', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (parts.Length < 2 || !Is(parts[0], "subscriptions"))
        {
            return null;
        }

        var key = $"/{string.Join('/', parts).ToLowerInvariant()}";
        var group = parts.Length >= 4 && Is(parts[2], "resourceGroups") ? parts[3] : null;

        // An extension resource has a second "providers": the last one names the resource itself.
        var providers = Array.FindLastIndex(parts, part => Is(part, "providers"));
        var path = providers < 0 ? [] : parts[(providers + 1)..];
        if (path.Length < 3 || path.Length % 2 == 0)
        {
            return new(key, parts[1], group, null, null, null);
        }

        var type = string.Join('/', path.Where((_, at) => at == 0 || at % 2 == 1));
        var names = string.Join('/', path.Where((_, at) => at > 0 && at % 2 == 0));
        return new(key, parts[1], group, type, path[^1], names);
    }

    private static bool Is(string part, string name) => part.Equals(name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// The parts of an alert that belong to one firing: its id, times, measured values, links to results. The owner of a rule may have such a
/// part written into a custom property
/// (https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-metric-alert-rule, Custom properties).
/// </summary>
internal sealed class FiringText
{
    private static readonly string[] s_essentials = ["alertId", "originAlertId", "firedDateTime", "resolvedDateTime", "investigationLink"];
    private static readonly string[] s_window = ["windowStartTime", "windowEndTime"];
    private static readonly string[] s_links =
    [
        "linkToSearchResultsUI", "linkToFilteredSearchResultsUI", "linkToSearchResultsAPI", "linkToFilteredSearchResultsAPI",
    ];
    private static readonly string[] s_version1 =
    [
        "SearchIntervalStartTimeUtc", "SearchIntervalEndtimeUtc", "LinkToSearchResults", "LinkToFilteredSearchResultsUI",
        "LinkToSearchResultsAPI", "LinkToFilteredSearchResultsAPI", "ResultCount",
    ];

    /// <summary>Characters. Shorter text may occur anywhere by chance.</summary>
    private const int Telling = 10;

    private const int LongestByChance = 2;
    private static readonly string[] s_measures = ["value", "count", "metric", "result", "threshold", "measured"];

    private readonly HashSet<string> _words = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _texts = [];

    public FiringText(Payload essentials, Payload context)
    {
        var condition = context["condition"];
        Take(essentials, s_essentials);
        Take(condition, s_window);
        foreach (var criterion in condition["allOf"].Items().Take(AlertLimits.Labels))
        {
            Take(criterion, s_links);
            Take(criterion, criterion["alertSensitivity"].IsMissing ? ["metricValue"] : ["metricValue", "threshold"]);
        }

        Take(context, s_version1);
    }

    /// <summary>
    /// A long part counts anywhere, a number or a short one as a word of its own. A small whole number may be there by chance, as in the
    /// name of a machine, unless the property speaks of a measurement.
    /// </summary>
    public bool IsIn(string name, string text)
    {
        var isMeasure = SpeaksOfAMeasure(name) || SpeaksOfAMeasure(text);
        return _texts.Any(part => text.Contains(part, StringComparison.OrdinalIgnoreCase))
            || Words(text).Any(word => _words.Contains(word) && (isMeasure || !MayBeChance(word)));
    }

    private static bool MayBeChance(string word) =>
        word.Length <= LongestByChance && !word.Contains('.', StringComparison.Ordinal);

    private static bool SpeaksOfAMeasure(string text) =>
        s_measures.Any(measure => text.Contains(measure, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Words(string text) =>
        text.Split([' ', '\t', '\n', ',', ';', ':', '=', '(', ')', '[', ']', '"', '\'', '%'])
            .Select(word => word.TrimEnd('.'));

    private void Take(Payload from, string[] fields)
    {
        foreach (var text in fields.Select(field => from[field].Line(AlertLimits.Link)).OfType<string>())
        {
            if (text.Length >= Telling)
            {
                _texts.Add(text);
            }
            else
            {
                _words.Add(text);
            }
        }
    }
}
