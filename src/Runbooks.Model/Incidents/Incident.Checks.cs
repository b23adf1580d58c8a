namespace Runbooks.Model.Incidents;

public sealed partial record Incident
{
    /// <summary>The most timeline lines about the diagnosis.</summary>
    private const int MaxDiagnoses = 20;

    /// <summary>The most timeline lines about rounds of checks. A check that flaps for days must not bloat the record.</summary>
    private const int MaxVerifications = 100;

    /// <summary>Findings stay as they are once somebody was asked because of them.</summary>
    public Incident RecordFindings(IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        if (findings.Count == 0 || (Findings.Count > 0 && Gates.Count > 0))
        {
            return this;
        }

        var watched = IsWatched ? this with { VerificationRounds = VerificationRounds.Add(IncidentState.Diagnosing, findings, now) } : this;
        var same = Findings.Select(finding => (finding.Name, finding.Verdict)).SequenceEqual(findings.Select(finding => (finding.Name, finding.Verdict)));
        var recorded = watched with { Findings = findings, IsFoundHealthy = false };
        return same || Timeline.Count(line => line.Kind == TimelineKind.Diagnosis) >= MaxDiagnoses
            ? recorded
            : recorded.Note(now, TimelineKind.Diagnosis, "runbook", Summarize(findings));
    }

    /// <summary>The checks pass, but a flapping alert is not over until it has been quiet for a while.</summary>
    public Incident WatchFlapping(IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        var reason = "The checks do not call for the mitigation, but the alert comes and goes; "
            + $"they are asked every minute until it has been quiet for {Recurrence.QuietFor.TotalMinutes:0} minutes, "
            + $"or comes no more than twice within an hour. {string.Join(' ', RecurrenceLines())}";
        return Watch(findings, reason.TrimEnd(), now);
    }

    /// <summary>Whether the diagnosis was repeated before anybody was asked. Each of its rounds is then recorded.</summary>
    [JsonIgnore]
    public bool IsWatched => Gates.Count == 0 && VerificationRounds.Any(round => round.State == IncidentState.Diagnosing);

    /// <summary>
    /// The checks pass although the alert fires. One round is not enough: alerts may be ahead of what checks measure, or behind it.
    /// </summary>
    /// <param name="until">Until when they are asked again.</param>
    public Incident WatchHealthy(Condition when, IReadOnlyList<Finding> findings, DateTimeOffset until, DateTimeOffset now) => Watch(
        findings,
        Diagnosis.MeasuredUntil(when, findings) is { } measured && measured < FiringSince(now)
            ? $"The checks find nothing to do, but what they tell was measured until {GateText.Clock(measured, now)}, before the alert: "
                + "they are asked again until newer values say so too. If none come, people are asked."
            : "The checks find nothing to do, but the alert still fires, so one round is not enough: "
                + $"they are asked again until {GateText.Clock(until, now)}.",
        now);

    /// <summary>A person started it, and no alert fires at its sender. Alerts that came with a retry have not been heard of since.</summary>
    [JsonIgnore]
    public bool IsOnlyAsked =>
        StartedBy is not null && !Alerts.Any(alert => FiresAtItsSender(alert) && (RetryOf is null || alert.LastAt > OpenedAt));

    private static bool FiresAtItsSender(AttachedAlert alert) => !alert.Resolved && !AlertIdentity.IsByHand(alert.Source);

    /// <summary>The start of the newest episode of its alerts, as far as known.</summary>
    public DateTimeOffset? FiringSince(DateTimeOffset now) =>
        Alerts.Select(alert => (DateTimeOffset?)alert.Began).Where(at => !Clocks.IsAhead(at, now)).Max();

    /// <summary>
    /// When its newest alert will have fired for this long. Null if all have. A stateless rule fires again each time, which makes no newer
    /// alert.
    /// </summary>
    public DateTimeOffset? NewestSeenFrom(TimeSpan healthyFor, DateTimeOffset now) => Alerts
        .Where(alert => !alert.Resolved && !(WholeReportOf(alert) is { } report && FiringAs(report).Any(one => one.FirstAt < alert.FirstAt)))
        .Select(alert => (DateTimeOffset?)(alert.Began + healthyFor))
        .Where(until => until > now && !Clocks.IsAhead(until - healthyFor, now))
        .Max();

    public IReadOnlyList<Finding> SinceFiring(IReadOnlyList<Finding> findings, DateTimeOffset now) =>
        [.. findings.Select(finding => finding.SinceFiring(FiringSince(now)))];

    /// <summary>How much longer to wait for a newer value than the checks must not call for the mitigation.</summary>
    private static readonly TimeSpan s_longestWaitForValue = TimeSpan.FromMinutes(10);

    /// <summary>If no newer value has come for too long, old passes become unknown, and people are asked.</summary>
    public IReadOnlyList<Finding> WithoutStandstill(
        Condition when, IReadOnlyList<Finding> findings, TimeSpan healthyFor, DateTimeOffset now)
    {
        if (Diagnosis.MeasuredUntil(when, findings) is not { } measured)
        {
            return findings;
        }

        var since = measured > OpenedAt || Clocks.IsAhead(OpenedAt, now) ? measured : OpenedAt;
        return now - since > healthyFor + s_longestWaitForValue ? [.. findings.Select(WithoutOldPass)] : findings;

        Finding WithoutOldPass(Finding finding) => finding.Verdict == Verdict.Passing && finding.SeenAt <= measured
            ? finding.Unless($"no newer value came until {GateText.Clock(now, now)}")
            : finding;
    }

    /// <param name="reason">Why it has not ended yet. Noted once.</param>
    private Incident Watch(IReadOnlyList<Finding> findings, string reason, DateTimeOffset now)
    {
        var recorded = RecordFindings(findings, now);
        var watched = IsWatched
            ? recorded
            : (recorded with { VerificationRounds = VerificationRounds.Add(IncidentState.Diagnosing, findings, now) })
                .Note(now, TimelineKind.Diagnosis, "runbook", reason);
        return watched with
        {
            Reason = reason,
            IsFoundHealthy = true,
            UpdatedAt = now,
        };
    }

    /// <summary>Its checks called for nothing when last asked. It goes on only because its alert may not be over.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsFoundHealthy { get; init; }

    /// <summary>It ends because its checks found nothing to do, but the sender has not ended the alert. One of the two is wrong.</summary>
    [JsonIgnore]
    public bool FiresUnexplained => IsWatched && AlertResolvedAt is null && HasSender;

    /// <summary>The sender has not ended the alert. An incident that a person started has no sender.</summary>
    [JsonIgnore]
    public bool FiresOn => ClaimedAt is null && HasSender;

    private bool HasSender => StartedBy is null || Alerts.Any(FiresAtItsSender);

    /// <summary>Whether to tell people of an end without action: the alert still fires, or was of the highest severity.</summary>
    [JsonIgnore]
    public bool IsWorthTelling => State switch
    {
        IncidentState.NotNeeded =>
            IsWatched && (FiresUnexplained || Severity == ImpactSeverity.Critical || AlertSeverity.RankOf(WorstSeverity) == 0),
        IncidentState.SelfRecovered => FiresOn,
        _ => false,
    };

    /// <summary>Whether the sender had ended every alert before these results were measured.</summary>
    public bool IsOverFor(IReadOnlyList<Finding> findings) =>
        AlertResolvedAt is { } over && findings.All(finding => finding.SeenAt >= over);

    /// <summary>
    /// Records a round of checks. Only some changes are noted, since a temporary fix may be checked a thousand times. After a crash an
    /// engine may deliver a round again when the incident has ended; that changes nothing.
    /// </summary>
    /// <param name="wakeEvent">What the incident waits for next.</param>
    /// <param name="reason">What is wrong although the fix is in place, in words. Null for nothing.</param>
    /// <param name="unseen">How long nothing was checked, if that restarts the time. Null otherwise.</param>
    public Incident RecordVerification(
        IncidentState state,
        IReadOnlyList<Finding> findings,
        string? wakeEvent,
        DateTimeOffset now,
        TimeSpan? unseen = null,
        string? reason = null)
    {
        if (State.IsFinal())
        {
            return this;
        }

        var before = Verification.ToDictionary(finding => finding.Name, finding => finding.Verdict);
        var changed = State != state
            || findings.Any(finding => !before.TryGetValue(finding.Name, out var verdict) || verdict != finding.Verdict);
        // A value that is measured more rarely than asked for is not a new round.
        var repeats = !changed
            && unseen is null
            && findings.Any(finding => finding.Result.MeasuredAt is { } at
                && Verification.Any(old => old.Name == finding.Name && old.Result.MeasuredAt == at));
        var rounds = repeats ? VerificationRounds : VerificationRounds.Add(state, findings, now, anew: unseen is not null);
        var looked = this with
        {
            State = state,
            Reason = reason,
            Verification = findings,
            VerificationRounds = rounds,
            WakeEvent = wakeEvent,
            UpdatedAt = now,
        };
        var (kind, time) = state == IncidentState.Holding ? (TimelineKind.Lease, "for which") : (TimelineKind.Verification, "in which");
        if (unseen is { } gap && Told(this) < MaxVerifications)
        {
            var length = DurationText.Format(TimeSpan.FromSeconds(Math.Floor(gap.TotalSeconds)));
            var text = $"The checks were not asked for {length}, so the time {time} they have to pass starts again.";
            looked = looked.Note(now, kind, "runbook", text);
        }

        var told = Told(looked);
        return !changed || (State == state && told > MaxVerifications) ? looked
            : looked.Note(
                now, kind, "runbook",
                State == state && told == MaxVerifications
                    ? "The checks keep changing their answers. From here on their changes are counted, and no longer written down here."
                    : Summarize(findings));

        static int Told(Incident incident) => incident.Timeline.Count(line => line.Kind is TimelineKind.Lease or TimelineKind.Verification);
    }

    /// <summary>The end of the last mitigation step. Steps that only tell do not count. Null if there is none.</summary>
    [JsonIgnore]
    public DateTimeOffset? ActedAt =>
        Steps.Where(step => step is { Phase: Phase.Mitigation, Preparation.TellsOnly: false }).Max(step => step.FinishedAt);

    /// <returns>Null if that was not too long, or if the checks did not pass before.</returns>
    public TimeSpan? WasUnseen(IncidentState looking, Mitigation mitigation, DateTimeOffset now) =>
        looking == IncidentState.Verifying ? WasUnverified(mitigation.Verify, now) : WasUnheld(mitigation.HoldUntil, now);

    /// <summary>A host that is always late must not keep a useless fix in place for ever.</summary>
    private const int MaxVerifiedAnew = 3;

    private TimeSpan? WasUnverified(Verify? verify, DateTimeOffset now)
    {
        var restarts = VerificationRounds.Count(round => round is { State: IncidentState.Verifying, IsAnew: true });
        var lastSeen = State == IncidentState.Verifying
            ? Verification.Max(finding => (DateTimeOffset?)finding.At)
            : Steps.Where(step => step.Phase == Phase.Mitigation).Max(step => step.FinishedAt);
        return restarts < MaxVerifiedAnew && now - lastSeen is { } gap && gap > verify?.LongestGap ? gap : null;
    }

    private TimeSpan? WasUnheld(Hold? hold, DateTimeOffset now) =>
        State == IncidentState.Holding && Verification.Count > 0 && Verification.All(finding => finding.Verdict == Verdict.Passing || hold?.Checks.Contains(finding.Name) == false)
        && now - Verification.Max(finding => finding.At) is var gap && gap > hold?.LongestGap
            ? gap
            : null;

    /// <summary>Whether the checks of a temporary fix passed when last asked, and not long ago. In a dry run none are asked.</summary>
    public bool SawCauseGone(Hold hold, DateTimeOffset now) =>
        Verification
            .Where(finding => hold.Checks.Contains(finding.Name))
            .All(finding => finding.Verdict == Verdict.Passing && now - finding.At <= hold.LongestGap);

    /// <summary>If a check does not pass any more, the temporary fix stays.</summary>
    public Incident LookBeforeTakingBack(IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        // Checks that were not asked again keep their last result.
        var looked = RecordVerification(IncidentState.Holding, findings, WakeEvent, now);
        looked = State.IsFinal()
            ? looked
            : looked with
            {
                Verification = [.. findings, .. Verification.ExceptBy(findings.Select(finding => finding.Name), finding => finding.Name)],
            };
        return State.IsFinal() || findings.All(finding => finding.Verdict == Verdict.Passing) ? looked
            : looked with { UndoBeganAt = null, WaitsUntil = null };
    }

    public static string Summarize(IEnumerable<Finding> findings) => string.Join(" ", findings.Select(finding =>
        $"{finding.Name}: {finding.Verdict switch { Verdict.Passing => "passing", Verdict.Failing => "failing", _ => "unknown" }} "
        + $"({finding.Result.Summary})"));
}
