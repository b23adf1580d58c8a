namespace Runbooks.Integrations.Metrics;

/// <summary>Puts a measured value, or its absence, into a finding: the same words for every source.</summary>
internal static class Measurement
{
    public const int MaxPoints = 60;

    /// <summary>From the first point to the last; null where there is no line between two.</summary>
    public static TimeSpan? SpanOf(IReadOnlyList<double> points, TimeSpan step) => points.Count < 2 ? null : step * (points.Count - 1);

    /// <param name="hint">What to look at when nobody knows why there is nothing.</param>
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

    /// <param name="among">Which one of several it is, in words; empty for the only one.</param>
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
        return new CheckResult(verdict, $"{(unit is null ? text : $"{text} {unit}")}{among}; {held}.") { Value = text, Threshold = failing.ToString(), Unit = unit };
    }

    /// <summary>One of several that says nothing may be the one that fails: the others are no sign of health, though each can be one of trouble.</summary>
    /// <param name="silent">How it comes that one says nothing, in words; null when all say something.</param>
    public static CheckResult UnlessSilent(this CheckResult judged, FailingWhen failing, string? silent) =>
        silent is null || failing.IsAbsent || judged.Verdict != Verdict.Passing ? judged : judged with { Verdict = Verdict.Unknown, Summary = $"{judged.Summary.TrimEnd('.')}; but {silent}." };

    /// <summary>How long ago something was, short: <c>12 s</c>, <c>3 min</c>.</summary>
    public static string Age(TimeSpan time) => time switch
    {
        { TotalSeconds: < 120 } => FormattableString.Invariant($"{Math.Max(0, time.TotalSeconds):0} s"),
        { TotalMinutes: < 120 } => FormattableString.Invariant($"{Math.Floor(time.TotalMinutes):0} min"),
        { TotalHours: < 48 } => FormattableString.Invariant($"{Math.Floor(time.TotalHours):0} h"),
        _ => FormattableString.Invariant($"{Math.Floor(time.TotalDays):0} d"),
    };
}

/// <summary>An amount of bytes as a person reads it: <c>26.9 GiB</c>.</summary>
internal static class Size
{
    private static readonly string[] s_units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Words(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        // A value that would be rounded up to 1024 belongs to the next unit.
        while (Math.Round(value, 1) >= 1024 && unit < s_units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return bytes == 1 ? "1 byte" : FormattableString.Invariant($"{value:0.#} {s_units[unit]}");
    }
}
