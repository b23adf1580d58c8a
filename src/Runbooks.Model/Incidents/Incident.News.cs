namespace Runbooks.Model.Incidents;

public sealed partial record Incident
{
    /// <summary>More would bury the question.</summary>
    public const int MaxNews = 10;

    /// <summary>How often people are told each time that an outage is over or goes on after all. Later turns are told less often.</summary>
    private const int MaxTurnsToldEach = 4;

    public IReadOnlyList<IncidentNews> News { get; init; } = [];

    /// <summary>Null until there was any.</summary>
    public string? ShownNews { get; init; }

    /// <summary>Changes when the cards that asked have to say something else.</summary>
    [JsonIgnore]
    public string? NewsMark
    {
        get
        {
            // A full list keeps its length, so unlisted alerts count too, but only on a logarithmic scale.
            var more = Unlisted.Count == 0
                ? ""
                : $"+{Alerts.Select(alert => alert.Name).Distinct().Count()}.{System.Numerics.BitOperations.Log2((uint)Unlisted.Count)}";
            var often = Recurrences.Sum(recurrence => recurrence.Milestone());
            return News.Count == 0 && Alerts.Count <= 1 && often == 0
                ? null
                : $"{string.Join(' ', News.Select(news => news.At.UtcTicks))}+{Alerts.Count}{more}{(often == 0 ? "" : $"+{often}")}";
        }
    }

    /// <summary>Whether to wake it because of news: for the people who are being asked, or because it waits for another incident.</summary>
    [JsonIgnore]
    public bool HasUntoldNews => (OpenGate is not null && NewsMark != ShownNews) || (IsWaitingForOther && News.Any(news => news.Urgent));

    /// <summary>One item for each key. A repeat changes the text and adds no line.</summary>
    public Incident AddNews(string key, string who, string text, DateTimeOffset now, bool urgent = false) => News.FirstOrDefault(known => known.Key == key) is { } known
        ? this with { News = [.. News.Select(news => news == known ? news with { Text = text } : news)] }
        : (this with { News = [.. News.TakeLast(MaxNews - 1), new(key, now, text, urgent)] }).NoteAlert(now, who, text);

    /// <summary>
    /// The sender's latest statement on a matter. A repeat changes nothing; a new statement moves to the end with its own time and line.
    /// </summary>
    private Incident AddWord(string key, string who, string text, DateTimeOffset now, bool urgent = false) =>
        News.Any(news => news.Key == key && news.Text == text) ? this : DropNews(key).AddNews(key, who, text, now, urgent);

    public Incident DropNews(string key) =>
        News.Any(news => news.Key == key) ? this with { News = [.. News.Where(news => news.Key != key)] } : this;
}

/// <param name="Key">The matter. Newer news on it replaces this.</param>
/// <param name="Urgent">People who are being asked get a separate message about it.</param>
public sealed record IncidentNews(string Key, DateTimeOffset At, string Text, bool Urgent = false) : Evolving
{
    /// <summary>When the sender said it, by the sender's clock. Null if not kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? SaidAt { get; init; }

    /// <summary>How often the outage had ended or gone on again by then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Turns { get; init; }
}

public sealed partial record Incident
{
    public bool KnowsOutage(Alert alert) =>
        AlertIdentity.OfOutage(alert) is { } outage && Alerts.Any(known => known.Outage == outage);

    /// <summary>
    /// Whether a fix for this outage is still in place. No fix ends an outage of Azure, so its next message is no reason to repeat the fix.
    /// </summary>
    public bool HasStandingFixFor(Alert alert) =>
        State == IncidentState.Resolved && KnowsOutage(alert)
        && Steps.Any(step => step is { IsChange: true, Preparation.IsSo: false, Status: StepStatus.Done or StepStatus.Kept })
        && Steps.All(step => step.Status != StepStatus.Undone);

    public bool KnowsNewsOf(Alert alert) =>
        KnowsOutage(alert) || (ResourceHealth.Of(alert) is { IsNews: true } && Alerts.Any(known => known.Is(alert)));

    /// <summary>A message about a known outage or a resource's health. It is counted and shown, but neither starts nor ends an alert.</summary>
    public Incident AddOutageNews(Alert alert, DateTimeOffset now)
    {
        var outage = AlertIdentity.OfOutage(alert);
        var stage = AlertIdentity.Stage(alert);
        if (!KnowsNewsOf(alert) || (outage is not null && stage is null))
        {
            return this;
        }

        var known = Alerts.First(known => outage is null ? known.Is(alert) : known.Outage == outage);
        var counted = Counted(known, now);
        var title = alert.Summary is { Length: > 0 } summary ? $": {Clip.To(summary, 300)}" : "";
        return stage is null
            ? counted.AddWord($"health:{alert.Fingerprint}", alert.Source, $"Azure tells of the resource, which ends nothing{title}", now)
            : counted.AddStage(
                outage!,
                stage.Trim(),
                alert,
                $"Azure says of outage {Clip.To(AlertIdentity.TrackingId(alert)!, 60)}, stage {Clip.To(stage, 60)}{title}",
                now);
    }

    /// <summary>
    /// Within a stage the latest statement counts. A stage that comes again is separate news. People hear of the first turns at once, and
    /// of later ones less often. A late or repeated older statement is no news.
    /// </summary>
    private Incident AddStage(string outage, string stage, Alert alert, string text, DateTimeOffset now)
    {
        var newest = News.LastOrDefault(news => StageOf(news, outage) is not null);
        if (alert.StartsAt < newest?.SaidAt)
        {
            return NoteAlertOnce(
                now,
                alert.Source,
                $"A message from before the latest one about the outage came late, or once more, and is no news. {text}");
        }

        var before = newest is null ? null : StageOf(newest, outage);
        var turns = newest?.Turns ?? 0;
        var key = newest?.Key ?? "";
        var urgent = newest?.Urgent == true;
        if (before is null || !InKey(stage).Equals(before, StringComparison.OrdinalIgnoreCase))
        {
            var isTurn = AlertIdentity.EndsOutage(stage) || (before is not null && AlertIdentity.EndsOutage(before));
            turns += isTurn ? 1 : 0;
            urgent = isTurn && (turns <= MaxTurnsToldEach || System.Numerics.BitOperations.IsPow2(turns));
            key = $"{outage}:{InKey(stage)}:{now.UtcTicks}";
        }

        var told = AddWord(key, alert.Source, text, now, urgent);
        return told with { News = [.. told.News.Select(news => news.Key == key ? news with { SaidAt = alert.StartsAt ?? news.SaidAt, Turns = turns } : news)] };
    }

    /// <summary>A key ends with the stage and the time. Older keys may lack the time.</summary>
    /// <returns>Null for other news.</returns>
    private static string? StageOf(IncidentNews news, string outage) =>
        news.Key.StartsWith($"{outage}:", StringComparison.Ordinal) && news.Key[(outage.Length + 1)..].Split(':') is [var stage, ..] and { Length: <= 2 } ? stage : null;

    private static string InKey(string stage) => stage.ToLowerInvariant().Replace(':', ' ');

    /// <summary>The resource's health now, if it differs from Azure's last message: nobody should decide about a slow machine that is down.</summary>
    private Incident AddHealth(AttachedAlert known, Alert alert, DateTimeOffset now)
    {
        var key = $"health-now:{alert.Fingerprint}:";
        var newest = News.LastOrDefault(news => news.Key.StartsWith(key, StringComparison.Ordinal))?.Key;
        var told = newest?[key.Length..] ?? (ReportOf(known) is { } report ? ResourceHealth.Of(report)?.Now : null);
        if (told is null
            || ResourceHealth.Of(alert)?.Now?.Trim() is not { Length: > 0 } health
            || health.Equals(told.Trim(), StringComparison.OrdinalIgnoreCase))
        {
            return this;
        }

        var title = alert.Summary is { Length: > 0 } summary ? $": {Clip.To(summary, 300)}" : "";
        var before = known.HasEnded ? "" : $", before that {Clip.To(told, 60)}";
        return DropNews(newest ?? "").AddNews(
            $"{key}{health}", alert.Source, $"Azure says that the resource is {Clip.To(health, 60)} now{before}{title}", now);
    }

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
