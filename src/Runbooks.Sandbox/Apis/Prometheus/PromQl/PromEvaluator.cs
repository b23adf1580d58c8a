namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <summary>The value of an expression: a number, a vector, or the points of several series.</summary>
internal abstract record PromValue
{
    public sealed record Scalar(double Value) : PromValue;

    public sealed record Text(string Value) : PromValue;

    public sealed record Vector(IReadOnlyList<Sample> Samples) : PromValue;

    public sealed record Matrix(IReadOnlyList<Points> Series, TimeSpan Range, DateTimeOffset To) : PromValue;
}

/// <summary>Evaluates an expression at a moment.</summary>
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

    /// <summary>The samples at each step, as series.</summary>
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

/// <summary><c>sum</c>, <c>max</c> and their relatives.</summary>
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
                group.Labels,
                Fold(aggregate.Function, [.. group.Samples.Select(sample => sample.Value)], parameter))),
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

/// <summary>Arithmetic, comparisons and set operators, with the matching of vectors.</summary>
/// <seealso href="https://prometheus.io/docs/prometheus/latest/querying/operators/"/>
internal static class BinaryOperators
{
    public static PromValue Apply(BinaryExpression binary, PromValue left, PromValue right) => (left, right) switch
    {
        (PromValue.Scalar a, PromValue.Scalar b) when !IsComparison(binary.Operator)
            || binary.ReturnsBool => new PromValue.Scalar(Calculate(binary.Operator, a.Value, b.Value)),
        (PromValue.Scalar, PromValue.Scalar) => throw new PromQueryException("parse error: comparisons between scalars must use BOOL modifier"),
        (PromValue.Vector a, PromValue.Scalar b) => OneByOne(binary, a.Samples, sample => (sample.Value, b.Value)),
        (PromValue.Scalar a, PromValue.Vector b) => OneByOne(binary, b.Samples, sample => (a.Value, sample.Value)),
        (PromValue.Vector a, PromValue.Vector b) when binary.Operator is "and" or "or" or "unless" => Sets(binary, a.Samples, b.Samples),
        (PromValue.Vector a, PromValue.Vector b) => Match(binary, a.Samples, b.Samples),
        _ => throw new PromQueryException("parse error: binary expression must contain only scalar and instant vector types"),
    };

    private static PromValue.Vector OneByOne(BinaryExpression binary, IReadOnlyList<Sample> samples, Func<Sample, (double, double)> sides) => new(
    [
        .. from sample in samples
           let result = Result(binary, sides(sample).Item1, sides(sample).Item2, sample.Value)
           where result is not null
           select new Sample(binary.Matching.Result(sample.Labels), result.Value),
    ]);

    private static PromValue.Vector Sets(BinaryExpression binary, IReadOnlyList<Sample> left, IReadOnlyList<Sample> right)
    {
        var there = right.Select(sample => binary.Matching.Signature(sample.Labels)).ToHashSet();
        if (binary.Operator == "or")
        {
            var here = left.Select(sample => binary.Matching.Signature(sample.Labels)).ToHashSet();
            return new([.. left, .. right.Where(sample => !here.Contains(binary.Matching.Signature(sample.Labels)))]);
        }

        return new([.. left.Where(sample => there.Contains(binary.Matching.Signature(sample.Labels)) == (binary.Operator == "and"))]);
    }

    private static PromValue.Vector Match(BinaryExpression binary, IReadOnlyList<Sample> left, IReadOnlyList<Sample> right)
    {
        // On the side that is looked up, each set of labels has one sample.
        var (many, one) = binary.Many == Side.Right ? (right, left) : (left, right);
        var index = new Dictionary<string, Sample>();
        foreach (var sample in one)
        {
            if (!index.TryAdd(binary.Matching.Signature(sample.Labels), sample))
            {
                throw new PromQueryException(
                    $"execution: found duplicate series for the match group on "
                        + $"the {(binary.Many == Side.Right ? "left" : "right")} hand-side of the operation; "
                        + "many-to-many matching not allowed: matching labels must be unique on one side");
            }
        }

        var seen = new HashSet<string>();
        var samples = new List<Sample>();
        foreach (var sample in many)
        {
            var signature = binary.Matching.Signature(sample.Labels);
            if (!index.TryGetValue(signature, out var other))
            {
                continue;
            }

            var (a, b) = binary.Many == Side.Right ? (other, sample) : (sample, other);
            if (Result(binary, a.Value, b.Value, a.Value) is not { } result)
            {
                continue;
            }

            if (binary.Many is null && !seen.Add(signature))
            {
                throw new PromQueryException("execution: multiple matches for labels: "
                    + "many-to-one matching must be explicit (group_left/group_right)");
            }

            samples.Add(new Sample(binary.Matching.Joined(sample.Labels, other.Labels), result));
        }

        return new(samples);
    }

    private static double? Result(BinaryExpression binary, double left, double right, double kept)
    {
        var result = Calculate(binary.Operator, left, right);
        return !IsComparison(binary.Operator) || binary.ReturnsBool ? result : result == 1 ? kept : null;
    }

    public static bool IsComparison(string sign) => sign is "==" or "!=" or ">" or "<" or ">=" or "<=";

    private static double Calculate(string sign, double left, double right) => sign switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        "^" => Math.Pow(left, right),
        "==" => left == right ? 1 : 0,
        "!=" => left != right ? 1 : 0,
        ">" => left > right ? 1 : 0,
        "<" => left < right ? 1 : 0,
        ">=" => left >= right ? 1 : 0,
        "<=" => left <= right ? 1 : 0,
        _ => throw new PromQueryException($"parse error: set operator \"{sign}\" not allowed in binary scalar expression"),
    };
}

/// <summary>
/// The labels of a binary expression's result. A query over time meets the same labels at each moment, so each result is cached.
/// </summary>
internal sealed class LabelMatching(BinaryExpression binary, bool keepsName)
{
    private readonly Dictionary<IReadOnlyDictionary<string, string>, string> _signatures = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>> _results = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>), IReadOnlyDictionary<string, string>> _joined = [];

    /// <summary>Samples of both sides with the same signature match.</summary>
    public string Signature(IReadOnlyDictionary<string, string> labels) => Once(_signatures, labels, () => LabelSets.Key(binary.On
        ? LabelSets.Only(labels, binary.Labels)
        : LabelSets.Without(labels, binary.Labels.Append(LabelSets.Name))));

    /// <summary>The labels of a result. A comparison that only filters keeps the name; a calculation drops it.</summary>
    public IReadOnlyDictionary<string, string> Result(IReadOnlyDictionary<string, string> labels) =>
        Once(_results, labels, () => keepsName ? labels : LabelSets.Without(labels, LabelSets.Name));

    /// <summary>The labels of the result of two matching samples.</summary>
    public IReadOnlyDictionary<string, string> Joined(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> other) =>
        Once(_joined, (labels, other), () => Join(labels, other));

    private Dictionary<string, string> Join(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> other)
    {
        var result = Result(labels).ToDictionary();
        if (binary.Many is null)
        {
            return binary.On ? LabelSets.Only(result, binary.Labels.Append(LabelSets.Name)) : LabelSets.Without(result, binary.Labels);
        }

        foreach (var label in binary.Include)
        {
            result.Remove(label);
            if (other.TryGetValue(label, out var value))
            {
                result[label] = value;
            }
        }

        return result;
    }

    private static TMade Once<TKey, TMade>(Dictionary<TKey, TMade> made, TKey key, Func<TMade> make)
        where TKey : notnull
    {
        if (!made.TryGetValue(key, out var there))
        {
            made[key] = there = make();
        }

        return there;
    }
}
