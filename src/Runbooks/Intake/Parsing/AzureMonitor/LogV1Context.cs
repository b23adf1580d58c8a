namespace Runbooks.Intake.Parsing.AzureMonitor;

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
