namespace Runbooks.Model.Incidents;

/// <summary>What nobody was asked about because of a maintenance window, or of a rejection of a flapping alert.</summary>
public sealed partial record Incident
{
    /// <summary>Whether it ended because nothing was to run: in a maintenance window, or at the limits of a runbook that only tells.</summary>
    public bool WasSuppressed() =>
        State == IncidentState.NotNeeded && LatestGate?.Outcome is GateOutcome.DiagnosedOnly or GateOutcome.Suppressed;

    /// <summary>Whether it has to be checked when that time is over. The sender's all-clear is enough only without checks.</summary>
    public bool IsUnasked() => (WasSuppressed() && (AlertResolvedAt is null || Findings.Count > 0)) || HoldsUnasked();

    public Alert Unasked() => Alerts.LastOrDefault(alert => alert is { AskedNobody: true, Resolved: false })?.Alert ?? Alert;

    /// <summary>Takes up what nobody was asked about. Ended alerts stay ended.</summary>
    public Incident TakeUp(Incident before, DateTimeOffset now) =>
        (CarryAlertsOf(before, alert => before.WholeReportOf(alert) is { } report ? WithReport(alert, report) : alert) with
        {
            Mode = RunModes.Stricter(Mode, before.Mode),

            // The person started it for this alert, and still may not approve it alone.
            StartedBy = StartedBy ?? (Alert == before.Alert ? before.StartedBy : null),
            IsProposed = IsProposed || (before.IsProposed && Alert == before.Alert),
        })
            .FollowOn(before)
            .Note(
                now,
                TimelineKind.Opened,
                "runbook",
                $"{WhyNow(before)} This incident looks {(before.SaidNo() is null ? "again" : "at it")}, after incident {before.Id}.");

    /// <summary>Alerts that came again after a rejection on an earlier incident, still fire, and have not been heard of here since.</summary>
    public IReadOnlyList<Alert> UnheardOf(Incident before) =>
    [
        .. before.Alerts
            .Where(held => held is { AskedNobody: true, Resolved: false } && !Alerts.Any(known => known.Identity == held.Identity && known.LastAt >= held.LastAt))
            .Select(before.ReportOf).OfType<Alert>(),
    ];

    /// <summary>Takes over what the incident before could not ask about, since only the last one on a target is checked again.</summary>
    public Incident AddUnaskedOf(Incident before, DateTimeOffset now)
    {
        var missing = before.Alerts
            .Where(known => !known.Resolved && (before.WasSuppressed() || known.AskedNobody))
            .Select(known => (Known: known, Alert: before.ReportOf(known)))
            .Where(one => one.Alert is { } alert && !HasSeen(alert))
            .Take(MaxListed - Alerts.Count)
            .ToList();
        return missing.Count == 0 ? this : missing.Aggregate(
            Note(now, TimelineKind.Opened, "runbook", $"Incident {before.Id} on this target asked nobody. What it was about belongs to this one too."),
            (changed, one) => (changed with
            {
                Alerts =
                [
                    .. changed.Alerts,
                    (before.WholeReportOf(one.Known) is { } report ? changed.WithReport(one.Known, report) : one.Known) with
                    {
                        AskedNobody = false,
                        ToldAfterNo = false,
                    },
                ],
                AlertCount = changed.AlertCount + one.Known.Count,
            }).NoteOtherAlert(one.Alert!, moreSevere: false, now));
    }

    private Alert? ReportOf(AttachedAlert known) => known.Is(Alert) ? Alert : known.Alert;

    /// <summary>Null if only a part was kept.</summary>
    private Alert? WholeReportOf(AttachedAlert known) => known.Is(Alert) || known.IsWhole ? ReportOf(known) : null;

    public Incident NoteTakenUp(string by, DateTimeOffset now) =>
        NoteOnce(now, TimelineKind.Alert, "runbook", $"{WhyNow(this)} Incident {by} looks at it.");

    private static string WhyNow(Incident before)
    {
        if (before.SaidNo() is not null)
        {
            return "The alert came again after a no, and has not ended since.";
        }

        var alert = before.AlertResolvedAt is null
            ? ", and the alert was not said to be over."
            : ". The sender says that the alert is over; the checks decide.";
        return "The maintenance window has ended or become milder" + alert;
    }
}

/// <summary>
/// An incident asks nobody while an open incident of another runbook covers it. When the other has ended in any way, its own checks are
/// asked.
/// </summary>
public sealed partial record Incident
{
    /// <summary>The most waiting incidents that one record lists. Further ones wait too and check by themselves.</summary>
    public const int MaxSuppresses = 50;

    /// <summary>Null if it never waited.</summary>
    public IncidentSuppression? SuppressedBy { get; init; }

    public IReadOnlyList<string> Suppresses { get; init; } = [];

    [JsonIgnore]
    public bool IsWaitingForOther => SuppressedBy is { Over: null } && !State.IsFinal();

    /// <summary>
    /// Whether other incidents wait for it: until it ends, or is closed after a take-over. If its own checks find things well, it explains
    /// no other trouble.
    /// </summary>
    [JsonIgnore]
    public bool Covers => IsOwnedByResponder() || (!State.IsFinal() && !(State == IncidentState.Diagnosing && IsFoundHealthy));

    public Incident Suppress(string id) =>
        Suppresses.Contains(id) || Suppresses.Count >= MaxSuppresses ? this : this with { Suppresses = [.. Suppresses, id] };

    /// <param name="wakeEvent">The event that the end of the other raises.</param>
    public Incident WaitFor(Incident other, DateTimeOffset until, string wakeEvent, DateTimeOffset now)
    {
        var waits = this with { WakeEvent = wakeEvent };
        if (IsWaitingForOther && SuppressedBy!.Incident == other.Id)
        {
            return waits;
        }

        var why = $"Incident {other.Id} of '{other.Title}' on {IncidentText.Target(other.Target)} covers this one and is open. "
            + $"This one asks nobody until that has ended, at the latest at {GateText.Clock(until, now)}.";
        return (waits with { SuppressedBy = new(other.Id, other.RunbookId, other.Target, now, until), Reason = why }).Note(
            now, TimelineKind.Safety, "runbook", why);
    }

    /// <summary>Does nothing if it does not wait.</summary>
    public Incident StopWaiting(string why, DateTimeOffset now) => SuppressedBy is { Over: null } waited && !State.IsFinal()
        ? (this with { SuppressedBy = waited with { Over = now }, Reason = null }).Note(now, TimelineKind.Safety, "runbook", why)
        : this;
}

/// <param name="Incident">The other incident.</param>
/// <param name="Until">The longest wait.</param>
/// <param name="Over">When it stopped waiting. Null while it waits.</param>
public sealed record IncidentSuppression(
    string Incident, string Runbook, string Target, DateTimeOffset Since, DateTimeOffset Until, DateTimeOffset? Over = null) : Evolving;

/// <summary>
/// An incident in between that ended by itself, or was about another alert, does not cancel an earlier rejection on the target. A decision
/// or action about the same alert does.
/// </summary>
public sealed partial record Incident
{
    /// <summary>The most rejections in one record. The oldest are dropped.</summary>
    private const int MaxStandingNoes = 10;

    /// <summary>Earlier rejections on this target that still counted when it opened, the newest last. Null for none.</summary>
    public IReadOnlyList<StandingNo>? StandingNoes { get; init; }

    /// <summary>The last decision on this target, if it was a rejection: in this incident or, if nobody decided here, before it.</summary>
    public EarlierNo? LastNo() => SaidNo() ?? (IsDecidedByPeople || EarlierNo is { OfAlert: true } ? null : EarlierNo);

    /// <summary>Takes over earlier rejections, and warns if one was the last decision on the target or on one of its alerts.</summary>
    public Incident WarnOfNo(Incident before, DateTimeOffset now)
    {
        var noes = before.NoesAfter(handedOn: FollowUpOf == before.Id ? Alerts : []);
        var no = before.LastNo() ?? (noes.LastOrDefault(one => Alerts.Any(known => one.IsAbout(Refused(known))))?.No is { } about ? about with { OfAlert = true } : null);
        var knowing = this with { StandingNoes = noes.Count == 0 ? null : noes, EarlierNo = no };
        return no is null ? knowing : knowing.Note(now, TimelineKind.Opened, "runbook", no.Warning);
    }

    public IReadOnlyList<string> RefusedBy(IReadOnlyList<Alert> alerts)
    {
        if (StandingNoes is null && SaidNo() is null)
        {
            return [];
        }

        var asked = alerts.Select(RefusedAlert.Of).ToList();
        return [.. NoesAfter(handedOn: []).Where(one => asked.Exists(one.IsAbout)).Select(one => one.No.Incident).Reverse()];
    }

    /// <summary>The rejections that count after this incident.</summary>
    /// <param name="handedOn">Alerts that a follow-up incident gets and decides.</param>
    private List<StandingNo> NoesAfter(IReadOnlyList<AttachedAlert> handedOn)
    {
        var no = SaidNo();
        var meant = Alerts
            .Where(known => known.HandedTo is null && handedOn.All(one => one.Identity != known.Identity) && (no is null || known.FirstAt <= no.At))
            .Select(Refused)
            .Concat(Unlisted.Where(one => no is null || one.At <= no.At.UtcTicks).Select(one => one.Refused))
            .Distinct().ToList();
        var standing = StandingNoes ?? [];
        // While something about the alert is open, its outcome decides. If that ends without a decision, the rejection counts again.
        var kept = IsDecidedByPeople || HasActed || !State.IsFinal()
            ? standing.Select(one => one with { Alerts = [.. one.Alerts.Where(refused => !meant.Exists(refused.IsSame))] })
            : standing;
        return [.. kept.Concat(no is null ? [] : [new(no, meant)]).Where(one => one.Alerts.Count > 0).TakeLast(MaxStandingNoes)];
    }

    /// <summary>Closing a failed or unanswered incident decides nothing about later ones.</summary>
    private bool IsDecidedByPeople => RetryOf is not null || RetriedAs is not null || Stop is not null || State == IncidentState.TakenOver
        || Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved or GateOutcome.Rejected, Decisions.Count: > 0 });

    private RefusedAlert Refused(AttachedAlert known) =>
        WholeReportOf(known) is { } report ? RefusedAlert.Of(report) : new(RefusedAlert.HashOf(known.Identity));
}

public sealed record StandingNo(EarlierNo No, IReadOnlyList<RefusedAlert> Alerts) : Evolving
{
    internal bool IsAbout(RefusedAlert alert) => Alerts.Any(alert.IsSame);
}

/// <param name="Identity">A hash. Null for a start by hand, which never comes again.</param>
/// <param name="Says">A hash of sender, name and labels without measured values, since some senders give each firing a new identity. Null
/// if the alert was not kept whole.</param>
public sealed record RefusedAlert(string? Identity, string? Says = null) : Evolving
{
    internal static RefusedAlert Of(Alert alert) => AlertIdentity.IsByHand(alert.Source)
        ? new(Identity: null)
        : new(HashOf(AlertIdentity.Of(alert)), HashOf($"{alert.Source}\n{alert.Name}\n{AlertLabels.KeyOf(alert)}"));

    internal static string HashOf(string text) => TextHash.Of(text, bytes: 8);

    internal bool IsSame(RefusedAlert other) =>
        (Identity is not null && Identity == other.Identity) || (Says is not null && Says == other.Says);
}
