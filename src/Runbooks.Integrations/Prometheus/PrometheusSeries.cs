namespace Runbooks.Integrations.Prometheus;

/// <summary>One series of a result with its values, oldest first. In an instant vector each series has one value.</summary>
internal sealed record PrometheusSeries(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<double> Values)
{
    /// <summary>The moments that the values are for, in seconds since 1970.</summary>
    public IReadOnlyList<double> Times { get; init; } = [];

    /// <summary>Reads <c>data</c> of an answer: a vector, a matrix or a scalar.</summary>
    public static IReadOnlyList<PrometheusSeries> Read(JsonElement data)
    {
        var result = data.GetProperty("result");
        return data.GetProperty("resultType").GetString() switch
        {
            "vector" => [.. result.EnumerateArray().Select(ReadOne)],
            "matrix" => [.. result.EnumerateArray().Select(ReadMany)],
            "scalar" => [new PrometheusSeries(new Dictionary<string, string>(), [ReadPoint(result)])],
            var other => throw new PrometheusException($"Prometheus answered with a {other}, not with numbers."),
        };
    }

    public bool IsSame(PrometheusSeries other) =>
        Labels.Count == other.Labels.Count && Labels.All(label => other.Labels.GetValueOrDefault(label.Key) == label.Value);

    public override string ToString() =>
        "{" + string.Join(", ", Labels.Where(label => label.Key != "__name__").Select(label => $"{label.Key}=\"{label.Value}\"")) + "}";

    private static PrometheusSeries ReadOne(JsonElement item)
    {
        var point = item.GetProperty("value");
        return new(ReadLabels(item), [ReadPoint(point)]) { Times = [ReadTime(point)] };
    }

    private static PrometheusSeries ReadMany(JsonElement item)
    {
        var points = item.GetProperty("values").EnumerateArray().ToList();
        return new(ReadLabels(item), [.. points.Select(ReadPoint)]) { Times = [.. points.Select(ReadTime)] };
    }

    private static Dictionary<string, string> ReadLabels(JsonElement item) =>
        item.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString() ?? "");

    private static double ReadTime(JsonElement point) => point[0].GetDouble();

    // [seconds, "value"]; the value is text because it may be NaN or infinite.
    private static double ReadPoint(JsonElement point) => point[1].GetString() switch
    {
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var text => double.Parse(text!, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}

/// <param name="Health"><c>ok</c>, <c>err</c>, or <c>unknown</c> until it is evaluated for the first time.</param>
internal sealed record AlertRule(string Name, string? Health)
{
    /// <summary>Why it cannot fire, in words; null when its last evaluation went well.</summary>
    public string? Trouble => Health switch
    {
        "ok" => null,
        "unknown" => "has not evaluated it yet",
        _ => "could not evaluate it lately",
    };

    public static IReadOnlyList<AlertRule> Read(JsonElement data) =>
    [
        .. from rules in data.GetProperty("groups").EnumerateArray()
           from rule in rules.GetProperty("rules").EnumerateArray()
           where rule.TryGetProperty("type", out var type) && type.GetString() == "alerting"
           select new AlertRule(
               rule.GetProperty("name").GetString()!, rule.TryGetProperty("health", out var health) ? health.GetString() : null),
    ];
}
