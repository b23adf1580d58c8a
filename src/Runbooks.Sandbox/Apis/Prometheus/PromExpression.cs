namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>The few kinds of expression that the range can evaluate.</summary>
internal abstract record PromExpression
{
    /// <summary>Its value at a moment; a scalar is a single sample without labels.</summary>
    public abstract IEnumerable<Sample> Evaluate(GpuMetrics metrics, DateTimeOffset at);

    public virtual bool IsScalar => false;
}

internal sealed record NumberExpression(double Value) : PromExpression
{
    public override bool IsScalar => true;

    public override IEnumerable<Sample> Evaluate(GpuMetrics metrics, DateTimeOffset at) =>
        [new Sample(new Dictionary<string, string>(), Value)];
}

internal sealed record SelectorExpression(string Metric, IReadOnlyList<LabelMatcher> Matchers) : PromExpression
{
    public override IEnumerable<Sample> Evaluate(GpuMetrics metrics, DateTimeOffset at)
    {
        // A pod that is asked for by its name exists; this is how several incidents stay apart.
        foreach (var matcher in Matchers.Where(matcher => matcher is { Label: "pod", Operator: "=" }))
        {
            metrics.Ask(matcher.Value);
        }

        return metrics.Read(Metric, at).Where(sample => Matchers.All(matcher => matcher.Matches(sample.Labels)));
    }
}

internal sealed record AggregateExpression(string Function, IReadOnlyList<string> By, PromExpression Of) : PromExpression
{
    public static readonly string[] Functions = ["max", "min", "avg", "sum", "count"];

    public override IEnumerable<Sample> Evaluate(GpuMetrics metrics, DateTimeOffset at) => Of.Evaluate(metrics, at)
        .Select(sample => (Sample: sample, Group: (IReadOnlyDictionary<string, string>)By.Where(sample.Labels.ContainsKey).ToDictionary(label => label, label => sample.Labels[label])))
        .GroupBy(pair => new Sample(pair.Group, 0).Key)
        .Select(group => new Sample(group.First().Group, Fold([.. group.Select(pair => pair.Sample.Value)])));

    private double Fold(double[] values) => Function switch
    {
        "max" => values.Max(),
        "min" => values.Min(),
        "avg" => values.Average(),
        "sum" => values.Sum(),
        _ => values.Length,
    };
}

internal sealed record CompareExpression(PromExpression Left, string Operator, double Right) : PromExpression
{
    public override IEnumerable<Sample> Evaluate(GpuMetrics metrics, DateTimeOffset at) =>
        Left.Evaluate(metrics, at).Where(sample => Operator switch
        {
            ">" => sample.Value > Right,
            ">=" => sample.Value >= Right,
            "<" => sample.Value < Right,
            "<=" => sample.Value <= Right,
            "==" => sample.Value == Right,
            _ => sample.Value != Right,
        });
}
