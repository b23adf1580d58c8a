using System.Globalization;
using System.Text.RegularExpressions;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>Reads the part of PromQL that the sandbox answers: a selector, aggregations with <c>by</c>, a comparison with a number.</summary>
internal sealed partial class PromParser
{
    private readonly List<(string Text, int At)> _tokens = [];
    private int _next;

    private PromParser(string query)
    {
        var at = 0;
        while (at < query.Length)
        {
            var match = Token().Match(query, at);
            if (!match.Success || match.Index != at)
            {
                throw new PromQueryException($"1:{at + 1}: parse error: unexpected character: '{query[at]}'");
            }

            if (!string.IsNullOrWhiteSpace(match.Value))
            {
                _tokens.Add((match.Value, at));
            }

            at += match.Length;
        }

        _tokens.Add(("", query.Length));
    }

    /// <exception cref="PromQueryException">With the position, as Prometheus words it.</exception>
    public static PromExpression Parse(string query)
    {
        var parser = new PromParser(query);
        var expression = parser.Comparison();
        return parser.Peek.Length == 0 ? expression : throw parser.Unexpected();
    }

    private string Peek => _tokens[_next].Text;

    private PromExpression Comparison()
    {
        var left = Term();
        return Peek is ">" or ">=" or "<" or "<=" or "==" or "!="
            ? new CompareExpression(left, Take(), Number())
            : left;
    }

    private PromExpression Term()
    {
        if (Peek.Length == 0)
        {
            throw new PromQueryException($"1:{_tokens[_next].At + 1}: parse error: no expression found in input");
        }

        if (Peek == "(")
        {
            Take();
            var inner = Comparison();
            Expect(")");
            return inner;
        }

        if (char.IsAsciiDigit(Peek[0]) || Peek[0] == '-')
        {
            return new NumberExpression(Number());
        }

        return AggregateExpression.Functions.Contains(Peek) && _tokens[_next + 1].Text is "(" or "by" ? Aggregate() : Selector();
    }

    private AggregateExpression Aggregate()
    {
        var function = Take();
        var by = Peek == "by" ? Labels() : null;
        Expect("(");
        var inner = Comparison();
        Expect(")");
        return new AggregateExpression(function, by ?? (Peek == "by" ? Labels() : []), inner);
    }

    private List<string> Labels()
    {
        Expect("by");
        Expect("(");
        var labels = new List<string>();
        while (Peek != ")")
        {
            labels.Add(Name());
            if (Peek == ",")
            {
                Take();
            }
        }

        Expect(")");
        return labels;
    }

    private SelectorExpression Selector()
    {
        var metric = Name();
        var matchers = new List<LabelMatcher>();
        if (Peek == "(")
        {
            throw new PromQueryException($"1:{_tokens[_next - 1].At + 1}: parse error: unknown function with name \"{metric}\" (the sandbox knows {string.Join(", ", AggregateExpression.Functions)})");
        }

        if (Peek != "{")
        {
            return new SelectorExpression(metric, matchers);
        }

        Take();
        while (Peek != "}")
        {
            var label = Name();
            var how = Peek is "=" or "!=" or "=~" or "!~" ? Take() : throw Unexpected();
            matchers.Add(new LabelMatcher(label, how, Text()));
            if (Peek == ",")
            {
                Take();
            }
        }

        Take();
        return new SelectorExpression(metric, matchers);
    }

    private string Name() => Peek.Length > 0 && (char.IsAsciiLetter(Peek[0]) || Peek[0] == '_') ? Take() : throw Unexpected();

    private string Text() => Peek.Length > 1 && Peek[0] is '"' or '\'' ? Unescaped(Take()[1..^1]) : throw Unexpected();

    private static string Unescaped(string text) => text.Replace("\\\\", "\0", StringComparison.Ordinal)
        .Replace("\\\"", "\"", StringComparison.Ordinal)
        .Replace("\\'", "'", StringComparison.Ordinal)
        .Replace("\\n", "\n", StringComparison.Ordinal)
        .Replace('\0', '\\');

    private double Number() => double.TryParse(Peek, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? (_next++, number).number
        : throw Unexpected();

    private string Take() => _tokens[_next++].Text;

    private void Expect(string text)
    {
        if (Peek != text)
        {
            throw Unexpected();
        }

        _next++;
    }

    private PromQueryException Unexpected() => new(Peek.Length == 0
        ? $"1:{_tokens[_next].At + 1}: parse error: unexpected end of input"
        : $"1:{_tokens[_next].At + 1}: parse error: unexpected \"{Peek}\"");

    [GeneratedRegex("""\s+|[A-Za-z_][A-Za-z0-9_:]*|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|=~|!~|!=|==|>=|<=|[={}(),<>]""", RegexOptions.NonBacktracking)]
    private static partial Regex Token();
}

/// <summary>The query cannot be understood; the message is what Prometheus answers as <c>bad_data</c>.</summary>
internal sealed class PromQueryException(string message) : Exception(message);

/// <summary>The few kinds of expression that the sandbox can evaluate.</summary>
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

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        var actual = labels.GetValueOrDefault(Label, "");
        return (_pattern?.IsMatch(actual) ?? actual == Value) != Operator.StartsWith('!');
    }
}

/// <summary>One value of one series at the moment that was asked for.</summary>
internal sealed record Sample(IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>Two samples with the same key are of the same series.</summary>
    public string Key => string.Join('\u0001', Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));
}
