using System.Globalization;
using System.Text.RegularExpressions;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>Reads the part of PromQL that the range answers: a selector, aggregations with <c>by</c>, a comparison with a number.</summary>
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
            throw new PromQueryException($"1:{_tokens[_next - 1].At + 1}: parse error: unknown function with name \"{metric}\" (the practice range knows {string.Join(", ", AggregateExpression.Functions)})");
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
