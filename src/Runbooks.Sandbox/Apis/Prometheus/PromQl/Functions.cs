namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <seealso href="https://prometheus.io/docs/prometheus/latest/querying/functions/"/>
internal static class Functions
{
    private static readonly Dictionary<string, Func<Points, TimeSpan, DateTimeOffset, double?>> s_overTime = new(StringComparer.Ordinal)
    {
        ["rate"] = (points, range, to) => Extrapolated(points, range, to, isCounter: true) / range.TotalSeconds,
        ["increase"] = (points, range, to) => Extrapolated(points, range, to, isCounter: true),
        ["delta"] = (points, range, to) => Extrapolated(points, range, to, isCounter: false),
        ["irate"] = (points, _, _) => points.Values is [.., var before, var last]
            ? (last.Value < before.Value ? last.Value : last.Value - before.Value) / (last.At - before.At).TotalSeconds
            : null,
        ["changes"] = (points, _, _) => points.Values.Zip(points.Values.Skip(1)).Count(pair => pair.First.Value != pair.Second.Value),
        ["resets"] = (points, _, _) => points.Values.Zip(points.Values.Skip(1)).Count(pair => pair.First.Value > pair.Second.Value),
        ["avg_over_time"] = (points, _, _) => points.Values.Average(point => point.Value),
        ["min_over_time"] = (points, _, _) => points.Values.Min(point => point.Value),
        ["max_over_time"] = (points, _, _) => points.Values.Max(point => point.Value),
        ["sum_over_time"] = (points, _, _) => points.Values.Sum(point => point.Value),
        ["count_over_time"] = (points, _, _) => points.Values.Count,
        ["last_over_time"] = (points, _, _) => points.Values[^1].Value,
        ["present_over_time"] = (_, _, _) => 1,
    };

    private static readonly Dictionary<string, Func<double, double>> s_math = new(StringComparer.Ordinal)
    {
        ["abs"] = Math.Abs, ["ceil"] = Math.Ceiling, ["floor"] = Math.Floor, ["exp"] = Math.Exp, ["ln"] = Math.Log, ["log2"] = Math.Log2, ["log10"] = Math.Log10,
        ["sqrt"] = Math.Sqrt, ["sgn"] = value => Math.Sign(value),
    };

    private static readonly string[] s_others =
        [
            "round",
            "clamp",
            "clamp_min",
            "clamp_max",
            "absent",
            "absent_over_time",
            "scalar",
            "vector",
            "time",
            "timestamp",
            "sort",
            "sort_desc",
            "quantile_over_time",
            "histogram_quantile",
            "label_replace",
        ];

    public static bool IsKnown(string function) => s_overTime.ContainsKey(function) || s_math.ContainsKey(function) || s_others.Contains(function);

    public static PromValue Apply(string function, IReadOnlyList<PromValue> arguments, DateTimeOffset at)
    {
        if (s_overTime.TryGetValue(function, out var overTime))
        {
            return OverTime(Matrix(arguments, 0, function), overTime, keepName: function == "last_over_time");
        }

        if (s_math.TryGetValue(function, out var calculate))
        {
            return Each(arguments, function, calculate);
        }

        return function switch
        {
            "round" => Each(
                arguments,
                function,
                value => arguments.Count > 1
                    ? Math.Floor((value / Number(arguments, 1, function)) + 0.5) * Number(arguments, 1, function)
                    : Math.Floor(value + 0.5)),
            "clamp" => Each(arguments, function, value => Math.Clamp(value, Number(arguments, 1, function), Number(arguments, 2, function))),
            "clamp_min" => Each(arguments, function, value => Math.Max(value, Number(arguments, 1, function))),
            "clamp_max" => Each(arguments, function, value => Math.Min(value, Number(arguments, 1, function))),
            "absent" => Absent(Vector(arguments, 0, function).Count > 0),
            "absent_over_time" => Absent(Matrix(arguments, 0, function).Series.Count > 0),
            "scalar" => new PromValue.Scalar(Vector(arguments, 0, function) is [var only] ? only.Value : double.NaN),
            "vector" => new PromValue.Vector([new Sample(new Dictionary<string, string>(), Number(arguments, 0, function))]),
            "time" => new PromValue.Scalar(at.ToUnixTimeMilliseconds() / 1000.0),
            "timestamp" => Each(arguments, function, _ => at.ToUnixTimeMilliseconds() / 1000.0),
            "sort" => new PromValue.Vector([.. Vector(arguments, 0, function).OrderBy(sample => sample.Value)]),
            "sort_desc" => new PromValue.Vector([.. Vector(arguments, 0, function).OrderByDescending(sample => sample.Value)]),
            "quantile_over_time" => OverTime(
                Matrix(arguments, 1, function),
                (points, _, _) => Aggregation.Quantile(Number(arguments, 0, function), [.. points.Values.Select(point => point.Value)]),
                keepName: false),
            "histogram_quantile" => HistogramQuantile(Number(arguments, 0, function), Vector(arguments, 1, function)),
            _ => LabelReplace(arguments),
        };
    }

    private static PromValue.Vector OverTime(PromValue.Matrix matrix, Func<Points, TimeSpan, DateTimeOffset, double?> of, bool keepName) => new(
    [
        .. from points in matrix.Series
           where points.Values.Count > 0
           let value = of(points, matrix.Range, matrix.To)
           where value is not null
           select new Sample(keepName ? points.Labels : LabelSets.Without(points.Labels, LabelSets.Name), value.Value),
    ]);

    private static PromValue.Vector Each(IReadOnlyList<PromValue> arguments, string function, Func<double, double> of) =>
        new([.. Vector(arguments, 0, function).Select(sample => new Sample(LabelSets.Without(sample.Labels, LabelSets.Name), of(sample.Value)))]);

    private static PromValue.Vector Absent(bool there) => new(there ? [] : [new Sample(new Dictionary<string, string>(), 1)]);

    // As in Prometheus: up to the ends of the range, but not far beyond the first and the last sample of the series.
    private static double? Extrapolated(Points points, TimeSpan range, DateTimeOffset to, bool isCounter)
    {
        if (points.Values.Count < 2)
        {
            return null;
        }

        var (first, last) = (points.Values[0], points.Values[^1]);
        var result = last.Value - first.Value;
        if (isCounter)
        {
            result += points.Values.Zip(points.Values.Skip(1)).Where(pair => pair.Second.Value < pair.First.Value).Sum(pair => pair.First.Value);
        }

        var sampled = (last.At - first.At).TotalSeconds;
        var (toStart, toEnd, average) = ((first.At - (to - range)).TotalSeconds, (to - last.At).TotalSeconds, sampled / (points.Values.Count - 1));
        if (isCounter && result > 0 && first.Value >= 0)
        {
            toStart = Math.Min(toStart, sampled * (first.Value / result));
        }

        var threshold = average * 1.1;
        var extrapolated = sampled + (toStart < threshold ? toStart : average / 2) + (toEnd < threshold ? toEnd : average / 2);
        return result * (extrapolated / sampled);
    }

    private static PromValue.Vector HistogramQuantile(double quantile, IReadOnlyList<Sample> samples) => new(
    [
        .. samples.Where(sample => sample.Labels.ContainsKey("le")).GroupBy(sample => LabelSets.Key(LabelSets.Without(
            sample.Labels, "le", LabelSets.Name)))
            .Select(group => new Sample(
                LabelSets.Without(group.First().Labels, "le", LabelSets.Name),
                Quantile(quantile, [.. group.Select(sample => (Bound(sample.Labels["le"]), sample.Value)).OrderBy(bucket => bucket.Item1)]))),
    ]);

    private static double Quantile(double quantile, List<(double Bound, double Count)> buckets)
    {
        var total = buckets.Count > 0 ? buckets[^1].Count : 0;
        if (buckets.Count < 2 || !double.IsPositiveInfinity(buckets[^1].Bound) || total == 0)
        {
            return double.NaN;
        }

        var rank = quantile * total;
        var index = buckets.FindIndex(bucket => bucket.Count >= rank);
        if (index == buckets.Count - 1)
        {
            return buckets[^2].Bound;
        }

        var (low, before) = index == 0 ? (0, 0) : buckets[index - 1];
        return low + ((buckets[index].Bound - low) * ((rank - before) / (buckets[index].Count - before)));
    }

    private static double Bound(string le) => le == "+Inf"
        ? double.PositiveInfinity
        : double.Parse(le, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static PromValue.Vector LabelReplace(IReadOnlyList<PromValue> arguments)
    {
        string Text(int index) => arguments.Count > index && arguments[index] is PromValue.Text text
            ? text.Value
            : throw Wrong("string", "label_replace");
        var (target, replacement, source, pattern) = (Text(1), Text(2), Text(3), new Regex($"^(?:{Text(4)})$", RegexOptions.NonBacktracking));
        return new(
        [
            .. Vector(arguments, 0, "label_replace").Select(sample =>
            {
                var match = pattern.Match(sample.Labels.GetValueOrDefault(source, ""));
                if (!match.Success)
                {
                    return sample;
                }

                var labels = LabelSets.Without(sample.Labels, target);
                labels[target] = match.Result(replacement);
                return new Sample(labels, sample.Value);
            }),
        ]);
    }

    private static IReadOnlyList<Sample> Vector(IReadOnlyList<PromValue> arguments, int index, string function) =>
        arguments.Count > index && arguments[index] is PromValue.Vector vector ? vector.Samples : throw Wrong("instant vector", function);

    private static PromValue.Matrix Matrix(IReadOnlyList<PromValue> arguments, int index, string function) =>
        arguments.Count > index && arguments[index] is PromValue.Matrix matrix ? matrix : throw Wrong("range vector", function);

    private static double Number(IReadOnlyList<PromValue> arguments, int index, string function) =>
        arguments.Count > index && arguments[index] is PromValue.Scalar scalar ? scalar.Value : throw Wrong("scalar", function);

    private static PromQueryException Wrong(string type, string function) =>
        new($"parse error: expected type {type} in call to function \"{function}\"");
}
