using System.Text.RegularExpressions;

namespace Runbooks.Model.Incidents;

/// <summary>The answer to one question of one incident.</summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Took">How long the answer took.</param>
public sealed record Finding(string Name, string Ask, CheckResult Result, DateTimeOffset At, TimeSpan Took) : Evolving
{
    public Verdict Verdict => Result.Verdict;

    /// <summary>Of when it tells: until when its source has measured, or when it was asked.</summary>
    [JsonIgnore]
    public DateTimeOffset SeenAt => Result.MeasuredAt ?? At;

    /// <summary>The times of the first and the last of its recent values; null where only their number is known.</summary>
    [JsonIgnore]
    public (DateTimeOffset From, DateTimeOffset Until)? SeriesTime =>
        Result is { Series.Count: > 1, SeriesSpan: { Ticks: > 0 } span } && (Result.SeriesUntil ?? At) is var until ? (until - span, until) : null;

    /// <summary>
    /// What was measured before something was done says nothing about what it did, whether it was good or bad. What passes does not
    /// either where a part of its time was before: that part may be why it passes. What fails in such a time asks for another look anyway.
    /// </summary>
    internal Finding SinceActing(DateTimeOffset? actedAt, DateTimeOffset now) =>
        Verdict == Verdict.Passing || Result.MeasuredAt <= actedAt ? WhollySinceActing(actedAt, now) : this;

    /// <summary>Where something would be done for what fails, that must not be of before either, not even in part.</summary>
    public Finding WhollySinceActing(DateTimeOffset? actedAt, DateTimeOffset now) =>
        (Result.MeasuredAt <= actedAt || Result.MeasuredFrom < actedAt) && !Clocks.IsAhead(actedAt, now)
            ? Unless($"the last step ended at {GateText.Clock(actedAt.Value, At)}") : this;

    /// <summary>What passed before an alert began says nothing about it; what failed then may be what it tells of.</summary>
    internal Finding SinceFiring(DateTimeOffset? began) =>
        Verdict == Verdict.Passing && Result.MeasuredAt < began ? Unless($"the alert began at {GateText.Clock(began.Value, At)}") : this;

    /// <summary>As unknown: what was measured then is not what is asked.</summary>
    /// <param name="why">What has happened since, as the end of a sentence.</param>
    internal Finding Unless(string why) => this with
    {
        Result = (Result with { Verdict = Verdict.Unknown, Summary = $"Measured {(Result.MeasuredFrom is { } from ? $"from {GateText.Clock(from, At)} " : "")}until {GateText.Clock(SeenAt, At)}, and {why}: {Result.Summary}" }).Bounded(),
    };
}

/// <summary>What a check found, so that a person can read it in a second.</summary>
public sealed record CheckResult(Verdict Verdict, string Summary) : Evolving
{
    /// <summary>The measured value as text, without its unit.</summary>
    public string? Value { get; init; }

    /// <summary>What the value was held against, for example <c>&gt; 95</c>.</summary>
    public string? Threshold { get; init; }

    /// <summary>For example <c>%</c>, <c>ms</c>, <c>GiB</c>.</summary>
    public string? Unit { get; init; }

    /// <summary>A few recent values, oldest first; at most 60.</summary>
    public IReadOnlyList<double> Series { get; init; } = [];

    /// <summary>The time from the first of them to the last; null where the source does not say.</summary>
    public TimeSpan? SeriesSpan { get; init; }

    /// <summary>The time of the last of them, which a source may know only minutes later; null for the moment in which it was asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SeriesUntil { get; init; }

    /// <summary>
    /// Until when the source has measured what this says; null for the moment in which it was asked. Whatever tells of things a
    /// while later says so here, or a fix is verified by what was measured before it, and an alert is disbelieved for what was measured before that.
    /// </summary>
    public DateTimeOffset? MeasuredAt { get; init; }

    /// <summary>Since when, where what this says is of a time, as a mean or a count is; null for a moment, and where it is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? MeasuredFrom { get; init; }

    /// <summary>Why passing shows less than it seems to, as the end of a sentence: <c>without a request to show it</c>. An ending repeats it. While an alert fires, such a pass is no sign of health: people are asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Caveat { get; init; }

    /// <summary>Where the source itself shows it; http or https.</summary>
    public string? Link { get; init; }

    public static CheckResult Passing(string summary) => new(Verdict.Passing, summary);

    public static CheckResult Failing(string summary) => new(Verdict.Failing, summary);

    /// <summary>The question could not be answered; <paramref name="summary"/> says why.</summary>
    public static CheckResult Unknown(string summary) => new(Verdict.Unknown, summary);

    /// <summary>The same, cut to what a record and a card can carry: checks quote systems that may say anything.</summary>
    internal CheckResult Bounded() => this with
    {
        Summary = Clip.To(Summary, 500),
        Value = Value is null ? null : Clip.To(Value, 100),
        Threshold = Threshold is null ? null : Clip.To(Threshold, 100),
        Series = Series.Count <= 60 ? Series : [.. Series.Skip(Series.Count - 60)],
        Caveat = Caveat is null ? null : Clip.To(Caveat, 100),
        Link = Link is { Length: <= 2_000 } link && Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? Link : null,
    };
}

/// <summary>The answer to a diagnosis question. Unknown is not healthy.</summary>
public enum Verdict { Passing, Failing, Unknown }

/// <summary>What the checks answered when they were asked again.</summary>
/// <param name="State">Verifying or holding.</param>
/// <param name="At">The first of the rounds.</param>
/// <param name="Verdicts">By the check's name in the runbook.</param>
/// <param name="Rounds">How many rounds in a row answered the same.</param>
public sealed record VerificationRound(IncidentState State, DateTimeOffset At, IReadOnlyDictionary<string, Verdict> Verdicts, int Rounds) : Evolving
{
    /// <summary>Rounds between the one before of its state and this that the record had no room for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>The time restarts here, because nobody had looked for too long.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAnew { get; init; }
}

public static class VerificationRounds
{
    /// <summary>Changes that one record keeps, the first and the newest; a check that comes and goes for days must not bloat it.</summary>
    public const int MaxKept = 100;

    /// <summary>With one more round; a round like the one before is only counted.</summary>
    /// <param name="anew">It stands for itself, though it answers like the one before.</param>
    internal static IReadOnlyList<VerificationRound> Add(this IReadOnlyList<VerificationRound> rounds, IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset now, bool anew = false)
    {
        if (!anew && rounds.Count > 0 && rounds[^1] is var last && last.State == state && IsSame(last, findings))
        {
            return [.. rounds.SkipLast(1), last with { Rounds = last.Rounds + 1 }];
        }

        return Kept([.. rounds, Of(state, findings, now) with { IsAnew = anew }]);
    }

    /// <summary>With a round that came before all of these.</summary>
    internal static IReadOnlyList<VerificationRound> Precede(this IReadOnlyList<VerificationRound> rounds, IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset at) =>
        Kept([Of(state, findings, at), .. rounds]);

    private static VerificationRound Of(IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset at) =>
        new(state, at, findings.ToDictionary(finding => finding.Name, finding => finding.Verdict), 1);

    private static List<VerificationRound> Kept(List<VerificationRound> all) => all.Count <= MaxKept ? all : WithoutOne(all);

    /// <summary>Without one in the middle. What began a state and what was seen last in it stay, and so does whatever tells whether the fix helped.</summary>
    private static List<VerificationRound> WithoutOne(List<VerificationRound> rounds)
    {
        var inner = rounds.GroupBy(round => round.State).SelectMany(ofState => ofState.Skip(1).SkipLast(1)).ToHashSet(ReferenceEqualityComparer.Instance);
        var others = rounds.Where(round => inner.Contains(round) && round.State != IncidentState.Verifying).ToList();
        var choice = others.Count > 0 ? others : [.. rounds.Where(inner.Contains)];
        var gone = choice[choice.Count / 2];
        var place = rounds.IndexOf(gone);
        var next = rounds.FindIndex(place + 1, round => round.State == gone.State);
        rounds[next] = rounds[next] with { LeftOut = rounds[next].LeftOut + gone.LeftOut + gone.Rounds };
        rounds.RemoveAt(place);
        return rounds;
    }

    private static bool IsSame(VerificationRound round, IReadOnlyList<Finding> findings) =>
        round.Verdicts.Count == findings.Count
        && findings.All(finding => round.Verdicts.TryGetValue(finding.Name, out var verdict) && verdict == finding.Verdict);
}

/// <summary>The answers of checks in words. Each list says of when it is: what waits for people is read hours later.</summary>
public static class FindingText
{
    /// <summary>What is measured this much before it is told says so itself.</summary>
    private static readonly TimeSpan s_worthSaying = TimeSpan.FromMinutes(1);

    /// <summary>The heading over the answers of the diagnosis.</summary>
    /// <param name="from">When whoever reads it was told.</param>
    public static string Found(Incident incident, DateTimeOffset from) =>
        $"What was found{(incident.Verification.Count > 0 ? " first" : "")}{At(incident.Findings, incident.Verification.Count > 0 ? ", at" : " at", from)}";

    /// <summary>The heading over the answers since something was done.</summary>
    public static string SaidLast(Incident incident, DateTimeOffset from) => $"What the checks said last{At(incident.Verification, ", at", from)}";

    /// <summary>An answer as a line of a message.</summary>
    public static string Line(Finding finding) =>
        $"{finding.Verdict switch { Verdict.Failing => "✗", Verdict.Passing => "✓", _ => "?" }} {finding.Ask} {finding.Result.Summary}{(finding.At - finding.SeenAt >= s_worthSaying ? $" (measured until {GateText.Clock(finding.SeenAt, finding.At)})" : "")}";

    private static string At(IReadOnlyList<Finding> findings, string word, DateTimeOffset from) => findings.Count == 0 ? "" : $"{word} {GateText.Clock(findings.Max(finding => finding.At), from)}";
}

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
        var series = finding.Result.Series;
        return finding.SeriesTime is not var (from, until) ? [] :
            [.. series.Select((value, at) => new CoursePoint(until - ((until - from) * ((double)(series.Count - 1 - at) / (series.Count - 1))), value)).Where(point => double.IsFinite(point.Value))];
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
        if (incident.EndedAt is { } ended && incident.State.IsFinal())
        {
            marks.Add(new(ended, $"it ended: {EndingText.Headline(incident)}"));
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
    public static string Format(double value) => value.ToString(Math.Abs(value) is >= 10_000 or (> 0 and < 0.01) ? "0.##e0" : "0.##", CultureInfo.InvariantCulture);

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
