namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>Something that Prometheus scrapes.</summary>
/// <param name="Labels">What service discovery says of it: job, instance, namespace, pod …</param>
/// <param name="Path">Where its <c>/metrics</c> are, below <c>/exporters</c>.</param>
/// <param name="Start">It can be scraped from then on.</param>
/// <param name="Families">Those that have a series of this name; all when it is null.</param>
internal sealed record ScrapeTarget(
    IReadOnlyDictionary<string, string> Labels, string Path, DateTimeOffset Start, DateTimeOffset? End, Func<string?, IEnumerable<MetricFamily>> Families)
{
    public bool IsUp(DateTimeOffset at) => Start <= at && !(End <= at);
}

/// <param name="Name">As it stands in the HELP and TYPE lines.</param>
internal sealed record MetricFamily(string Name, string Type, string Help, IReadOnlyList<ExposedSeries> Series)
{
    /// <summary>Whether a series of this name can be in a family of that name: most are never made, so this is asked before.</summary>
    public static bool MayHold(string family, string? series) => series is null || series.StartsWith(family, StringComparison.Ordinal);
}

/// <summary>One line of an exposition, at any moment.</summary>
/// <param name="Value">Null while it is not exposed.</param>
internal sealed record ExposedSeries(string Name, IReadOnlyList<KeyValuePair<string, string>> Labels, Func<DateTimeOffset, double?> Value)
{
    /// <summary>Nothing is ever reported to it, so nobody can set it either.</summary>
    public bool IsUnused { get; init; }
}

/// <summary>The text format of Prometheus.</summary>
/// <seealso href="https://prometheus.io/docs/instrumenting/exposition_formats/"/>
internal static class Exposition
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="asFloats">Whole numbers with <c>.0</c>, as Python's client writes them.</param>
    public static string Write(IEnumerable<MetricFamily> families, DateTimeOffset at, bool asFloats)
    {
        var text = new StringBuilder();
        foreach (var family in families.Where(family => family.Series.Any(series => series.Value(at) is not null)))
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Name} {family.Help}\n# TYPE {family.Name} {family.Type}\n");
            foreach (var series in family.Series)
            {
                if (series.Value(at) is { } value)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{series.Name}{Labels(series.Labels)} {Number(value)}{(asFloats && value == Math.Floor(value) && !double.IsInfinity(value) ? ".0" : "")}\n");
                }
            }
        }

        return text.ToString();
    }

    public static string Labels(IEnumerable<KeyValuePair<string, string>> labels)
    {
        var text = string.Join(',', labels.Select(label => $"{label.Key}=\"{label.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
        return text.Length == 0 ? "" : $"{{{text}}}";
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
