using Runbooks.Model.Text;

namespace Runbooks.Model.Incidents;

/// <summary>The answer to one question of one incident.</summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Took">How long the answer took.</param>
public sealed record Finding(string Name, string Ask, CheckResult Result, DateTimeOffset At, TimeSpan Took)
{
    public Verdict Verdict => Result.Verdict;

    /// <summary>What was measured before something was done says nothing about what it did, whether it was good or bad.</summary>
    internal Finding SinceActing(DateTimeOffset? actedAt) => !(Result.MeasuredAt <= actedAt) ? this : this with
    {
        Result = (Result with { Verdict = Verdict.Unknown, Summary = $"Measured until {Result.MeasuredAt?.UtcDateTime:HH:mm:ss} UTC, and the last step ended at {actedAt?.UtcDateTime:HH:mm:ss}: {Result.Summary}" }).Bounded(),
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
    /// while later says so here, or a fix is verified by what was measured before it.
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
