namespace Runbooks.Model.Incidents;

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
