namespace Runbooks.Model.Incidents;

/// <param name="Name">The check's name in the runbook.</param>
public sealed record Finding(string Name, string Ask, CheckResult Result, DateTimeOffset At, TimeSpan Took) : Evolving
{
    public Verdict Verdict => Result.Verdict;

    /// <summary>Until when its source had measured, or when it was asked.</summary>
    [JsonIgnore]
    public DateTimeOffset SeenAt => Result.MeasuredAt ?? At;

    /// <summary>The times of the first and the last recent value. Null if only their number is known.</summary>
    [JsonIgnore]
    public (DateTimeOffset From, DateTimeOffset Until)? SeriesTime =>
        Result is { Series.Count: > 1, SeriesSpan: { Ticks: > 0 } span } && (Result.SeriesUntil ?? At) is var until ? (until - span, until) : null;

    /// <summary>
    /// A measurement from before the last step says nothing about that step. Neither does a pass of which a part was before. A failure of
    /// that kind leads to another check anyway.
    /// </summary>
    internal Finding SinceActing(DateTimeOffset? actedAt, DateTimeOffset now) =>
        Verdict == Verdict.Passing || Result.MeasuredAt <= actedAt ? WhollySinceActing(actedAt, now) : this;

    /// <summary>A failure is a reason to act only if no part of it is from before the last step.</summary>
    public Finding WhollySinceActing(DateTimeOffset? actedAt, DateTimeOffset now) =>
        (Result.MeasuredAt <= actedAt || Result.MeasuredFrom < actedAt) && !Clocks.IsAhead(actedAt, now)
            ? Unless($"the last step ended at {GateText.Clock(actedAt.Value, At)}") : this;

    /// <summary>A pass from before the alert says nothing. A failure may be what the alert is about.</summary>
    internal Finding SinceFiring(DateTimeOffset? began) =>
        Verdict == Verdict.Passing && Result.MeasuredAt < began ? Unless($"the alert began at {GateText.Clock(began.Value, At)}") : this;

    /// <summary>The measurement is too old.</summary>
    /// <param name="why">What has happened since, as the end of a sentence.</param>
    internal Finding Unless(string why)
    {
        var from = Result.MeasuredFrom is { } start ? $"from {GateText.Clock(start, At)} " : "";
        var summary = $"Measured {from}until {GateText.Clock(SeenAt, At)}, and {why}, so it does not count: {Result.Summary}";
        return this with { Result = (Result with { Verdict = Verdict.Unknown, Summary = summary }).Bounded() };
    }
}

public sealed record CheckResult(Verdict Verdict, string Summary) : Evolving
{
    /// <summary>As text, without its unit.</summary>
    public string? Value { get; init; }

    /// <summary>What the value was compared with, for example <c>&gt; 95</c>.</summary>
    public string? Threshold { get; init; }

    /// <summary>For example <c>%</c>, <c>ms</c>, <c>GiB</c>.</summary>
    public string? Unit { get; init; }

    /// <summary>A few recent values, oldest first. At most 60.</summary>
    public IReadOnlyList<double> Series { get; init; } = [];

    /// <summary>The time from the first value to the last. Null if the source does not say.</summary>
    public TimeSpan? SeriesSpan { get; init; }

    /// <summary>The time of the last value. Null for the time when it was asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SeriesUntil { get; init; }

    /// <summary>
    /// The time of the newest measurement. Null for the time when it was asked. A source that reports with a delay must set it; otherwise
    /// an old measurement verifies a fix or contradicts a newer alert.
    /// </summary>
    public DateTimeOffset? MeasuredAt { get; init; }

    /// <summary>The start of the time that a mean or a count covers. Null for a moment, and if not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? MeasuredFrom { get; init; }

    /// <summary>
    /// Why a pass shows less than it seems to, as the end of a sentence: <c>without a request to show it</c>. An ending repeats it. While
    /// an alert fires, such a pass is no sign of health and people are asked.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Caveat { get; init; }

    /// <summary>The page of the source that shows it; http or https.</summary>
    public string? Link { get; init; }

    public static CheckResult Passing(string summary) => new(Verdict.Passing, summary);

    public static CheckResult Failing(string summary) => new(Verdict.Failing, summary);

    /// <summary>The check could not answer; <paramref name="summary"/> says why.</summary>
    public static CheckResult Unknown(string summary) => new(Verdict.Unknown, summary);

    /// <summary>Checks quote systems that may return anything.</summary>
    internal CheckResult Bounded() => this with
    {
        Summary = Clip.To(Summary, 500),
        Value = Value is null ? null : Clip.To(Value, 100),
        Threshold = Threshold is null ? null : Clip.To(Threshold, 100),
        Series = Series.Count <= 60 ? Series : [.. Series.Skip(Series.Count - 60)],
        Caveat = Caveat is null ? null : Clip.To(Caveat, 100),
        Link = Link is { Length: <= 2_000 } link && Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? Link
            : null,
    };
}

/// <summary>Unknown is not healthy.</summary>
public enum Verdict { Passing, Failing, Unknown }

/// <summary>One or more rounds of checks with equal answers.</summary>
/// <param name="At">The time of the first of the rounds.</param>
/// <param name="Verdicts">By the check's name in the runbook.</param>
/// <param name="Rounds">How many rounds in a row gave these answers.</param>
public sealed record VerificationRound(
    IncidentState State, DateTimeOffset At, IReadOnlyDictionary<string, Verdict> Verdicts, int Rounds) : Evolving
{
    /// <summary>Dropped rounds between this and the previous one of its state.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>The time starts again here, because nothing was checked for too long.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAnew { get; init; }
}

public static class VerificationRounds
{
    /// <summary>The first and the newest are kept. A check that flaps for days must not bloat the record.</summary>
    public const int MaxKept = 100;

    /// <param name="anew">Keeps it apart even if the answers are the same.</param>
    internal static IReadOnlyList<VerificationRound> Add(
        this IReadOnlyList<VerificationRound> rounds,
        IncidentState state,
        IReadOnlyList<Finding> findings,
        DateTimeOffset now,
        bool anew = false)
    {
        if (!anew && rounds.Count > 0 && rounds[^1] is var last && last.State == state && IsSame(last, findings))
        {
            return [.. rounds.SkipLast(1), last with { Rounds = last.Rounds + 1 }];
        }

        return Kept([.. rounds, Of(state, findings, now) with { IsAnew = anew }]);
    }

    internal static IReadOnlyList<VerificationRound> Precede(
        this IReadOnlyList<VerificationRound> rounds,
        IncidentState state,
        IReadOnlyList<Finding> findings,
        DateTimeOffset at) => Kept([Of(state, findings, at), .. rounds]);

    private static VerificationRound Of(IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset at) =>
        new(state, at, findings.ToDictionary(finding => finding.Name, finding => finding.Verdict), 1);

    private static List<VerificationRound> Kept(List<VerificationRound> all) => all.Count <= MaxKept ? all : WithoutOne(all);

    /// <summary>The first and the last of each state stay, and verifying rounds are dropped last.</summary>
    private static List<VerificationRound> WithoutOne(List<VerificationRound> rounds)
    {
        var inner = rounds
            .GroupBy(round => round.State)
            .SelectMany(ofState => ofState.Skip(1).SkipLast(1))
            .ToHashSet(ReferenceEqualityComparer.Instance);
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

/// <summary>Each list says when it was measured, since people may read it hours later.</summary>
public static class FindingText
{
    /// <summary>A measurement at least this old says so.</summary>
    private static readonly TimeSpan s_worthSaying = TimeSpan.FromMinutes(1);

    /// <param name="from">When the reader was told.</param>
    public static string Found(Incident incident, DateTimeOffset from) =>
        $"What was found{(incident.Verification.Count > 0 ? " first" : "")}{At(incident.Findings, incident.Verification.Count > 0 ? ", at" : " at", from)}";

    public static string SaidLast(Incident incident, DateTimeOffset from) =>
        $"What the checks said last{At(incident.Verification, ", at", from)}";

    public static string Line(Finding finding)
    {
        var mark = finding.Verdict switch { Verdict.Failing => "✗", Verdict.Passing => "✓", _ => "?" };
        var measured = finding.At - finding.SeenAt >= s_worthSaying
            ? $" (measured until {GateText.Clock(finding.SeenAt, finding.At)})"
            : "";
        return $"{mark} {finding.Ask} {finding.Result.Summary}{measured}";
    }

    private static string At(IReadOnlyList<Finding> findings, string word, DateTimeOffset from) => findings.Count == 0
        ? ""
        : $"{word} {GateText.Clock(findings.Max(finding => finding.At), from)}";
}

/// <summary>What the findings together mean for the mitigation.</summary>
public static class Diagnosis
{
    /// <param name="isOver">A pass with a caveat is then enough, since checks and sender agree.</param>
    public static Conclusion Conclude(Condition when, IReadOnlyList<Finding> findings, bool isOver = false)
    {
        var asked = Asked(when, findings);
        if (asked.Count == 0)
        {
            // A runbook without checks trusts its alert.
            return Conclusion.Failing;
        }

        var failing = asked.Count(finding => finding.Verdict == Verdict.Failing);
        var unknown = asked.Count(finding => finding.Verdict == Verdict.Unknown || (IsUnproven(finding) && !isOver));
        return when.Quantifier switch
        {
            Quantifier.Any when failing > 0 => Conclusion.Failing,
            Quantifier.All when failing == asked.Count => Conclusion.Failing,
            Quantifier.All when failing + unknown < asked.Count => Conclusion.Healthy,
            _ => unknown > 0 ? Conclusion.Unclear : Conclusion.Healthy,
        };
    }

    /// <summary>As a sentence.</summary>
    public static string WhyUnclear(Condition when, IReadOnlyList<Finding> findings)
    {
        var asked = Asked(when, findings);
        var unproven = asked.Where(IsUnproven).Select(finding => $"'{finding.Name}' passes {finding.Result.Caveat}").ToList();
        return unproven.Count == 0 || asked.Any(finding => finding.Verdict == Verdict.Unknown)
            ? "Not every check could be answered, and none of the answered ones failed."
            : $"{string.Join(", ", unproven)}: that does not show that all is well.";
    }

    /// <summary>Needs that do not pass. Telling and the resolution need nothing.</summary>
    public static IReadOnlyList<Finding> UnmetNeeds(Mitigation mitigation, Phase phase, Plan plan, IReadOnlyList<Finding> findings) =>
        phase != Phase.Mitigation || plan.TellsOnly ? [] : [.. findings.Where(finding => finding.Verdict != Verdict.Passing && mitigation.Needs.Contains(finding.Name))];

    /// <returns>Null for the time when it was asked, and if nothing passes.</returns>
    public static DateTimeOffset? MeasuredUntil(Condition when, IReadOnlyList<Finding> findings)
    {
        // If all have to fail, one pass is enough, so the newest counts. Otherwise every check has to pass, so the oldest counts.
        var passing = Asked(when, findings)
            .Where(finding => finding.Verdict == Verdict.Passing)
            .Select(finding => finding.Result.MeasuredAt)
            .ToList();
        return when.Quantifier == Quantifier.All ? (passing.Contains(null) ? null : passing.Max()) : passing.Min();
    }

    /// <summary>A pass that only shows nothing bad does not contradict an alert.</summary>
    private static bool IsUnproven(Finding finding) => finding is { Verdict: Verdict.Passing, Result.Caveat: not null };

    private static IReadOnlyList<Finding> Asked(Condition when, IReadOnlyList<Finding> findings) =>
        [.. findings.Where(finding => when.Asks(finding.Name))];
}

public enum Conclusion
{
    /// <summary>The checks call for the mitigation.</summary>
    Failing,

    /// <summary>The checks do not call for it.</summary>
    Healthy,

    /// <summary>Too little is known. A person is asked, even in a self-healing runbook.</summary>
    Unclear,
}
