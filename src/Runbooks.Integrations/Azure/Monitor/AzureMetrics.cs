using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using Azure.Core;

namespace Runbooks.Integrations.Azure.Monitor;

/// <summary>The metrics that Azure keeps of every resource.</summary>
/// <seealso href="https://learn.microsoft.com/rest/api/monitor/metrics/list"/>
internal sealed class AzureMetrics(ArmResources arm)
{
    public const string Role = "Monitoring Reader";
    private const string Version = "2024-02-01";

    /// <returns>One series for each combination of dimensions that the filter splits by; those without any value are left out.</returns>
    public async Task<IReadOnlyList<MetricSeries>> ReadAsync(
        ArmTarget resource, MetricQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        var target = resource with { ApiVersion = Version, Role = Role };
        var answer = await arm.SendAsync(
            arm.Call(target, RequestMethod.Get, $"read the metric {question.Metric}", below: "/providers/microsoft.insights/metrics", query: Query(question, time.GetUtcNow())),
            time,
            cancellationToken);
        return Read(target, question, ArmResources.ReadObject(target, answer.Body));
    }

    private static string Query(MetricQuestion question, DateTimeOffset now)
    {
        var span = string.Create(CultureInfo.InvariantCulture, $"{now - question.Over:yyyy-MM-ddTHH:mm:ssZ}/{now:yyyy-MM-ddTHH:mm:ssZ}");
        return $"&metricnames={Uri.EscapeDataString(question.Metric)}&timespan={Uri.EscapeDataString(span)}&interval={XmlConvert.ToString(question.Every)}"
            + $"&aggregation={JsonNamingPolicy.CamelCase.ConvertName(question.Aggregation.ToString())}"
            + (question.Namespace is null ? "" : $"&metricnamespace={Uri.EscapeDataString(question.Namespace)}")
            + (question.Filter is null ? "" : $"&$filter={Uri.EscapeDataString(question.Filter)}");
    }

    private static List<MetricSeries> Read(ArmTarget target, MetricQuestion question, JsonObject json)
    {
        try
        {
            var field = JsonNamingPolicy.CamelCase.ConvertName(question.Aggregation.ToString());
            return
            [
                .. from metric in json["value"]!.AsArray()
                   from series in metric!["timeseries"]!.AsArray()
                   // A minute that nothing was measured in has no value.
                   let values = series!["data"]!.AsArray().Select(point => point?[field]).OfType<JsonValue>().Select(value => value.GetValue<double>()).ToList()
                   where values.Count > 0
                   select new MetricSeries(
                       (series["metadatavalues"] as JsonArray ?? []).ToDictionary(one => (string)one!["name"]!["value"]!, one => (string)one!["value"]!, StringComparer.OrdinalIgnoreCase),
                       values),
            ];
        }
        catch (Exception odd) when (odd is NullReferenceException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new AzureCallException($"{target.Words} answered the question for the metric {question.Metric} in a form that is not known.", inner: odd);
        }
    }
}

/// <summary>What is asked of a metric.</summary>
/// <param name="Over">How far back.</param>
/// <param name="Every">The width of one value.</param>
/// <param name="Filter">Which dimensions, in the words of the API: <c>Origin eq '*'</c>.</param>
internal sealed record MetricQuestion(string Metric, MetricAggregation Aggregation, TimeSpan Over, TimeSpan Every, string? Namespace = null, string? Filter = null);

/// <param name="Values">Oldest first; at least one.</param>
internal sealed record MetricSeries(IReadOnlyDictionary<string, string> Dimensions, IReadOnlyList<double> Values)
{
    public override string ToString() => string.Join(", ", Dimensions.Select(one => $"{one.Key}={one.Value}"));
}

public enum MetricAggregation { Average, Minimum, Maximum, Total, Count }
