using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Integrations.Metrics;

/// <summary>When a measured value is bad: a comparison with a number, or <c>absent</c> for no value at all.</summary>
[Description("a comparison such as \"> 95\", \"< 1\" or \"== 0\", or absent")]
public sealed record FailingWhen : IParsable<FailingWhen>
{
    private const string Absent = "absent";

    // Longer ones first, because '>=' begins with '>'.
    private static readonly string[] s_operators = [">=", "<=", "==", "!=", ">", "<"];

    private readonly string _operator;
    private readonly double _bound;

    private FailingWhen(string @operator, double bound) => (_operator, _bound) = (@operator, bound);

    /// <summary>Nothing to measure is what fails.</summary>
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

    /// <summary>The bound is a share of one. "Less than 1" is not: it may well mean nearly nothing.</summary>
    public bool IsOfAShare =>
        (_operator is ">" or ">=" && _bound is > 0 and <= 1) || (_operator is "<" or "<=" && _bound is > 0 and < 1);

    /// <summary>The item whose value is the furthest on the failing side. One that is not a number is taken only when all are.</summary>
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

    public override string ToString() => IsAbsent ? Absent : $"{_operator} {_bound}";

    public static FailingWhen Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var failing)
            ? failing
            : throw new FormatException($"'{s}' is neither a comparison such as '> 95' nor 'absent'.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out FailingWhen result)
    {
        var text = (s ?? "").Trim();
        if (text == Absent)
        {
            result = new FailingWhen(Absent, double.NaN);
            return true;
        }

        var sign = Array.Find(s_operators, candidate => text.StartsWith(candidate, StringComparison.Ordinal)) ?? "";
        var number = text.AsSpan(sign.Length).Trim();
        result = sign.Length > 0
            && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var bound)
            && double.IsFinite(bound)
                ? new FailingWhen(sign, bound)
                : null;
        return result is not null;
    }
}

public enum WhenEmpty { Unknown, Passing, Failing }

/// <summary>Reads the parameters of a measuring check as the runbook's file has them, before templates are filled in.</summary>
internal static class WithText
{
    public static string? Of(JsonElement with, string name) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <returns>Null when a template gives it.</returns>
    public static FailingWhen? Failing(JsonElement with) =>
        FailingWhen.TryParse(Of(with, "failing"), null, out var failing) ? failing : null;

    /// <returns>Null when a template gives it.</returns>
    public static T? Choice<T>(JsonElement with, string name, T usual) where T : struct, Enum =>
        with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(name, out _) ? usual
            : Enum.TryParse<T>(Of(with, name), ignoreCase: true, out var choice) ? choice
            : null;

    /// <returns>Null when a template gives it.</returns>
    public static TimeSpan? Duration(JsonElement with, string name, TimeSpan usual) =>
        !with.TryGetProperty(name, out _) ? usual : DurationText.TryParse(Of(with, name) ?? "", out var time) ? time : null;

    /// <returns>False where the file does not say; null when a template gives it.</returns>
    public static bool? Flag(JsonElement with, string name) =>
        with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? false
            : bool.TryParse(value.ToString(), out var flag) ? flag
            : null;

    /// <summary>Whether the file leaves it to the default what an empty result means.</summary>
    public static bool LeavesEmptyOpen(JsonElement with) => Of(with, "whenEmpty") is null && Failing(with) is not { IsAbsent: true };
}

/// <summary>Puts a measured value, or its absence, into a finding, in the same words for every source.</summary>
internal static class Measurement
{
    private const int MaxPoints = 60;
    private static readonly TimeSpan s_exact = TimeSpan.FromSeconds(1);

    public static CheckResult Empty(FailingWhen failing, WhenEmpty whenEmpty, string hint)
    {
        const string Nothing = "The query found nothing";
        var result = (failing.IsAbsent, whenEmpty) switch
        {
            (true, _) => CheckResult.Failing($"{Nothing}; there should be a value."),
            (_, WhenEmpty.Passing) => CheckResult.Passing($"{Nothing}, which counts as healthy here."),
            (_, WhenEmpty.Failing) => CheckResult.Failing($"{Nothing}, which counts as failing here."),
            _ => CheckResult.Unknown($"{Nothing}: {hint}"),
        };
        return result with { Threshold = failing.ToString() };
    }

    /// <param name="among">Which of several it is, in words; empty for the only one.</param>
    public static CheckResult Judge(FailingWhen failing, double value, string? unit, string among)
    {
        var text = NumberText.Format(value);
        var (verdict, held) = (failing.IsAbsent, double.IsNaN(value), failing.Holds(value)) switch
        {
            (_, true, _) => (Verdict.Unknown, "not a number, so it says nothing"),
            (true, _, _) => (Verdict.Passing, "there is a value"),
            (_, _, true) => (Verdict.Failing, $"limit {failing}"),
            _ => (Verdict.Passing, $"failing would be {failing}"),
        };
        return new CheckResult(verdict, $"{(unit is null ? text : $"{text} {unit}")}{among}; {held}.")
        {
            Value = text,
            Threshold = failing.ToString(),
            Unit = unit,
        };
    }

    /// <summary>
    /// One of several that says nothing may be the one that fails, so the others are no sign of health, though each can be one of
    /// trouble.
    /// </summary>
    public static CheckResult UnlessSilent(this CheckResult judged, FailingWhen failing, string? silent) =>
        silent is null || failing.IsAbsent || judged.Verdict != Verdict.Passing
            ? judged
            : judged with { Verdict = Verdict.Unknown, Summary = $"{judged.Summary.TrimEnd('.')}; but {silent}." };

    /// <summary>The curve beside an answer. It is drawn in equal steps, so points from before a gap are left out.</summary>
    /// <param name="points">Oldest first.</param>
    public static CheckResult WithCurve(this CheckResult result, IReadOnlyList<(DateTimeOffset At, double Value)> points, TimeSpan apart)
    {
        var first = Math.Max(0, points.Count - 1);
        while (first > 0 && points.Count - first < MaxPoints && (points[first].At - points[first - 1].At - apart).Duration() < s_exact)
        {
            first--;
        }

        List<(DateTimeOffset At, double Value)> drawn = [.. points.Skip(first)];
        return result with
        {
            Series = [.. drawn.Select(point => point.Value)],
            SeriesSpan = drawn.Count < 2 ? null : drawn[^1].At - drawn[0].At,
            SeriesUntil = drawn.Count < 2 ? null : drawn[^1].At,
        };
    }

    public static string Age(TimeSpan time) => time switch
    {
        { TotalSeconds: < 120 } => $"{Math.Max(0, time.TotalSeconds):0} s",
        { TotalMinutes: < 120 } => $"{Math.Floor(time.TotalMinutes):0} min",
        { TotalHours: < 48 } => $"{Math.Floor(time.TotalHours):0} h",
        _ => $"{Math.Floor(time.TotalDays):0} d",
    };
}

internal static class Size
{
    private static readonly string[] s_units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string FormatBytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        // A value that would be rounded up to 1024 belongs to the next unit.
        while (Math.Round(value, 1) >= 1024 && unit < s_units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return bytes == 1 ? "1 byte" : $"{value:0.#} {s_units[unit]}";
    }
}
