namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// What an alert says of one firing alone: its id, its times, what was measured, the address of its results. The owner of a rule may have
/// such a part of the payload written into a custom property, as the portal's own examples do
/// (https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-metric-alert-rule, Custom properties).
/// </summary>
internal sealed class FiringText
{
    private static readonly string[] s_essentials = ["alertId", "originAlertId", "firedDateTime", "resolvedDateTime", "investigationLink"];
    private static readonly string[] s_window = ["windowStartTime", "windowEndTime"];
    private static readonly string[] s_links = ["linkToSearchResultsUI", "linkToFilteredSearchResultsUI", "linkToSearchResultsAPI", "linkToFilteredSearchResultsAPI"];
    private static readonly string[] s_version1 = ["SearchIntervalStartTimeUtc", "SearchIntervalEndtimeUtc", "LinkToSearchResults", "LinkToFilteredSearchResultsUI", "LinkToSearchResultsAPI", "LinkToFilteredSearchResultsAPI", "ResultCount"];

    /// <summary>Shorter text may stand anywhere by chance.</summary>
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
        foreach (var one in condition["allOf"].Items().Take(AlertLimits.Labels))
        {
            Take(one, s_links);
            Take(one, one["alertSensitivity"].IsMissing ? ["metricValue"] : ["metricValue", "threshold"]);
        }

        Take(context, s_version1);
    }

    /// <summary>
    /// Whether it is among this text: a long one anywhere, a number or a short one as a word of its own. A small whole number may stand
    /// there by chance, as of a machine or a ring, unless the property speaks of something that was measured.
    /// </summary>
    /// <param name="name">Of the property.</param>
    public bool IsIn(string name, string text) =>
        _texts.Any(one => text.Contains(one, StringComparison.OrdinalIgnoreCase))
        || Words(text).Any(word => _words.Contains(word) && (word.Length > LongestByChance || word.Contains('.', StringComparison.Ordinal) || SpeaksOfAMeasure(name) || SpeaksOfAMeasure(text)));

    private static bool SpeaksOfAMeasure(string text) => s_measures.Any(measure => text.Contains(measure, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Words(string text) =>
        text.Split([' ', '\t', '\n', ',', ';', ':', '=', '(', ')', '[', ']', '"', '\'', '%']).Select(word => word.TrimEnd('.'));

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
