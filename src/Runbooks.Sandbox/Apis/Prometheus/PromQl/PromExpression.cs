namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <summary>A query that cannot be parsed or evaluated. The message is that of Prometheus for <c>bad_data</c>.</summary>
internal sealed class PromQueryException(string message) : Exception(message);

internal abstract record PromExpression;

internal sealed record NumberExpression(double Value) : PromExpression;

internal sealed record TextExpression(string Value) : PromExpression;

/// <param name="Range">How far back a range vector reaches; null for an instant vector.</param>
internal sealed record SelectorExpression(IReadOnlyList<LabelMatcher> Matchers, TimeSpan? Range, TimeSpan Offset) : PromExpression;

internal sealed record SubqueryExpression(PromExpression Of, TimeSpan Range, TimeSpan? Step, TimeSpan Offset) : PromExpression;

internal sealed record CallExpression(string Function, IReadOnlyList<PromExpression> Arguments) : PromExpression;

/// <param name="Without">The labels are dropped instead of kept.</param>
internal sealed record AggregateExpression(
    string Function, bool Without, IReadOnlyList<string> Labels, PromExpression? Parameter, PromExpression Of) : PromExpression;

internal sealed record NegateExpression(PromExpression Of) : PromExpression;

/// <param name="ReturnsBool">A comparison gives 0 or 1 instead of leaving out samples.</param>
/// <param name="On">The labels have to match; otherwise they are ignored.</param>
/// <param name="Many">The side where several samples may match one of the other; null for one to one.</param>
internal sealed record BinaryExpression(
    PromExpression Left, string Operator, PromExpression Right, bool ReturnsBool, bool On, IReadOnlyList<string> Labels, Side? Many, IReadOnlyList<string> Include) : PromExpression
{
    public LabelMatching Matching => field ??= new(this, keepsName: BinaryOperators.IsComparison(Operator) && !ReturnsBool);
}

internal enum Side { Left, Right }

/// <summary><c>name="value"</c> and its relatives <c>!=</c>, <c>=~</c>, <c>!~</c>.</summary>
internal sealed class LabelMatcher
{
    private readonly Regex? _pattern;

    /// <exception cref="PromQueryException">The pattern is not a regular expression.</exception>
    public LabelMatcher(string label, string @operator, string value)
    {
        (Label, Operator, Value) = (label, @operator, value);
        try
        {
            _pattern = @operator.EndsWith('~') ? new Regex($"^(?:{value})$", RegexOptions.NonBacktracking) : null;
        }
        catch (Exception bad) when (bad is ArgumentException or NotSupportedException)
        {
            throw new PromQueryException($"parse error: invalid regular expression: {bad.Message}");
        }
    }

    public string Label { get; }

    public string Operator { get; }

    public string Value { get; }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Matches(labels.GetValueOrDefault(Label, ""));

    public bool Matches(string actual) => (_pattern?.IsMatch(actual) ?? actual == Value) != Operator.StartsWith('!');
}

internal static class LabelSets
{
    public const string Name = "__name__";

    public static string Key(IEnumerable<KeyValuePair<string, string>> labels) =>
        string.Join(
            '\u0001',
            labels.Where(label => label.Value.Length > 0)
                .OrderBy(label => label.Key, StringComparer.Ordinal)
                .Select(label => $"{label.Key}={label.Value}"));

    public static Dictionary<string, string> Without(IReadOnlyDictionary<string, string> labels, params IEnumerable<string> dropped) =>
        labels.ExceptBy(dropped, label => label.Key).ToDictionary();

    public static Dictionary<string, string> Only(IReadOnlyDictionary<string, string> labels, IEnumerable<string> kept) =>
        labels.IntersectBy(kept, label => label.Key).ToDictionary();
}

internal sealed record Sample(IReadOnlyDictionary<string, string> Labels, double Value)
{
    public string Key => LabelSets.Key(Labels);
}

internal sealed record Points(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<(DateTimeOffset At, double Value)> Values);

internal interface ISeriesSource
{
    IEnumerable<Sample> Instant(IReadOnlyList<LabelMatcher> matchers, DateTimeOffset at);

    IEnumerable<Points> Range(IReadOnlyList<LabelMatcher> matchers, DateTimeOffset from, DateTimeOffset to);
}

internal static partial class PromTokens
{
    /// <returns>Tokens with their positions; an empty one at the end.</returns>
    /// <exception cref="PromQueryException">No token begins with a character.</exception>
    public static IReadOnlyList<(string Text, int At)> Of(string query)
    {
        List<(string Text, int At)> tokens = [];
        var at = 0;
        while (at < query.Length)
        {
            var match = Token().Match(query, at);
            if (!match.Success || match.Index != at)
            {
                throw new PromQueryException($"1:{at + 1}: parse error: unexpected character: '{query[at]}'");
            }

            // In brackets a colon separates range and step; elsewhere it may begin a name.
            var length = match.Value[0] == ':' && tokens is [.., { Text: "[" }, _] ? 1 : match.Length;
            if (!string.IsNullOrWhiteSpace(match.Value) && match.Value[0] != '#')
            {
                tokens.Add((query.Substring(at, length), at));
            }

            at += length;
        }

        tokens.Add(("", query.Length));
        return tokens;
    }

    [GeneratedRegex(
        """\s+|#[^\n]*|([0-9]+(ms|[smhdwy]))+|[A-Za-z_:][A-Za-z0-9_:]*|([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"""
        + """|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|=~|!~|!=|==|>=|<=|[={}()\[\],<>+\-*/%^]""",
        RegexOptions.NonBacktracking)]
    private static partial Regex Token();
}

internal abstract record PromValue
{
    public sealed record Scalar(double Value) : PromValue;

    public sealed record Text(string Value) : PromValue;

    public sealed record Vector(IReadOnlyList<Sample> Samples) : PromValue;

    public sealed record Matrix(IReadOnlyList<Points> Series, TimeSpan Range, DateTimeOffset To) : PromValue;
}

internal sealed class PromEvaluator(ISeriesSource source)
{
    private static readonly TimeSpan s_defaultStep = TimeSpan.FromMinutes(1);

    /// <exception cref="PromQueryException">The types do not fit, for example a vector where a number must be.</exception>
    public PromValue Evaluate(PromExpression expression, DateTimeOffset at) => expression switch
    {
        NumberExpression number => new PromValue.Scalar(number.Value),
        TextExpression text => new PromValue.Text(text.Value),
        SelectorExpression { Range: { } range } selector => new PromValue.Matrix(
            [.. source.Range(selector.Matchers, at - selector.Offset - range, at - selector.Offset)], range, at - selector.Offset),
        SelectorExpression selector => new PromValue.Vector([.. source.Instant(selector.Matchers, at - selector.Offset)]),
        SubqueryExpression subquery => Subquery(subquery, at - subquery.Offset),
        NegateExpression negate => Negate(Evaluate(negate.Of, at)),
        AggregateExpression aggregate => new PromValue.Vector(
            Aggregation.Apply(aggregate, Vector(aggregate.Of, at), aggregate.Parameter is null ? null : Evaluate(aggregate.Parameter, at))),
        BinaryExpression binary => BinaryOperators.Apply(binary, Evaluate(binary.Left, at), Evaluate(binary.Right, at)),
        CallExpression call => Functions.Apply(call.Function, [.. call.Arguments.Select(argument => Evaluate(argument, at))], at),
        _ => throw new PromQueryException($"the sandbox cannot evaluate {expression.GetType().Name}"),
    };

    /// <summary>For graphs: a number counts as one sample without labels.</summary>
    public IReadOnlyList<Sample> Samples(PromExpression expression, DateTimeOffset at) => Evaluate(expression, at) switch
    {
        PromValue.Scalar scalar => [new Sample(new Dictionary<string, string>(), scalar.Value)],
        PromValue.Vector vector => vector.Samples,
        _ => throw new PromQueryException("invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"),
    };

    private IReadOnlyList<Sample> Vector(PromExpression expression, DateTimeOffset at) => Evaluate(expression, at) is PromValue.Vector vector
        ? vector.Samples
        : throw new PromQueryException("parse error: expected type instant vector in aggregation expression");

    private PromValue.Matrix Subquery(SubqueryExpression subquery, DateTimeOffset at)
    {
        var step = subquery.Step ?? s_defaultStep;
        var first = new DateTimeOffset(((at - subquery.Range).UtcTicks / step.Ticks * step.Ticks) + step.Ticks, TimeSpan.Zero);
        return new(Over(subquery.Of, first, at, step), subquery.Range, at);
    }

    public IReadOnlyList<Points> Over(PromExpression expression, DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        var series = new Dictionary<string, (IReadOnlyDictionary<string, string> Labels, List<(DateTimeOffset, double)> Values)>();
        for (var at = from; at <= to; at += step)
        {
            foreach (var sample in Samples(expression, at))
            {
                if (!series.TryGetValue(sample.Key, out var one))
                {
                    series[sample.Key] = one = (sample.Labels, []);
                }

                one.Values.Add((at, sample.Value));
            }
        }

        return [.. series.Values.Select(one => new Points(one.Labels, one.Values))];
    }

    private static PromValue Negate(PromValue value) => value switch
    {
        PromValue.Scalar scalar => new PromValue.Scalar(-scalar.Value),
        PromValue.Vector vector => new PromValue.Vector([
            .. vector.Samples.Select(sample => new Sample(LabelSets.Without(sample.Labels, LabelSets.Name), -sample.Value)),
        ]),
        _ => throw new PromQueryException("parse error: unary expression only allowed on expressions of type scalar or instant vector"),
    };
}

internal static class Aggregation
{
    public static readonly string[] Functions =
    [
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "group",
        "stddev",
        "topk",
        "bottomk",
        "quantile",
        "count_values",
    ];

    public static IReadOnlyList<Sample> Apply(AggregateExpression aggregate, IReadOnlyList<Sample> samples, PromValue? parameter)
    {
        var groups = samples.Select(sample => (Sample: sample, Group: (IReadOnlyDictionary<string, string>)(aggregate.Without
                ? LabelSets.Without(sample.Labels, aggregate.Labels.Append(LabelSets.Name))
                : LabelSets.Only(sample.Labels, aggregate.Labels))))
            .GroupBy(pair => LabelSets.Key(pair.Group))
            .Select(group => (Labels: group.First().Group, Samples: group.Select(pair => pair.Sample).ToList()));
        if (aggregate.Function is "topk" or "bottomk")
        {
            var many = (int)Number(parameter);
            return [
                .. groups.SelectMany(group => (aggregate.Function == "topk"
                    ? group.Samples.OrderByDescending(sample => sample.Value)
                    : group.Samples.OrderBy(sample => sample.Value)).Take(many)),
            ];
        }

        return [
            .. groups.Select(group => new Sample(
                group.Labels, Fold(aggregate.Function, [.. group.Samples.Select(sample => sample.Value)], parameter))),
        ];
    }

    public static double Quantile(double quantile, IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        var sorted = values.Order().ToList();
        var rank = Math.Clamp(quantile, 0, 1) * (sorted.Count - 1);
        var (low, high) = ((int)Math.Floor(rank), Math.Min((int)Math.Floor(rank) + 1, sorted.Count - 1));
        return (sorted[low] * (1 - (rank - low))) + (sorted[high] * (rank - low));
    }

    private static double Fold(string function, double[] values, PromValue? parameter) => function switch
    {
        "max" => values.Max(),
        "min" => values.Min(),
        "avg" => values.Average(),
        "sum" => values.Sum(),
        "count" => values.Length,
        "group" => 1,
        "stddev" => Math.Sqrt(values.Average(value => Math.Pow(value - values.Average(), 2))),
        "quantile" => Quantile(Number(parameter), values),
        _ => throw new PromQueryException($"the sandbox does not know the aggregation {function}"),
    };

    private static double Number(PromValue? value) => value is PromValue.Scalar scalar
        ? scalar.Value
        : throw new PromQueryException("parse error: expected type scalar in aggregation parameter");
}
