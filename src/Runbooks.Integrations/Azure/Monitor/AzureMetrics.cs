using System.Xml;

namespace Runbooks.Integrations.Azure.Monitor;

/// <seealso href="https://learn.microsoft.com/rest/api/monitor/metrics/list"/>
internal sealed class AzureMetrics(ArmResources arm)
{
    public const string Role = "Monitoring Reader";
    private const string Version = "2024-02-01";

    /// <summary>How many series to ask for when a filter splits the metric. By default Azure returns 10 and does not say that there are more.</summary>
    public const int MostSeries = 1000;

    public async Task<MetricAnswer> ReadAsync(
        ArmTarget resource, MetricQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        var target = resource with { ApiVersion = Version, Role = Role };
        var settled = time.GetUtcNow() - MetricSeries.StillComing;
        var answer = await arm.SendAsync(
            arm.Call(
                target,
                RequestMethod.Get,
                $"read the metric {question.Metric}",
                below: "/providers/microsoft.insights/metrics",
                query: Query(question, question.LastEnd(settled))),
            time,
            cancellationToken);
        return Read(target, question, ArmResources.ReadObject(target, answer.Body), settled);
    }

    private static string Query(MetricQuestion question, DateTimeOffset until)
    {
        var span = $"{until - question.Whole:yyyy-MM-ddTHH:mm:ssZ}/{until:yyyy-MM-ddTHH:mm:ssZ}";
        return $"&metricnames={Uri.EscapeDataString(question.Metric)}&timespan={Uri.EscapeDataString(span)}"
            + $"&interval={XmlConvert.ToString(question.Every)}&AutoAdjustTimegrain=true"
            + $"&aggregation={CamelCase.Of(question.Aggregation)}"
            + (question.Namespace is null ? "" : $"&metricnamespace={Uri.EscapeDataString(question.Namespace)}")
            + (question.Filter is null ? "" : $"&$filter={Uri.EscapeDataString(question.Filter)}&top={MostSeries}");
    }

    private static MetricAnswer Read(ArmTarget target, MetricQuestion question, JsonObject json, DateTimeOffset settled)
    {
        try
        {
            var field = CamelCase.Of(question.Aggregation);
            var told = json["value"]!.AsArray();
            // With an error beside the metric in a 200, having no series means nothing.
            if (told.FirstOrDefault(metric => metric!["errorCode"] is { } code && (string?)code != "Success") is { } failed)
            {
                throw new AzureRequestException($"{target.DisplayName} could not answer the question for the metric {question.Metric}: "
                    + $"{failed["errorMessage"] ?? failed["errorCode"]}.");
            }

            var all = told.SelectMany(metric => metric!["timeseries"]!.AsArray()).ToList();
            var every = (string?)json["interval"] is { } width ? XmlConvert.ToTimeSpan(width) : question.Every;
            return new(
            [
                .. from series in all
                   let points = series!["data"]!.AsArray().OfType<JsonObject>()
                       // A minute in which nothing was measured has no value.
                       .Where(point => point[field] is JsonValue)
                       .Select(point => new MetricPoint(
                           point["timeStamp"]!.GetValue<DateTimeOffset>() + every, point[field]!.GetValue<double>()))
                       .Where(point => point.Until <= settled)
                       .OrderBy(point => point.Until)
                       .ToList()
                   where points.Count > 0
                   select new MetricSeries(
                       (series["metadatavalues"] as JsonArray ?? []).ToDictionary(
                           one => (string)one!["name"]!["value"]!, one => (string)one!["value"]!, StringComparer.OrdinalIgnoreCase),
                       points,
                       every),
            ],
            question.Filter is not null && all.Count >= MostSeries) { Every = every };
        }
        catch (Exception odd) when (odd is NullReferenceException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new AzureRequestException(
                $"{target.DisplayName} answered the question for the metric {question.Metric} in a form that is not known.", inner: odd);
        }
    }
}

/// <param name="Filter">Which dimensions, in the words of the API: <c>Origin eq '*'</c>.</param>
internal sealed record MetricQuestion(
    string Metric, MetricAggregation Aggregation, TimeSpan Over, TimeSpan Every, string? Namespace = null, string? Filter = null)
{
    /// <summary>How far back, in whole intervals.</summary>
    public TimeSpan Whole => Every * Math.Ceiling(Over / Every);

    /// <summary>
    /// The end of the last whole interval before a time, on the clock. Azure's intervals begin where the question does, so a question
    /// a minute later gets other values for nearly the same time. Only on the clock is a newer value of a time of its own.
    /// </summary>
    public DateTimeOffset LastEnd(DateTimeOffset at) => at.AddTicks(-(at.UtcTicks % Every.Ticks));
}

/// <param name="Series">
/// One for each combination of dimensions that the filter splits by; a series without any value is left out. So is a value
/// whose interval is not over or may still grow: a low value in a minute that has just begun or ended means nothing.
/// </param>
/// <param name="MayBeMore">As many came as were asked for, so there may be others of which nothing is known.</param>
internal sealed record MetricAnswer(IReadOnlyList<MetricSeries> Series, bool MayBeMore)
{
    /// <summary>The interval of one value, which may be wider than was asked for.</summary>
    public TimeSpan Every { get; init; }
}

internal sealed record MetricPoint(DateTimeOffset Until, double Value);

/// <param name="Points">Oldest first; at least one.</param>
internal sealed record MetricSeries(IReadOnlyDictionary<string, string> Dimensions, IReadOnlyList<MetricPoint> Points, TimeSpan Every)
{
    /// <summary>How late Azure usually has a value.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/azure-monitor/essentials/data-platform-metrics"/>
    public static readonly TimeSpan Usual = TimeSpan.FromMinutes(4);

    /// <summary>For this long after a minute Azure may still add to its value, or show 0 for values that it has not put together yet.</summary>
    /// <seealso href="https://github.com/Azure/azure-libraries-for-net/issues/499"/>
    public static readonly TimeSpan StillComing = TimeSpan.FromMinutes(2);

    public MetricPoint Last => Points[^1];

    public TimeSpan AgeAt(DateTimeOffset now) => now - Last.Until;

    /// <summary>The usual time between two values: some metrics come every minute, others every quarter of an hour.</summary>
    public TimeSpan Apart =>
        Points.Zip(Points.Skip(1), (one, next) => next.Until - one.Until).Order().ToList() is { Count: > 0 } gaps
            ? gaps[gaps.Count / 2]
            : Every;

    /// <summary>Whether newer values should have come by now.</summary>
    public bool IsStaleAt(DateTimeOffset now) => AgeAt(now) > Usual + (3 * Apart);

    public override string ToString() => string.Join(", ", Dimensions.Select(one => $"{one.Key}={one.Value}"));
}
