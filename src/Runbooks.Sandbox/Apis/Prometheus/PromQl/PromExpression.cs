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
