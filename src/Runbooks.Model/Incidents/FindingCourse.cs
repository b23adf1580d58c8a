using System.Text.RegularExpressions;

namespace Runbooks.Model.Incidents;

/// <summary>
/// What one check measured around its first and its last result, with what happened in between. Every graph of an incident is made from
/// this.
/// </summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Before">Up to the first result, the earliest first.</param>
/// <param name="After">Up to the last result, without those in <paramref name="Before"/>. Empty if it was asked once.</param>
/// <param name="Limit">Null if the threshold is not a number.</param>
/// <param name="Marks">In order of time.</param>
public sealed partial record FindingCourse(
    string Name,
    string Ask,
    string? Unit,
    double? Limit,
    IReadOnlyList<CoursePoint> Before,
    IReadOnlyList<CoursePoint> After,
    IReadOnlyList<CourseMark> Marks)
{
    private const int MaxMarks = 9;

    private const int LongestMark = 80;

    public IEnumerable<CoursePoint> Points => Before.Concat(After);

    /// <summary>Values without times cannot be drawn beside anything.</summary>
    public static IReadOnlyList<FindingCourse> Of(Incident incident)
    {
        var after = incident.Verification.DistinctBy(finding => finding.Name).ToDictionary(finding => finding.Name, StringComparer.Ordinal);
        var marks = MarksOf(incident);
        return [.. incident.Findings.Concat(incident.Verification).DistinctBy(finding => finding.Name)
            .Select(finding => Of(finding, after.GetValueOrDefault(finding.Name) is { } later && later != finding ? later : null, marks)).OfType<FindingCourse>()];
    }

    private static FindingCourse? Of(Finding first, Finding? last, List<CourseMark> marks)
    {
        var before = PointsOf(first);
        if (before.Count == 0)
        {
            return null;
        }

        // Two results within a few minutes share some values.
        var after = last is null ? [] : PointsOf(last).Where(point => point.At > before[^1].At).ToList();
        return new(
            first.Name,
            first.Ask,
            first.Result.Unit,
            LimitOf(first.Result) ?? (last is null ? null : LimitOf(last.Result)),
            before,
            after,
            [.. marks.Where(mark => mark.At >= before[0].At)]);
    }

    private static List<CoursePoint> PointsOf(Finding finding)
    {
        var series = finding.Result.Series;
        if (finding.SeriesTime is not var (from, until))
        {
            return [];
        }

        var points = series.Select((value, at) =>
        {
            var shareToEnd = (double)(series.Count - 1 - at) / (series.Count - 1);
            return new CoursePoint(until - ((until - from) * shareToEnd), value);
        });
        return [.. points.Where(point => double.IsFinite(point.Value))];
    }

    private static List<CourseMark> MarksOf(Incident incident)
    {
        List<CourseMark> marks =
        [
            new(incident.OpenedAt, "the alert came"),
            .. incident.Gates.SelectMany(gate => gate.Decisions.Select(decision => new CourseMark(decision.At, $"{decision.Person} {GateText.Past(gate, decision.Verb)}"))),
            .. incident.Steps.Select(step => new CourseMark(step.StartedAt, $"{step.Name} began")),
        ];
        if (incident.EndedAt is { } ended && incident.State.IsFinal())
        {
            marks.Add(new(ended, $"it ended: {EndingText.Headline(incident)}"));
        }

        // If there are too many, the first ones and the last are kept.
        List<CourseMark> sorted = [.. marks.OrderBy(mark => mark.At).Select(mark => mark with { What = Clip.To(mark.What, LongestMark) })];
        return sorted.Count <= MaxMarks ? sorted : [.. sorted.Take(MaxMarks - 1), sorted[^1]];
    }

    /// <summary>The number in <c>&gt; 95</c>.</summary>
    public static double? LimitOf(CheckResult result) =>
        NumberIn().Match(result.Threshold ?? "") is { Success: true } found
        && double.TryParse(found.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : null;

    /// <summary>
    /// The top is the next of 1, 2, 2.5, 5 and 10 times a power of ten above the highest value. The bottom is zero, or the same below a
    /// negative value.
    /// </summary>
    public static (double Bottom, double Top) ScaleOf(IEnumerable<double> values, double? limit, string? unit)
    {
        List<double> all = [.. values, .. limit is { } held ? [held] : Array.Empty<double>()];
        var (low, high) = (all.Min(), all.Max());

        // Percentages go up to 100.
        var top = unit == "%" && high <= 100 ? 100 : high <= 0 ? 0 : Round(high);
        var bottom = low < 0 ? -Round(-low) : 0;
        return (bottom, top > bottom ? top : bottom + 1);
    }

    /// <summary>For an axis.</summary>
    public static string Format(double value) =>
        value.ToString(Math.Abs(value) is >= 10_000 or (> 0 and < 0.01) ? "0.##e0" : "0.##", CultureInfo.InvariantCulture);

    private static double Round(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return ((double[])[1, 2, 2.5, 5, 10]).First(step => step * power >= value * 0.999999) * power;
    }

    [GeneratedRegex(@"-?\d+(\.\d+)?([eE][+-]?\d+)?", RegexOptions.NonBacktracking)]
    private static partial Regex NumberIn();
}

public sealed record CoursePoint(DateTimeOffset At, double Value);

/// <param name="What">Follows the time: <c>ada approved this</c>.</param>
public sealed record CourseMark(DateTimeOffset At, string What);
