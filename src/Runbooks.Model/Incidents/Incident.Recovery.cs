namespace Runbooks.Model.Incidents;

/// <summary>
/// The sender says that it is over before anything was done. That is a claim: the runbook's own checks are asked, and only
/// they withdraw the question. A runbook without checks has nothing but the sender's word, and where that is no all-clear not even that.
/// </summary>
public sealed partial record Incident
{
    private const string RecoveryNews = "recovery";

    /// <summary>Since when every alert is ended at its sender, at least one of them without an all-clear; null while one fires, and when all are over.</summary>
    public DateTimeOffset? EndedUnseenAt { get; init; }

    /// <summary>When the sender said that all alerts are over, or ended them without having seen it; null while one fires.</summary>
    [JsonIgnore]
    public DateTimeOffset? ClaimedAt => AlertResolvedAt ?? EndedUnseenAt;

    /// <summary>No alert fires any more at its sender, and nothing was done yet but to tell.</summary>
    [JsonIgnore]
    public bool ClaimsRecovery => ClaimedAt is not null && !HasActed && !Gates.Any(gate => gate.Task is { IsBegun: true });

    /// <summary>What the checks answered to the present claim; null while they have not been asked about it.</summary>
    [JsonIgnore]
    public RecoveryCheck? CheckedClaim => ClaimsRecovery && Recovery?.ClaimedAt == ClaimedAt ? Recovery : null;

    /// <summary>Before anything was done, an alert that is over and whose checks agree means that nothing needs doing; afterwards it is evidence.</summary>
    public static bool RecoveredBeforeActing(Incident incident) =>
        incident.CheckedClaim is { Answer: RecoveryAnswer.Confirmed } || (incident.CheckedClaim is { Answer: RecoveryAnswer.NoChecks } && incident.AlertResolvedAt is not null);

    /// <summary>As <see cref="RecoveredBeforeActing(Incident)"/>, but an alert that comes and goes has to be quiet for a while: its question stands meanwhile.</summary>
    public static bool RecoveredBeforeActing(Incident incident, DateTimeOffset now) =>
        RecoveredBeforeActing(incident) && !(now < incident.HeldUntil);

    /// <summary>Records what the checks answered to the sender's claim. People are told once of a claim that the checks do not bear out.</summary>
    /// <param name="claimedAt">The claim that the checks were asked about; one that was taken back meanwhile is not recorded.</param>
    /// <param name="answers">Of the checks that call for the mitigation; empty when the runbook has none.</param>
    public Incident RecordRecovery(DateTimeOffset claimedAt, Condition when, IReadOnlyList<Finding> answers, DateTimeOffset now)
    {
        if (!ClaimsRecovery || ClaimedAt != claimedAt || State.IsFinal())
        {
            return this;
        }

        var findings = SinceFiring(answers, now);
        var answer = findings.Count == 0 ? RecoveryAnswer.NoChecks : Diagnosis.Conclude(when, findings, isOver: AlertResolvedAt is not null) switch
        {
            Conclusion.Healthy => RecoveryAnswer.Confirmed,
            Conclusion.Failing => RecoveryAnswer.StillFailing,
            _ => RecoveryAnswer.Unclear,
        };
        var recorded = this with
        {
            Recovery = new(claimedAt, now, answer),
            VerificationRounds = findings.Count == 0 ? VerificationRounds : VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now),
            UpdatedAt = now,
        };
        if (Flaps(now))
        {
            // It would be said and taken back with each time that the alert comes and goes.
            return recorded;
        }

        return answer switch
        {
            RecoveryAnswer.StillFailing => recorded.AddNews(
                RecoveryNews, "runbook", $"{Claim}; the checks still fail: {Summarize(findings.Where(finding => finding.Verdict == Verdict.Failing))}", now),
            RecoveryAnswer.Unclear => recorded.AddNews(
                RecoveryNews, "runbook",
                findings.Any(finding => finding.Verdict == Verdict.Unknown) ? $"{Claim}; not every check could be answered: {Summarize(findings.Where(finding => finding.Verdict != Verdict.Passing))}"
                : $"{Claim}. {Diagnosis.WhyUnclear(when, findings)}", now),
            RecoveryAnswer.NoChecks when AlertResolvedAt is null => recorded.AddNews(
                RecoveryNews, "runbook", $"{Claim}; this runbook has no checks that could say whether it is over.", now),
            _ => recorded.DropNews(RecoveryNews),
        };
    }

    private string Claim => AlertResolvedAt is not null ? "The sender says it is over" : CleanText.Capital(EndedText("it"));

    /// <summary>What the sender said where that is no all-clear for every alert.</summary>
    private string EndedText(string what) => EndReasons is { Length: > 0 } why
        ? $"the sender ended {what} without an all-clear ({why})"
        : "the sender says that every alert on record is over, but more came than one record knows";

    /// <summary>The sender's words for why it ended alerts that nobody saw to be over.</summary>
    private string EndReasons => string.Join(", ", Alerts.Select(alert => alert.EndedBecause).Concat(Unlisted.Select(alert => alert.Why)).OfType<string>().Distinct().Select(why => Clip.To(why, 100)));

    /// <summary>Why nobody was asked, a question was withdrawn, or what was approved did not run.</summary>
    public static string RecoveryReason(Incident incident)
    {
        var over = incident.AlertResolvedAt is null ? incident.EndedText("the alert") : "the alert was resolved";
        var when = incident.Gates.LastOrDefault(gate => gate is { Task: null, Outcome: GateOutcome.Approved }) switch
        {
            null when incident.OpenGate is { } gate => $"{CleanText.Capital(over)} before the {(gate.Task is null ? "steps were approved" : "work by hand was done")}",
            null => $"{CleanText.Capital(over)} before anybody was asked",
            { Decisions.Count: 0 } => $"{CleanText.Capital(over)} before anything was done",
            _ => $"It was approved and then not needed: {over} before anything was done",
        };
        var why = incident.CheckedClaim?.Answer == RecoveryAnswer.NoChecks
            ? $"{when}. The sender says so; this runbook has no checks that could confirm it."
            : $"{when}, and the checks no longer call for the mitigation.";
        return string.Join(' ', (string[])[why, .. incident.HeldUntil is null ? [] : incident.RecurrenceLines()]);
    }
}

/// <summary>The answer of the checks to one claim of the sender that it is over.</summary>
/// <param name="ClaimedAt">When the sender said so.</param>
/// <param name="AskedAt">When the checks were asked last about it.</param>
public sealed record RecoveryCheck(DateTimeOffset ClaimedAt, DateTimeOffset AskedAt, RecoveryAnswer Answer) : Evolving;

public enum RecoveryAnswer
{
    /// <summary>The checks no longer call for the mitigation.</summary>
    Confirmed,

    /// <summary>The runbook has no checks that could say: the sender's word is all there is.</summary>
    NoChecks,

    StillFailing,

    /// <summary>Nothing fails for certain, and something could not be answered.</summary>
    Unclear,
}

/// <summary>What was learnt since a question was asked, for those who have to decide it.</summary>
public sealed partial record Incident
{
    /// <summary>More would bury the question.</summary>
    public const int MaxNews = 10;

    public IReadOnlyList<IncidentNews> News { get; init; } = [];

    /// <summary>The news that the cards say that asked; null until there were any.</summary>
    public string? ShownNews { get; init; }

    /// <summary>Changes when the cards that asked have to say something else.</summary>
    [JsonIgnore]
    public string? NewsMark
    {
        get
        {
            // Where the list is full its length says nothing; of what is only counted the cards need not follow each.
            var more = Unlisted.Count == 0 ? "" : $"+{Alerts.Select(alert => alert.Name).Distinct().Count()}.{System.Numerics.BitOperations.Log2((uint)Unlisted.Count)}";
            var often = Recurrences.Sum(recurrence => recurrence.Milestone());
            return News.Count == 0 && Alerts.Count <= 1 && often == 0
                ? null
                : $"{string.Join(' ', News.Select(news => news.At.UtcTicks))}+{Alerts.Count}{more}{(often == 0 ? "" : $"+{often}")}";
        }
    }

    /// <summary>Whether it has to be woken to tell what came: to whoever is being asked, or because it waits for another incident.</summary>
    [JsonIgnore]
    public bool HasUntoldNews => (OpenGate is not null && NewsMark != ShownNews) || (IsWaitingForOther && News.Any(news => news.Urgent));

    /// <summary>Told once by its key: a repeat changes the words that are shown and adds no line.</summary>
    public Incident AddNews(string key, string who, string text, DateTimeOffset now, bool urgent = false) => News.FirstOrDefault(known => known.Key == key) is { } known
        ? this with { News = [.. News.Select(news => news == known ? news with { Text = text } : news)] }
        : (this with { News = [.. News.TakeLast(MaxNews - 1), new(key, now, text, urgent)] }).NoteAlert(now, who, text);

    /// <summary>Removes outdated news.</summary>
    public Incident DropNews(string key) => News.Any(news => news.Key == key) ? this with { News = [.. News.Where(news => news.Key != key)] } : this;
}

/// <param name="Key">What it is about; news on the same matter replaces it.</param>
/// <param name="Urgent">Whoever is being asked gets a message of its own about it.</param>
public sealed record IncidentNews(string Key, DateTimeOffset At, string Text, bool Urgent = false) : Evolving;
