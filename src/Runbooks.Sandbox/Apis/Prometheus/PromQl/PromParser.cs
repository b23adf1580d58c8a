namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <seealso href="https://prometheus.io/docs/prometheus/latest/querying/basics/"/>
internal sealed partial class PromParser
{
    // From the loosest to the tightest. All are left-associative except the power.
    private static readonly string[][] s_operators =
    [
        ["or"],
        ["and", "unless"],
        ["==", "!=", "<=", "<", ">=", ">"],
        ["+", "-"],
        ["*", "/", "%"],
        ["^"],
    ];

    private readonly IReadOnlyList<(string Text, int At)> _tokens;
    private int _next;

    private PromParser(string query) => _tokens = PromTokens.Of(query);

    private string Peek => _tokens[_next].Text;

    /// <exception cref="PromQueryException">With the position, in Prometheus' words.</exception>
    public static PromExpression Parse(string query)
    {
        var parser = new PromParser(query);
        if (parser.Peek.Length == 0)
        {
            throw new PromQueryException("1:1: parse error: no expression found in input");
        }

        var expression = parser.Binary(0);
        return parser.Peek.Length == 0 ? expression : throw parser.Unexpected();
    }

    private PromExpression Binary(int level)
    {
        if (level == s_operators.Length)
        {
            return Unary();
        }

        var left = Binary(level + 1);
        while (s_operators[level].Contains(Peek))
        {
            var sign = Take();
            var returnsBool = TakeIf("bool");
            var (on, labels) = Peek is "on" or "ignoring" ? (Take() == "on", Labels()) : (false, []);
            Side? many = Peek switch { "group_left" => Side.Left, "group_right" => Side.Right, _ => null };
            List<string> include = [];
            if (many is not null)
            {
                Take();
                include = Peek == "(" ? Labels() : [];
            }

            // The power is right-associative.
            var right = sign == "^" ? Binary(level) : Binary(level + 1);
            left = new BinaryExpression(left, sign, right, returnsBool, on, labels, many, include);
        }

        return left;
    }

    private PromExpression Unary()
    {
        if (Peek is "-" or "+")
        {
            return Take() == "-" ? new NegateExpression(Binary(s_operators.Length - 1)) : Binary(s_operators.Length - 1);
        }

        var expression = Atom();
        while (Peek is "[" or "offset")
        {
            expression = Suffix(expression);
        }

        return expression;
    }

    private PromExpression Suffix(PromExpression of)
    {
        if (TakeIf("offset"))
        {
            var back = TakeIf("-") ? -Duration() : Duration();
            return of switch
            {
                SelectorExpression selector => selector with { Offset = back },
                SubqueryExpression subquery => subquery with { Offset = back },
                _ => throw new PromQueryException(
                    $"1:{_tokens[_next - 1].At + 1}: parse error: offset modifier must be "
                        + "preceded by an instant vector selector or range vector selector or a subquery"),
            };
        }

        Expect("[");
        var range = Duration();
        if (TakeIf(":"))
        {
            TimeSpan? step = Peek == "]" ? null : Duration();
            Expect("]");
            return new SubqueryExpression(of, range, step, TimeSpan.Zero);
        }

        Expect("]");
        return of is SelectorExpression { Range: null } instant
            ? instant with { Range = range }
            : throw new PromQueryException($"1:{_tokens[_next - 1].At + 1}: parse error: ranges only allowed for vector selectors");
    }

    private PromExpression Atom()
    {
        if (TakeIf("("))
        {
            var inner = Binary(0);
            Expect(")");
            return inner;
        }

        if (Peek.Length > 0 && Peek[0] is '"' or '\'')
        {
            return new TextExpression(Text());
        }

        if (Peek.Length > 0 && (char.IsAsciiDigit(Peek[0]) || Peek is "Inf" or "NaN"))
        {
            return new NumberExpression(Number());
        }

        return Aggregation.Functions.Contains(Peek) && _tokens[_next + 1].Text is "(" or "by" or "without" ? Aggregate()
            : _tokens[Math.Min(_next + 1, _tokens.Count - 1)].Text == "(" && IsName(Peek) ? Call()
            : Selector();
    }

    private AggregateExpression Aggregate()
    {
        var function = Take();
        var (without, labels) = Peek is "by" or "without" ? (Take() == "without", Labels()) : (false, null);
        Expect("(");
        var inner = Binary(0);
        PromExpression? parameter = null;
        if (TakeIf(","))
        {
            (parameter, inner) = (inner, Binary(0));
        }

        Expect(")");
        if (labels is null && Peek is "by" or "without")
        {
            (without, labels) = (Take() == "without", Labels());
        }

        return new AggregateExpression(function, without, labels ?? [], parameter, inner);
    }

    private CallExpression Call()
    {
        var at = _tokens[_next].At;
        var function = Take();
        if (!Functions.IsKnown(function))
        {
            throw new PromQueryException($"1:{at + 1}: parse error: unknown function with name \"{function}\"");
        }

        Expect("(");
        var arguments = new List<PromExpression>();
        while (Peek != ")")
        {
            arguments.Add(Binary(0));
            if (Peek != ")")
            {
                Expect(",");
            }
        }

        Take();
        return new CallExpression(function, arguments);
    }

    private List<string> Labels()
    {
        Expect("(");
        var labels = new List<string>();
        while (Peek != ")")
        {
            labels.Add(Name());
            if (Peek != ")")
            {
                Expect(",");
            }
        }

        Take();
        return labels;
    }

    private SelectorExpression Selector()
    {
        var matchers = new List<LabelMatcher>();
        if (Peek != "{")
        {
            matchers.Add(new LabelMatcher(LabelSets.Name, "=", Name()));
        }

        if (TakeIf("{"))
        {
            while (Peek != "}")
            {
                var label = Name();
                var how = Peek is "=" or "!=" or "=~" or "!~" ? Take() : throw Unexpected();
                matchers.Add(new LabelMatcher(label, how, Text()));
                if (Peek != "}")
                {
                    Expect(",");
                }
            }

            Take();
        }

        return new SelectorExpression(matchers, null, TimeSpan.Zero);
    }

    private static bool IsName(string text) => text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] is '_' or ':') && text != ":";

    private string Name() => IsName(Peek) ? Take() : throw Unexpected();

    private string Text() => Peek.Length > 1 && Peek[0] is '"' or '\'' ? Unescaped(Take()[1..^1]) : throw Unexpected();

    private static string Unescaped(string text) => text.Replace("\\\\", "\0", StringComparison.Ordinal)
        .Replace("\\\"", "\"", StringComparison.Ordinal)
        .Replace("\\'", "'", StringComparison.Ordinal)
        .Replace("\\n", "\n", StringComparison.Ordinal)
        .Replace('\0', '\\');

    private double Number() => Peek switch
    {
        "Inf" => (_next++, double.PositiveInfinity).PositiveInfinity,
        "NaN" => (_next++, double.NaN).NaN,
        _ => double.TryParse(Peek, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (_next++, number).number : throw Unexpected(),
    };

    private TimeSpan Duration()
    {
        var text = Take();
        var parts = DurationPart().Matches(text);
        if (parts.Count == 0 || parts.Sum(part => part.Length) != text.Length)
        {
            throw new PromQueryException($"1:{_tokens[_next - 1].At + 1}: parse error: bad number or duration syntax: \"{text}\"");
        }

        return parts.Aggregate(TimeSpan.Zero, (sum, part) => sum + (int.Parse(
            part.Groups[1].Value, CultureInfo.InvariantCulture) * part.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            "w" => TimeSpan.FromDays(7),
            _ => TimeSpan.FromDays(365),
        }));
    }

    private string Take() => _tokens[_next].Text.Length == 0 ? throw Unexpected() : _tokens[_next++].Text;

    private bool TakeIf(string text)
    {
        var isIt = Peek == text;
        _next += isIt ? 1 : 0;
        return isIt;
    }

    private void Expect(string text)
    {
        if (!TakeIf(text))
        {
            throw Unexpected();
        }
    }

    private PromQueryException Unexpected() => new(Peek.Length == 0
        ? $"1:{_tokens[_next].At + 1}: parse error: unexpected end of input"
        : $"1:{_tokens[_next].At + 1}: parse error: unexpected \"{Peek}\"");

    [GeneratedRegex("([0-9]+)(ms|[smhdwy])", RegexOptions.NonBacktracking)]
    private static partial Regex DurationPart();
}
