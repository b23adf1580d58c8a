using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Runbooks.Steps.Parameters;

/// <summary>A comparison with a number, written <c>&gt; 95</c>, <c>&lt;= 0.5</c>, <c>== 0</c> or <c>!= 1</c>.</summary>
[Description("a comparison such as \"> 95\", \"<= 0.5\", \"== 0\" or \"!= 1\"")]
public sealed record Threshold(string Operator, double Bound) : IParsable<Threshold>
{
    // Longer ones first: '>' is the beginning of '>='.
    private static readonly string[] s_operators = [">=", "<=", "==", "!=", ">", "<"];

    public bool Holds(double value) => Operator switch
    {
        ">=" => value >= Bound,
        "<=" => value <= Bound,
        "==" => value == Bound,
        "!=" => value != Bound,
        ">" => value > Bound,
        _ => value < Bound,
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Operator} {Bound}");

    public static Threshold Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var threshold) ? threshold : throw new FormatException($"'{s}' is not a comparison such as '> 95'.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out Threshold result)
    {
        result = null;
        var text = (s ?? "").Trim();
        var sign = Array.Find(s_operators, candidate => text.StartsWith(candidate, StringComparison.Ordinal));
        if (sign is null
            || !double.TryParse(text.AsSpan(sign.Length).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var bound)
            || !double.IsFinite(bound))
        {
            return false;
        }

        result = new Threshold(sign, bound);
        return true;
    }
}
