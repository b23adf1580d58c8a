using System.Globalization;
using System.Text.Json;

namespace Runbooks.Integrations.Prometheus;

/// <summary>One series of a result with its values, oldest first; an instant vector has one value for each.</summary>
internal sealed record PrometheusSeries(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<double> Values)
{
    /// <summary>Reads <c>data</c> of an answer: a vector, a matrix or a scalar.</summary>
    /// <exception cref="PrometheusException">It is something else, for example a string.</exception>
    public static IReadOnlyList<PrometheusSeries> Read(JsonElement data)
    {
        var result = data.GetProperty("result");
        return data.GetProperty("resultType").GetString() switch
        {
            "vector" => [.. result.EnumerateArray().Select(item => new PrometheusSeries(ReadLabels(item), [ReadPoint(item.GetProperty("value"))]))],
            "matrix" => [.. result.EnumerateArray().Select(item => new PrometheusSeries(ReadLabels(item), [.. item.GetProperty("values").EnumerateArray().Select(ReadPoint)]))],
            "scalar" => [new PrometheusSeries(new Dictionary<string, string>(), [ReadPoint(result)])],
            var other => throw new PrometheusException($"Prometheus answered with a {other}, not with numbers."),
        };
    }

    public bool IsSame(PrometheusSeries other) =>
        Labels.Count == other.Labels.Count && Labels.All(label => other.Labels.GetValueOrDefault(label.Key) == label.Value);

    public override string ToString() =>
        "{" + string.Join(", ", Labels.Where(label => label.Key != "__name__").Select(label => $"{label.Key}=\"{label.Value}\"")) + "}";

    private static Dictionary<string, string> ReadLabels(JsonElement item) =>
        item.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString() ?? "");

    // [seconds, "value"]; the value is text because it may be NaN or infinite.
    private static double ReadPoint(JsonElement point) => point[1].GetString() switch
    {
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var text => double.Parse(text!, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}

/// <summary>Prometheus could not be asked, or its answer not understood; the message is for people.</summary>
internal sealed class PrometheusException(string message, Exception? inner = null) : Exception(message, inner);
