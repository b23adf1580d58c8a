namespace Runbooks.Model.Incidents;

/// <summary>
/// The sender ended the alert before anything was done. The runbook's checks have to confirm that before the question is withdrawn. Without
/// checks the sender's all-clear is enough, but an end without an all-clear is not.
/// </summary>
public sealed partial record Incident
{
    private const string RecoveryNews = "recovery";

    /// <summary>When every alert had ended, at least one without an all-clear. Null while one fires, and if all are over.</summary>
    public DateTimeOffset? EndedUnseenAt { get; init; }

    /// <summary>When the sender ended all alerts, with or without an all-clear. Null while one fires.</summary>
    [JsonIgnore]
    public DateTimeOffset? ClaimedAt => AlertResolvedAt ?? EndedUnseenAt;

    /// <summary>No alert fires at its sender, and nothing was done yet except telling.</summary>
    [JsonIgnore]
    public bool ClaimsRecovery => ClaimedAt is not null && !HasActed && !Gates.Any(gate => gate.Task is { IsBegun: true });

    /// <summary>Null until the checks were asked about the present claim.</summary>
    [JsonIgnore]
    public RecoveryCheck? CheckedClaim => ClaimsRecovery && Recovery?.ClaimedAt == ClaimedAt ? Recovery : null;

    /// <summary>
    /// Whether the alert ended and the checks agree before anything was done. Nothing then needs doing; after a step it is only evidence.
    /// </summary>
    public static bool RecoveredBeforeActing(Incident incident) =>
        incident.CheckedClaim is { Answer: RecoveryAnswer.Confirmed } || (incident.CheckedClaim is { Answer: RecoveryAnswer.NoChecks } && incident.AlertResolvedAt is not null);

    /// <summary>
    /// As <see cref="RecoveredBeforeActing(Incident)"/>, but a flapping alert has to be quiet for a while. Its question stays open
    /// meanwhile.
    /// </summary>
    public static bool RecoveredBeforeActing(Incident incident, DateTimeOffset now) =>
        RecoveredBeforeActing(incident) && !(now < incident.HeldUntil);

    /// <summary>Records what the checks say about the sender's claim. If they do not confirm it, people are told once.</summary>
    /// <param name="claimedAt">The claim that the checks were asked about. If it was withdrawn meanwhile, nothing is recorded.</param>
    /// <param name="answers">Empty if the runbook has no such checks.</param>
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
            VerificationRounds = findings.Count == 0
                ? VerificationRounds
                : VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now),
            UpdatedAt = now,
        };
        if (Flaps(now))
        {
            // Otherwise news would come and go with each turn of the flapping alert.
            return recorded;
        }

        return answer switch
        {
            RecoveryAnswer.StillFailing => recorded.AddNews(
                RecoveryNews,
                "runbook",
                $"{Claim}; the checks still fail: {Summarize(findings.Where(finding => finding.Verdict == Verdict.Failing))}",
                now),
            RecoveryAnswer.Unclear => recorded.AddNews(
                RecoveryNews, "runbook",
                findings.Any(finding => finding.Verdict == Verdict.Unknown)
                    ? $"{Claim}; not every check could be answered: {Summarize(findings.Where(finding => finding.Verdict != Verdict.Passing))}"
                    : $"{Claim}. {Diagnosis.WhyUnclear(when, findings)}",
                now),
            RecoveryAnswer.NoChecks when AlertResolvedAt is null => recorded.AddNews(
                RecoveryNews, "runbook", $"{Claim}; this runbook has no checks that could say whether it is over.", now),
            _ => recorded.DropNews(RecoveryNews),
        };
    }

    private string Claim => AlertResolvedAt is not null ? "The sender says it is over" : CleanText.Capital(EndedText("it"));

    /// <summary>For an end without an all-clear for every alert.</summary>
    private string EndedText(string what) => EndReasons is { Length: > 0 } why
        ? $"the sender ended {what} without an all-clear ({why})"
        : "the sender says that every alert on record is over, but more came than one record knows";

    private string EndReasons => string.Join(", ", Alerts
        .Select(alert => alert.EndedBecause)
        .Concat(Unlisted.Select(alert => alert.Why))
        .OfType<string>()
        .Distinct()
        .Select(why => Clip.To(why, 100)));

    /// <summary>Why nobody was asked, a question was withdrawn, or what was approved did not run.</summary>
    public static string RecoveryReason(Incident incident)
    {
        var over = incident.AlertResolvedAt is null ? incident.EndedText("the alert") : "the alert was resolved";
        var when = incident.Gates.LastOrDefault(gate => gate is { Task: null, Outcome: GateOutcome.Approved }) switch
        {
            null when incident.OpenGate is { } gate =>
                $"{CleanText.Capital(over)} before the {(gate.Task is null ? "steps were approved" : "work by hand was done")}",
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

/// <param name="ClaimedAt">When the sender ended the alerts.</param>
/// <param name="AskedAt">When the checks were last asked about it.</param>
public sealed record RecoveryCheck(DateTimeOffset ClaimedAt, DateTimeOffset AskedAt, RecoveryAnswer Answer) : Evolving;

public enum RecoveryAnswer
{
    /// <summary>The checks no longer call for the mitigation.</summary>
    Confirmed,

    /// <summary>The runbook has no checks, so there is only the sender's word.</summary>
    NoChecks,

    StillFailing,

    /// <summary>Nothing fails for certain, but something could not be answered.</summary>
    Unclear,
}
