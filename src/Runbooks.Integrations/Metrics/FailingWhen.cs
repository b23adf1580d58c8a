using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Integrations.Metrics;

/// <summary>When a measured value is bad: a comparison with a number, or <c>absent</c> for no value at all.</summary>
[Description("a comparison such as \"> 95\", \"< 1\" or \"== 0\", or absent")]
public sealed record FailingWhen : IParsable<FailingWhen>
{
    private const string Absent = "absent";

    // Longer ones first: '>' is the beginning of '>='.
    private static readonly string[] s_operators = [">=", "<=", "==", "!=", ">", "<"];

    private readonly string _operator;
    private readonly double _bound;

    private FailingWhen(string @operator, double bound) => (_operator, _bound) = (@operator, bound);

    /// <summary>Failing is that there is nothing.</summary>
    public bool IsAbsent => _operator == Absent;

    public bool Holds(double value) => _operator switch
    {
        ">=" => value >= _bound,
        "<=" => value <= _bound,
        "==" => value == _bound,
        "!=" => value != _bound,
        ">" => value > _bound,
        "<" => value < _bound,
        _ => false,
    };

    /// <summary>Whether some value between the two is bad.</summary>
    public bool HoldsWithin(double least, double most) => IsAbsent || _operator switch
    {
        "==" => _bound >= least && _bound <= most,
        _ => Holds(least) || Holds(most),
    };

    /// <summary>Whether every value between the two is bad.</summary>
    public bool HoldsThroughout(double least, double most) => _operator switch
    {
        "!=" => _bound < least || _bound > most,
        "==" => false,
        _ => Holds(least) && Holds(most),
    };

    /// <summary>Bad is more, or less, than some share of one. Less than 1 may well be meant: nearly nothing.</summary>
    public bool IsOfAShare => (_operator is ">" or ">=" && _bound is > 0 and <= 1) || (_operator is "<" or "<=" && _bound is > 0 and < 1);

    /// <summary>The item whose value is the furthest on the failing side; one that is not a number only when all are.</summary>
    public T Worst<T>(IReadOnlyCollection<T> items, Func<T, double> value)
        where T : class
    {
        var numbers = items.Where(item => !double.IsNaN(value(item))).DefaultIfEmpty(items.First()).ToList();
        return _operator switch
        {
            ">" or ">=" => numbers.MaxBy(value)!,
            "<" or "<=" => numbers.MinBy(value)!,
            _ => numbers.Find(item => Holds(value(item))) ?? numbers[0],
        };
    }

    public override string ToString() => IsAbsent ? Absent : string.Create(CultureInfo.InvariantCulture, $"{_operator} {_bound}");

    public static FailingWhen Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var failing) ? failing : throw new FormatException($"'{s}' is neither a comparison such as '> 95' nor 'absent'.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out FailingWhen result)
    {
        var text = (s ?? "").Trim();
        var sign = Array.Find(s_operators, candidate => text.StartsWith(candidate, StringComparison.Ordinal)) ?? "";
        result = text == Absent ? new FailingWhen(Absent, double.NaN)
            : sign.Length > 0 && double.TryParse(text.AsSpan(sign.Length).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var bound) && double.IsFinite(bound)
                ? new FailingWhen(sign, bound)
                : null;
        return result is not null;
    }
}

/// <summary>The verdict when there is nothing to measure.</summary>
public enum WhenEmpty { Unknown, Passing, Failing }

/// <summary>Reads the parameters of a measuring check as the runbook's file has them, before any template is filled.</summary>
internal static class WithText
{
    public static string? Of(JsonElement with, string name) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <returns>Null when a template makes it up.</returns>
    public static FailingWhen? Failing(JsonElement with) => FailingWhen.TryParse(Of(with, "failing"), null, out var failing) ? failing : null;

    /// <summary>Whether the file leaves it to the default what it means that nothing is found.</summary>
    public static bool LeavesEmptyOpen(JsonElement with) => Of(with, "whenEmpty") is null && Failing(with) is not { IsAbsent: true };
}
