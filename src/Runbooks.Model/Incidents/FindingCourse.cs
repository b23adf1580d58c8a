using System.Text.RegularExpressions;

namespace Runbooks.Model.Incidents;

/// <summary>
/// What one check measured over an incident: the values around the first answer and around the last, on one scale and one
/// line of time, with what happened meanwhile. Every graph of an incident is made from this.
/// </summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Before">The values up to the first answer, the earliest first.</param>
/// <param name="After">The values up to the last answer that are not among the first; empty where it was asked once.</param>
/// <param name="Limit">What the values were held against; null where that is no number.</param>
/// <param name="Marks">What happened, by its time.</param>
public sealed partial record FindingCourse(string Name, string Ask, string? Unit, double? Limit, IReadOnlyList<CoursePoint> Before, IReadOnlyList<CoursePoint> After, IReadOnlyList<CourseMark> Marks)
{
    private const int MaxMarks = 9;

    private const int LongestMark = 80;

    public IEnumerable<CoursePoint> Points => Before.Concat(After);

    /// <summary>Of each check whose values have times: where only their number is known, nothing can be set beside them.</summary>
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

        // Two answers within a few minutes measured some of the same time.
        var after = last is null ? [] : PointsOf(last).Where(point => point.At > before[^1].At).ToList();
        return new(first.Name, first.Ask, first.Result.Unit, LimitOf(first.Result) ?? (last is null ? null : LimitOf(last.Result)), before, after, [.. marks.Where(mark => mark.At >= before[0].At)]);
    }

    private static List<CoursePoint> PointsOf(Finding finding)
    {
        var (series, span) = (finding.Result.Series, finding.Result.SeriesSpan);
        return series.Count < 2 || span is not { Ticks: > 0 } length ? [] :
            [.. series.Select((value, at) => new CoursePoint(finding.At - (length * ((double)(series.Count - 1 - at) / (series.Count - 1))), value)).Where(point => double.IsFinite(point.Value))];
    }

    /// <summary>The alert, each decision, the beginning of each step, and the end.</summary>
    private static List<CourseMark> MarksOf(Incident incident)
    {
        List<CourseMark> marks =
        [
            new(incident.OpenedAt, "the alert came"),
            .. incident.Gates.SelectMany(gate => gate.Decisions.Select(decision => new CourseMark(decision.At, $"{decision.Person} {GateText.Past(gate, decision.Verb)}"))),
            .. incident.Steps.Select(step => new CourseMark(step.StartedAt, $"{step.Name} began")),
        ];
        if (incident.ClosedAt is { } closed && incident.State.IsFinal())
        {
            marks.Add(new(closed, $"it ended: {EndingText.Headline(incident)}"));
        }

        // Of very many the first ones and the end are told.
        List<CourseMark> sorted = [.. marks.OrderBy(mark => mark.At).Select(mark => mark with { What = Clip.To(mark.What, LongestMark) })];
        return sorted.Count <= MaxMarks ? sorted : [.. sorted.Take(MaxMarks - 1), sorted[^1]];
    }

    /// <summary>The number in <c>&gt; 95</c>.</summary>
    public static double? LimitOf(CheckResult result) =>
        NumberIn().Match(result.Threshold ?? "") is { Success: true } found && double.TryParse(found.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var limit) ? limit : null;

    /// <summary>The next of 1, 2, 2.5, 5 and 10 times a power of ten above the highest, and zero or the like below: a scale that does not flatter.</summary>
    public static (double Bottom, double Top) ScaleOf(IEnumerable<double> values, double? limit, string? unit)
    {
        List<double> all = [.. values, .. limit is { } held ? [held] : Array.Empty<double>()];
        var (low, high) = (all.Min(), all.Max());

        // Shares are of a whole.
        var top = unit == "%" && high <= 100 ? 100 : high <= 0 ? 0 : Round(high);
        var bottom = low < 0 ? -Round(-low) : 0;
        return (bottom, top > bottom ? top : bottom + 1);
    }

    /// <summary>As short as an axis needs it.</summary>
    public static string Say(double value) => value.ToString(Math.Abs(value) is >= 10_000 or (> 0 and < 0.01) ? "0.##e0" : "0.##", CultureInfo.InvariantCulture);

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
