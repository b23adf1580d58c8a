namespace Runbooks.Model.Incidents;

/// <summary>The answer to one question of one incident.</summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Took">How long the answer took.</param>
public sealed record Finding(string Name, string Ask, CheckResult Result, DateTimeOffset At, TimeSpan Took)
{
    public Verdict Verdict => Result.Verdict;

    /// <summary>Of when it tells: until when its source has measured, or when it was asked.</summary>
    [JsonIgnore]
    public DateTimeOffset SeenAt => Result.MeasuredAt ?? At;

    /// <summary>What was measured before something was done says nothing about what it did, whether it was good or bad.</summary>
    internal Finding SinceActing(DateTimeOffset? actedAt) => Result.MeasuredAt <= actedAt ? Unless($"the last step ended at {GateText.Clock(actedAt.Value, At)}") : this;

    /// <summary>What passed before an alert began says nothing about it; what failed then may be what it tells of.</summary>
    internal Finding SinceFiring(DateTimeOffset? began) =>
        Verdict == Verdict.Passing && Result.MeasuredAt < began ? Unless($"the alert began at {GateText.Clock(began.Value, At)}") : this;

    /// <summary>As unknown: what was measured then is not what is asked.</summary>
    /// <param name="why">What has happened since, as the end of a sentence.</param>
    internal Finding Unless(string why) => this with
    {
        Result = (Result with { Verdict = Verdict.Unknown, Summary = $"Measured until {GateText.Clock(SeenAt, At)}, and {why}: {Result.Summary}" }).Bounded(),
    };
}

/// <summary>What a check found, so that a person can read it in a second.</summary>
public sealed record CheckResult(Verdict Verdict, string Summary)
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

    /// <summary>
    /// Until when the source has measured what this says; null for the moment in which it was asked. Whatever tells of things a
    /// while later says so here, or a fix is verified by what was measured before it, and an alert is disbelieved for what was measured before that.
    /// </summary>
    public DateTimeOffset? MeasuredAt { get; init; }

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
public sealed record VerificationRound(IncidentState State, DateTimeOffset At, IReadOnlyDictionary<string, Verdict> Verdicts, int Rounds)
{
    /// <summary>Rounds between the one before of its state and this that the record had no room for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>Nobody had looked for so long that passing counts anew from here.</summary>
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

        List<VerificationRound> all = [.. rounds, new(state, now, findings.ToDictionary(finding => finding.Name, finding => finding.Verdict), 1) { IsAnew = anew }];
        return all.Count <= MaxKept ? all : WithoutOne(all);
    }

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
