namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

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

    public string Signature(IReadOnlyDictionary<string, string> labels) => Once(_signatures, labels, () => LabelSets.Key(binary.On
        ? LabelSets.Only(labels, binary.Labels)
        : LabelSets.Without(labels, binary.Labels.Append(LabelSets.Name))));

    /// <summary>The labels of a result. A comparison that only filters keeps the name; a calculation drops it.</summary>
    public IReadOnlyDictionary<string, string> Result(IReadOnlyDictionary<string, string> labels) =>
        Once(_results, labels, () => keepsName ? labels : LabelSets.Without(labels, LabelSets.Name));

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
