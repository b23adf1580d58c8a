namespace Runbooks.Integrations.Prometheus;

/// <summary>Of which cluster a series is, where one Prometheus has several, as an Azure Monitor workspace often does.</summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default"/>
internal static class ClusterLabel
{
    public const string Name = "cluster";

    /// <summary>A further matcher of a selector.</summary>
    public static string Matcher(string? cluster) => cluster is null ? "" : $",{Name}=\"{cluster}\"";

    /// <summary>What goes by the same name in two clusters is two things.</summary>
    /// <exception cref="PrometheusException">They are of several clusters.</exception>
    public static void RequireOne(IEnumerable<PrometheusSeries> found, string of)
    {
        var clusters = found.Select(series => series.Labels.GetValueOrDefault(Name, "no label")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (clusters.Count > 1)
        {
            throw new PrometheusException($"There are series {of} from several clusters: {string.Join(", ", clusters)}. Say which one is meant, as '{Name}'.");
        }
    }
}

/// <summary>Which cluster's series.</summary>
public abstract record ClusterSeriesParameters : PrometheusParameters
{
    // It stands in quotes in the query.
    [TextPattern("^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$", "a cluster's name: at most 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit")]
    [Description("The label `cluster` of the series, which is the AKS cluster's name in managed Prometheus; needed where one Prometheus has the same names in several clusters.")]
    public string? Cluster { get; init; }
}
