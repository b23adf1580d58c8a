namespace Runbooks.Model.Incidents;

/// <summary>What nobody was asked about for a while: because of a maintenance window, or of a no to an alert that comes and goes.</summary>
public sealed partial record Incident
{
    /// <summary>Whether it ended because nothing was to run, whatever its checks say: a maintenance window, or the limits of what only tells.</summary>
    public bool WasSuppressed() =>
        State == IncidentState.NotNeeded && LatestGate?.Outcome is GateOutcome.DiagnosedOnly or GateOutcome.Suppressed;

    /// <summary>Whether it still has to be looked at when that time is over. That the sender says it is over counts only where there are no checks to ask.</summary>
    public bool IsUnasked() => (WasSuppressed() && (AlertResolvedAt is null || Findings.Count > 0)) || HoldsUnasked();

    /// <summary>The alert that it has to be looked at for.</summary>
    public Alert Unasked() => Alerts.LastOrDefault(alert => alert is { AskedNobody: true, Resolved: false })?.Alert ?? Alert;

    /// <summary>This one, just opened, looks at what nobody was asked about; the alerts that are known to be over stay so.</summary>
    public Incident TakeUp(Incident before, DateTimeOffset now) =>
        (CarryAlertsOf(before, alert => before.WholeReportOf(alert) is { } report ? WithReport(alert, report) : alert) with
        {
            Mode = RunModes.Stricter(Mode, before.Mode),

            // Whoever started it did so for this alert, and is still not the only one to approve it.
            StartedBy = StartedBy ?? (Alert == before.Alert ? before.StartedBy : null),
            IsProposed = IsProposed || (before.IsProposed && Alert == before.Alert),
        }).FollowOn(before).Note(now, TimelineKind.Opened, "runbook", $"{WhyNow(before)} This incident looks {(before.SaidNo() is null ? "again" : "at it")}, after incident {before.Id}.");

    /// <summary>What came again after a no to it on an incident before this one, fires, and has not been heard of here since.</summary>
    public IReadOnlyList<Alert> UnheardOf(Incident before) =>
    [
        .. before.Alerts
            .Where(held => held is { AskedNobody: true, Resolved: false } && !Alerts.Any(known => known.Identity == held.Identity && known.LastAt >= held.LastAt))
            .Select(before.ReportOf).OfType<Alert>(),
    ];

    /// <summary>
    /// This one, just opened, also knows what the incident before it was kept from asking about: of one target only the last
    /// incident is looked at again.
    /// </summary>
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
                Alerts = [.. changed.Alerts, (before.WholeReportOf(one.Known) is { } report ? changed.WithReport(one.Known, report) : one.Known) with { AskedNobody = false, ToldAfterNo = false }],
                AlertCount = changed.AlertCount + one.Known.Count,
            }).NoteOtherAlert(one.Alert!, moreSevere: false, now));
    }

    /// <summary>What an alert of this incident said when it fired last.</summary>
    private Alert? ReportOf(AttachedAlert known) => known.Is(Alert) ? Alert : known.Alert;

    /// <summary>The same; null where only a part of it was kept.</summary>
    private Alert? WholeReportOf(AttachedAlert known) => known.Is(Alert) || known.IsWhole ? ReportOf(known) : null;

    /// <summary>The incident before says where its alert was taken up.</summary>
    public Incident NoteTakenUp(string by, DateTimeOffset now) =>
        NoteOnce(now, TimelineKind.Alert, "runbook", $"{WhyNow(this)} Incident {by} looks at it.");

    private static string WhyNow(Incident before) => before.SaidNo() is not null
        ? "The alert came again after a no, and has not ended since."
        : $"The maintenance window has ended or become milder{(before.AlertResolvedAt is null ? ", and the alert was not said to be over." : ". The sender says that the alert is over; the checks decide.")}";
}

/// <summary>
/// An incident that waits because an open incident of another runbook covers it. It asks nobody meanwhile; its own checks
/// are asked when the other has ended, however that ended.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Incidents that one record lists as waiting for it; more wait all the same and look by themselves.</summary>
    public const int MaxSuppresses = 50;

    /// <summary>What it waits or waited for; null when it never did.</summary>
    public IncidentSuppression? SuppressedBy { get; init; }

    /// <summary>The incidents that wait, or waited, for this one to end.</summary>
    public IReadOnlyList<string> Suppresses { get; init; } = [];

    [JsonIgnore]
    public bool IsWaitingForOther => SuppressedBy is { Over: null } && !State.IsFinal();

    /// <summary>Whether incidents that it covers wait for it: until it ends, or until whoever took it over closes it. What its own checks call healthy explains no other trouble.</summary>
    [JsonIgnore]
    public bool Covers => IsOwnedByResponder() || (!State.IsFinal() && !(State == IncidentState.Diagnosing && IsFoundHealthy));

    /// <summary>Another one waits for this.</summary>
    public Incident Suppress(string id) => Suppresses.Contains(id) || Suppresses.Count >= MaxSuppresses ? this : this with { Suppresses = [.. Suppresses, id] };

    /// <param name="wakeEvent">What the end of the other raises.</param>
    public Incident WaitFor(Incident other, DateTimeOffset until, string wakeEvent, DateTimeOffset now)
    {
        var waits = this with { WakeEvent = wakeEvent };
        if (IsWaitingForOther && SuppressedBy!.Incident == other.Id)
        {
            return waits;
        }

        var why = $"Incident {other.Id} of '{other.Title}' on {IncidentText.Target(other.Target)} covers this one and is open. This one asks nobody until that has ended, at the latest at {GateText.Clock(until, now)}.";
        return (waits with { SuppressedBy = new(other.Id, other.RunbookId, other.Target, now, until), Reason = why }).Note(now, TimelineKind.Safety, "runbook", why);
    }

    /// <summary>Says nothing about an incident that does not wait.</summary>
    /// <param name="why">In words.</param>
    public Incident StopWaiting(string why, DateTimeOffset now) => SuppressedBy is { Over: null } waited && !State.IsFinal()
        ? (this with { SuppressedBy = waited with { Over = now }, Reason = null }).Note(now, TimelineKind.Safety, "runbook", why)
        : this;
}

/// <param name="Incident">The other incident.</param>
/// <param name="Until">It waits no longer than this.</param>
/// <param name="Over">When it stopped waiting; null while it waits.</param>
public sealed record IncidentSuppression(string Incident, string Runbook, string Target, DateTimeOffset Since, DateTimeOffset Until, DateTimeOffset? Over = null) : Evolving;

/// <summary>
/// Each incident on a target knows what people said no to there before. What opened in between may have ended by itself, or have been
/// about another alert: that takes no no back. What was decided or done about the same alert since does.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Noes that one record knows; of more the oldest give way.</summary>
    private const int MaxStandingNoes = 10;

    /// <summary>What people said no to in incidents on this target before it, and what nothing had taken back when it opened; the last one last. Null where there is none.</summary>
    public IReadOnlyList<StandingNo>? StandingNoes { get; init; }

    /// <summary>The last decision of a person on this target, when it was a no: in this incident or, where nobody decided anything here, before it.</summary>
    public EarlierNo? LastNo() => SaidNo() ?? (IsDecidedByPeople || EarlierNo is { OfAlert: true } ? null : EarlierNo);

    /// <summary>This one, just opened, knows to what people said no on its target, and says so where that was the last word on the target or on one of its alerts.</summary>
    public Incident WarnOfNo(Incident before, DateTimeOffset now)
    {
        var noes = before.NoesAfter(handedOn: FollowUpOf == before.Id ? Alerts : []);
        var no = before.LastNo() ?? (noes.LastOrDefault(one => Alerts.Any(known => one.IsAbout(Refused(known))))?.No is { } about ? about with { OfAlert = true } : null);
        var knowing = this with { StandingNoes = noes.Count == 0 ? null : noes, EarlierNo = no };
        return no is null ? knowing : knowing.Note(now, TimelineKind.Opened, "runbook", no.Warning);
    }

    /// <summary>The incidents that have to be asked whether a no that was said there still holds for one of these alerts.</summary>
    public IReadOnlyList<string> RefusedBy(IReadOnlyList<Alert> alerts)
    {
        if (StandingNoes is null && SaidNo() is null)
        {
            return [];
        }

        var asked = alerts.Select(RefusedAlert.Of).ToList();
        return [.. NoesAfter(handedOn: []).Where(one => asked.Exists(one.IsAbout)).Select(one => one.No.Incident).Reverse()];
    }

    /// <summary>The noes that stand now, whatever comes next.</summary>
    /// <param name="handedOn">Alerts that a follow-up gets: what is decided about them is decided there.</param>
    private List<StandingNo> NoesAfter(IReadOnlyList<AttachedAlert> handedOn)
    {
        var no = SaidNo();
        var meant = Alerts
            .Where(known => known.HandedTo is null && handedOn.All(one => one.Identity != known.Identity) && (no is null || known.FirstAt <= no.At))
            .Select(Refused)
            .Concat(Unlisted.Where(one => no is null || one.At <= no.At.UtcTicks).Select(one => one.Refused))
            .Distinct().ToList();
        var standing = StandingNoes ?? [];
        // What is open about the alert has it; the no stands again where that ends without a decision.
        var kept = IsDecidedByPeople || HasActed || !State.IsFinal() ? standing.Select(one => one with { Alerts = [.. one.Alerts.Where(refused => !meant.Exists(refused.IsSame))] }) : standing;
        return [.. kept.Concat(no is null ? [] : [new(no, meant)]).Where(one => one.Alerts.Count > 0).TakeLast(MaxStandingNoes)];
    }

    /// <summary>To close what has failed, or what nobody answered, decides nothing about what comes next.</summary>
    private bool IsDecidedByPeople => RetryOf is not null || RetriedAs is not null || Stop is not null || State == IncidentState.TakenOver
        || Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved or GateOutcome.Rejected, Decisions.Count: > 0 });

    private RefusedAlert Refused(AttachedAlert known) => WholeReportOf(known) is { } report ? RefusedAlert.Of(report) : new(RefusedAlert.HashOf(known.Identity));
}

/// <summary>A person's no, and the alerts that it was about.</summary>
public sealed record StandingNo(EarlierNo No, IReadOnlyList<RefusedAlert> Alerts) : Evolving
{
    internal bool IsAbout(RefusedAlert alert) => Alerts.Any(alert.IsSame);
}

/// <summary>By what an alert is known again that a person said no to.</summary>
/// <param name="Identity">A hash of it; null for a start by hand, which is no alert that comes again.</param>
/// <param name="Says">A hash of its sender, name and labels but for what was measured, since some senders give each firing another identity; null where not all of it was kept.</param>
public sealed record RefusedAlert(string? Identity, string? Says = null) : Evolving
{
    internal static RefusedAlert Of(Alert alert) => AlertIdentity.IsByHand(alert.Source)
        ? new(Identity: null)
        : new(HashOf(AlertIdentity.Of(alert)), HashOf($"{alert.Source}\n{alert.Name}\n{AlertLabels.KeyOf(alert)}"));

    internal static string HashOf(string text) => TextHash.Of(text, bytes: 8);

    internal bool IsSame(RefusedAlert other) => (Identity is not null && Identity == other.Identity) || (Says is not null && Says == other.Says);
}
