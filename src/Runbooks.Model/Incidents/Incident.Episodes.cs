namespace Runbooks.Model.Incidents;

/// <summary>An episode is one time that an alert comes and goes, identified by its start. Messages of an earlier one change nothing.</summary>
public static class Episode
{
    /// <summary>The tolerated clock difference of two senders. Starts closer than this are the same episode.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A start ahead of our clock is dropped, or set to now within the tolerance. Otherwise later episodes would seem earlier and be
    /// ignored.
    /// </summary>
    public static Alert WithoutStartAhead(Alert alert, DateTimeOffset now) =>
        alert.StartsAt > now ? alert with { StartsAt = alert.StartsAt - now > Tolerance ? null : now } : alert;

    /// <summary>Whether a message belongs to an earlier episode. Both times are the sender's own.</summary>
    public static bool IsEarlier(AttachedAlert known, Alert alert) =>
        IsDeliveredAgain(known, alert)
        || (known.StartsAt is { } current && alert.StartsAt != current && !IsMovedBack(known, alert)
            && ((alert.StartsAt is { } starts && (known.EarlierStarts.Contains(starts) || current - starts > ToleranceOf(alert)))
                || (alert.Status == AlertStatus.Resolved && alert.EndsAt is { } ends && current - ends > ToleranceOf(alert))));

    /// <summary>
    /// Event Grid delivers at least once and without order (learn.microsoft.com/azure/event-grid/delivery-and-retry), and action groups
    /// repeat what was not answered. Another sender that merges alerts may fire again with an old start.
    /// </summary>
    private static bool IsDeliveredAgain(AttachedAlert known, Alert alert) =>
        known.Resolved && alert.Status == AlertStatus.Firing && (alert.Source == AlertSource.EventGrid || ResourceHealth.Of(alert) is not null)
        && (alert.StartsAt ?? alert.EndsAt) is { } told && (told == known.StartsAt || told < known.EndsAt);

    /// <summary>Azure reports each change of a resource's health separately and with one clock, so even close changes differ.</summary>
    private static TimeSpan ToleranceOf(Alert alert) => ResourceHealth.Of(alert) is null ? Tolerance : TimeSpan.Zero;

    /// <summary>Whether it is the episode on record. Without a start it is, until the sender ends the alert.</summary>
    public static bool IsSame(AttachedAlert known, Alert alert) =>
        known.StartsAt is not { } current || alert.StartsAt is not { } starts || (starts - current).Duration() <= ToleranceOf(alert)
        || IsMovedBack(known, alert);

    /// <summary>
    /// Alertmanager keeps the earliest start of what several Prometheus servers tell it, so a start may move back while the alert fires,
    /// for example when they were restarted one after the other. Whatever began before and lasted into the present episode is that episode.
    /// </summary>
    /// <seealso href="https://github.com/prometheus/alertmanager/blob/v0.28.1/types/types.go"/>
    internal static bool IsMovedBack(AttachedAlert known, Alert alert) =>
        alert.Source is AlertSource.Alertmanager or AlertSource.Grafana && alert.StartsAt < known.StartsAt
        && (alert.Status == AlertStatus.Resolved ? alert.EndsAt >= known.StartsAt : !known.HasEnded);
}

public sealed partial record Incident
{
    /// <summary>Earlier episodes that are recognized exactly, even if close.</summary>
    private const int MaxEarlierStarts = 5;

    public bool IsOfEarlierEpisode(Alert alert) => Find(alert) is { } known && Episode.IsEarlier(known, alert);

    /// <summary>
    /// Event Grid delivers at least once, for a day, and names each event. Other senders, and people who try an alert by hand, repeat a
    /// message on purpose.
    /// </summary>
    public bool KnowsMessage(Alert alert) =>
        alert is { Source: AlertSource.EventGrid, Status: AlertStatus.Firing, StartsAt: { } starts }
        && Alerts.Any(known => known.Is(alert) && known.StartsAt == starts && (IsOfLaterEvent(known) || (EventOf(alert) is { } id && id == EventOf(ReportOf(known)))));

    /// <summary>The opening alert is kept as it first came. Of its later events only the time is recorded, which is unique to the event.</summary>
    private bool IsOfLaterEvent(AttachedAlert known) => known.Is(Alert) && known.StartsAt != Alert.StartsAt;

    private static string? EventOf(Alert? alert) => alert?.Annotations.GetValueOrDefault("eventId");

    /// <summary>Noted once for each alert. Nothing else changes.</summary>
    private Incident NoteEarlierAlert(AttachedAlert known, Alert alert, DateTimeOffset now) => known.ToldEarlier
        ? this
        : With(known, known with { ToldEarlier = true }).NoteAlertOnce(
            now,
            alert.Source,
            $"A {(alert.Status == AlertStatus.Resolved ? "resolved" : "firing")} message about an earlier episode of {alert.Name} came "
            + "late and changed nothing.");

    private static AttachedAlert WithEpisode(AttachedAlert known, Alert alert)
    {
        var begins = alert.StartsAt is { } starts && starts != known.StartsAt
            && !(known.Resolved ? Episode.IsMovedBack(known, alert) : Episode.IsSame(known, alert));
        return known with
        {
            StartsAt = begins ? alert.StartsAt : known.StartsAt ?? alert.StartsAt,
            EndsAt = alert.Status == AlertStatus.Resolved ? alert.EndsAt : null,
            EarlierStarts = begins && known.StartsAt is { } before
                ? [.. known.EarlierStarts.TakeLast(MaxEarlierStarts - 1), before]
                : known.EarlierStarts,
        };
    }
}

public sealed partial record Incident
{
    /// <summary>Set after a take-over, or after an end that needed a person. Null for any other end.</summary>
    public HandClosing? ClosedByHand { get; init; }

    /// <summary>The last decision on this target or on one of its alerts before this incident. Null if that was not a rejection.</summary>
    public EarlierNo? EarlierNo { get; init; }

    /// <summary>
    /// The earlier incident that recently tried the same for its alert, and failed or left open whether it happened. Null for none.
    /// </summary>
    public EarlierTry? Tried { get; init; }

    /// <summary>A rejection, a stop, or a close after a take-over. Null for any other end. It counts even if the undo failed.</summary>
    public EarlierNo? SaidNo() => this switch
    {
        // A retry takes the rejection back.
        { RetriedAs: not null } => null,
        { State: IncidentState.Rejected or IncidentState.Failed } when Gates.LastOrDefault(gate => gate.Task is null) is { Outcome: GateOutcome.Rejected } asked
            && asked.Decisions.LastOrDefault(decision => decision.Verb == DecisionVerb.Reject) is { } no => new(Id, no.Person, "rejected", no.At, no.Reason),
        { State: IncidentState.Cancelled or IncidentState.Failed, Stop: { } stop } => new(Id, stop.By, "stopped", stop.At, stop.Reason),

        // Closing a failure by hand is not a rejection.
        { State: IncidentState.TakenOver, ClosedByHand: { } closing } => new(Id, closing.By, "closed by hand", closing.At, closing.Reason),
        _ => null,
    };

    /// <inheritdoc cref="ContinueSeries" path="/param"/>
    public Incident GoOnAfter(Incident before, DateTimeOffset now, bool isCounted = false)
    {
        var continued = FollowOn(before).ContinueSeries(before, now, isCounted).WarnOfNo(before, now);
        return before.IsOwnedByResponder() ? continued.NoteEarlier(before, now) : continued;
    }

    /// <summary>
    /// Whether a rejection covers this alert. It covers the whole episode, and an outage is one. Without a start it counts as long as a
    /// take-over lasts. A worse alert asks again.
    /// </summary>
    public bool Remembers(Alert alert, DateTimeOffset now)
    {
        if (alert.Status != AlertStatus.Firing || SaidNo() is not { } no || IsWorseThanSeen(alert, no))
        {
            return false;
        }

        if (AlertIdentity.OfOutage(alert) is { } outage && Alerts.Any(a => a.Outage == outage && a.HandedTo is null))
        {
            return true;
        }

        if (Find(alert) is not { AskedNobody: false, HandedTo: null } known || BeganAfter(known, no))
        {
            return false;
        }

        // Once the alert ended, an earlier start is a late repeat and a later start is a new episode.
        return known.Resolved
            ? known.StartsAt is not null
                && alert.StartsAt is { } starts
                && (starts == known.StartsAt || (Episode.IsSame(known, alert) && starts < known.EndsAt))
            : Episode.IsSame(known, alert)
                && ((known.StartsAt is not null && alert.StartsAt is not null) || now - no.At < LongestOwnership);
    }

    /// <summary>
    /// Alerts that come while changes are being undone are not covered by the rejection. The sender's clock may differ, so a first episode
    /// counts as covered if we knew of it.
    /// </summary>
    private static bool BeganAfter(AttachedAlert known, EarlierNo no) =>
        known.FirstAt > no.At || (known.EarlierStarts.Count > 0 && known.StartsAt > no.At);

    /// <summary>An alert that still fires after a rejection is counted and noted once, and nobody is asked.</summary>
    public Incident AttachRemembered(Alert alert, DateTimeOffset now) =>
        SaidNo() is { } no
        && (Find(alert) ?? Alerts.FirstOrDefault(a => a.Outage is not null && a.Outage == AlertIdentity.OfOutage(alert))) is { } known
            ? CountAfterNo(known, alert, no, now)
            : this;

    private Incident CountAfterNo(AttachedAlert known, Alert alert, EarlierNo no, DateTimeOffset now)
    {
        var counted = Counted(known, now, afterNo: true);
        return known.ToldAfterNo
            ? counted
            : counted.NoteAlertOnce(now, alert.Source, $"{alert.Name} still fires. It does not ask again: {no.Text}");
    }
}

public sealed record HandClosing(string By, string Reason, DateTimeOffset At) : Evolving
{
    /// <summary>Cards, alerts and tickets have not been updated yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsUnfinished { get; init; }
}

/// <param name="Did">In the past tense: rejected, closed by hand.</param>
public sealed record EarlierNo(string Incident, string By, string Did, DateTimeOffset At, string? Reason) : Evolving
{
    /// <summary>
    /// It is about an alert that came again, with other decisions on the target since. Otherwise it is the last decision on the target.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool OfAlert { get; init; }

    public string Text =>
        $"incident {Incident} was {Did} by {By} "
        + $"on {At.ToUniversalTime().ToString("yyyy-MM-dd 'at' HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}"
        + (Reason is { Length: > 0 } ? $": {Reason}" : ".");

    public string Warning =>
        OfAlert
            ? $"An alert of this incident came before, and a person said no: {Text}"
            : $"The last decision on this target was a no: {Text}";
}

/// <param name="At">When that incident ended.</param>
/// <param name="Left">What it had not undone by then, a line for each change.</param>
public sealed record EarlierTry(string Incident, DateTimeOffset At, IReadOnlyList<string> Left) : Evolving
{
    /// <summary>An older failure says little about the present.</summary>
    public static readonly TimeSpan Lately = TimeSpan.FromDays(1);

    /// <summary>The steps that may or may not have happened.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    [JsonIgnore]
    public string Warning =>
        $"Incident {Incident} tried the same on this target"
        + (Unknown.Count == 0
            ? " and failed."
            : $". Nobody knows whether {string.Join(", ", Unknown)} happened there: look before you say yes.")
        + (Left.Count == 0 ? "" : $" It had left in place: {string.Join(" ", Left.Select(EndingText.Sentence))}");
}

/// <summary>
/// Grafana cannot measure a rule whose alerts fire here. It sends an alert of its own (DatasourceError, DatasourceNoData). After a while it
/// ends the alerts of the rule as resolved, with the text of their last firing, though nobody saw the end
/// (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states).
/// </summary>
public sealed partial record Incident
{
    public bool KnowsRuleOf(Alert told) => Alerts.Any(known => IsOfRule(known, told));

    public Incident AddMeasuringNews(Alert told, DateTimeOffset now)
    {
        if (!KnowsRuleOf(told))
        {
            return this;
        }

        var rule = GrafanaRule.NameOf(told);
        var (fails, stopped) = ($"measuring:{rule}", $"measuring-stopped:{rule}");
        if (told.Status == AlertStatus.Firing)
        {
            return MarkRuleOf(told, _ => new(told.Name, told.Fingerprint), now).DropNews(stopped)
                .AddNews(
                    fails,
                    told.Source,
                    $"Grafana cannot measure {rule} at the moment ({told.Name}). Until it can, an end of the alert is no all-clear.",
                    now);
        }

        if (AlertEnd.NoAllClear(told) is { } why)
        {
            return DropNews(fails).AddNews(
                stopped,
                told.Source,
                $"Grafana ended {told.Name} of {rule} for the reason {Clip.To(why, 100)}. "
                + "That does not say that it can measure the rule: an end of the alert is still no all-clear.",
                now);
        }

        var measured = MarkRuleOf(told, known => known?.Fingerprint == told.Fingerprint ? null : known, now);
        return measured.Alerts.Any(known => IsOfRule(known, told) && known.Unmeasured is not null) ? measured
            : measured.DropNews(fails).DropNews(stopped).NoteAlert(
                now, told.Source,
                Alerts.Any(known => IsOfRule(known, told) && known.EndedBecause == told.Name)
                    ? $"Grafana can measure {rule} again. It ended the alert while it could not, and says nothing more of it: "
                        + "look whether it is over."
                    : $"Grafana can measure {rule} again.");
    }

    private Incident MarkRuleOf(Alert told, Func<Unmeasured?, Unmeasured?> mark, DateTimeOffset now) => this with
    {
        Alerts = [.. Alerts.Select(known => IsOfRule(known, told) ? known with { Unmeasured = mark(known.Unmeasured) } : known)],
        UpdatedAt = now,
    };

    private bool IsOfRule(AttachedAlert known, Alert told) =>
        !known.Resolved && known.Source == told.Source && known.Name == GrafanaRule.NameOf(told) && (WholeReportOf(known) is not { } report || GrafanaRule.MayBe(report, told));
}

/// <param name="Name">Such as <c>DatasourceError</c>.</param>
public sealed record Unmeasured(string Name, string Fingerprint) : Evolving;
