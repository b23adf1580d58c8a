namespace Runbooks.Model.Incidents;

/// <summary>An alert comes and goes: each time is an episode, known by when it started. What belongs to an earlier one changes nothing.</summary>
public static class Episode
{
    /// <summary>Two senders of one alert may have clocks that differ by this much; nearer starts are the same episode.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>A start ahead of our clock is none, or now where the clocks may differ by as much: later episodes with a true one would pass for earlier ones, and change nothing.</summary>
    public static Alert WithoutStartAhead(Alert alert, DateTimeOffset now) =>
        alert.StartsAt > now ? alert with { StartsAt = alert.StartsAt - now > Tolerance ? null : now } : alert;

    /// <summary>Whether a message is of an episode before the one that stands on record. Both times are the sender's own.</summary>
    public static bool IsEarlier(AttachedAlert known, Alert alert) =>
        IsDeliveredAgain(known, alert)
        || (known.StartsAt is { } current && alert.StartsAt != current
            && ((alert.StartsAt is { } starts && (known.EarlierStarts.Contains(starts) || current - starts > ToleranceOf(alert)))
                || (alert.Status == AlertStatus.Resolved && alert.EndsAt is { } ends && current - ends > ToleranceOf(alert))));

    /// <summary>
    /// Event Grid keeps no order and delivers at least once (learn.microsoft.com/azure/event-grid/delivery-and-retry), and action groups repeat
    /// what was not answered. Of other senders one that merges alerts may fire on with the start of before.
    /// </summary>
    private static bool IsDeliveredAgain(AttachedAlert known, Alert alert) =>
        known.Resolved && alert.Status == AlertStatus.Firing && (alert.Source == AlertSource.EventGrid || ResourceHealth.Of(alert) is not null)
        && (alert.StartsAt ?? alert.EndsAt) is { } told && (told == known.StartsAt || told < known.EndsAt);

    /// <summary>Azure tells each change of a resource's health by itself and with one clock, however near the next one is.</summary>
    private static TimeSpan ToleranceOf(Alert alert) => ResourceHealth.Of(alert) is null ? Tolerance : TimeSpan.Zero;

    /// <summary>Whether it fires in the very episode on record. A sender that gives no start is believed to mean the same one until it says that it is over.</summary>
    public static bool IsSame(AttachedAlert known, Alert alert) =>
        known.StartsAt is not { } current || alert.StartsAt is not { } starts || (starts - current).Duration() <= ToleranceOf(alert);
}

/// <summary>Messages of earlier episodes.</summary>
public sealed partial record Incident
{
    /// <summary>Earlier episodes that are told apart exactly, however near they are.</summary>
    private const int MaxEarlierStarts = 5;

    public bool IsOfEarlierEpisode(Alert alert) => Find(alert) is { } known && Episode.IsEarlier(known, alert);

    /// <summary>
    /// Whether this very message was taken before. Event Grid delivers at least once, for a day, and names each event. Other senders, and
    /// whoever tries an alert by hand, send the same again on purpose.
    /// </summary>
    public bool KnowsMessage(Alert alert) =>
        alert is { Source: AlertSource.EventGrid, Status: AlertStatus.Firing, StartsAt: { } starts }
        && Alerts.Any(known => known.Is(alert) && known.StartsAt == starts && (IsOfLaterEvent(known) || (EventOf(alert) is { } id && id == EventOf(ReportOf(known)))));

    /// <summary>What opened the incident is kept as it came first; of a later event of it the time alone is on record, which is the event's own.</summary>
    private bool IsOfLaterEvent(AttachedAlert known) => known.Is(Alert) && known.StartsAt != Alert.StartsAt;

    private static string? EventOf(Alert? alert) => alert?.Annotations.GetValueOrDefault("eventId");

    /// <summary>Said once for each alert; nothing else changes.</summary>
    private Incident NoteEarlierAlert(AttachedAlert known, Alert alert, DateTimeOffset now) => known.ToldEarlier
        ? this
        : With(known, known with { ToldEarlier = true }).NoteAlertOnce(
            now, alert.Source, $"A {(alert.Status == AlertStatus.Resolved ? "resolved" : "firing")} message about an earlier episode of {alert.Name} came late and changed nothing.");

    /// <summary>What is known of the episodes of an alert after this message.</summary>
    private static AttachedAlert WithEpisode(AttachedAlert known, Alert alert)
    {
        var begins = alert.StartsAt is { } starts && starts != known.StartsAt && (known.Resolved || !Episode.IsSame(known, alert));
        return known with
        {
            StartsAt = begins ? alert.StartsAt : known.StartsAt ?? alert.StartsAt,
            EndsAt = alert.Status == AlertStatus.Resolved ? alert.EndsAt : null,
            EarlierStarts = begins && known.StartsAt is { } before ? [.. known.EarlierStarts.TakeLast(MaxEarlierStarts - 1), before] : known.EarlierStarts,
        };
    }
}

/// <summary>A person's no, which holds for the episode that it was said about.</summary>
public sealed partial record Incident
{
    /// <summary>Who closed it by hand, after a take-over or an end that needed a person; null for any other end.</summary>
    public HandClosing? ClosedByHand { get; init; }

    /// <summary>The last decision of a person on this target, or on one of its alerts, before this incident, when it was a no; null otherwise.</summary>
    public EarlierNo? EarlierNo { get; init; }

    /// <summary>The incident before this one that tried the same for its alert lately, and failed or left open whether it happened; null where there is none.</summary>
    public EarlierTry? Tried { get; init; }

    /// <summary>
    /// A person rejected it, cancelled it, or closed it by hand after a take-over; null for any other end. Where what had been
    /// done could not be undone it ends as failed, and what the person said stands.
    /// </summary>
    public EarlierNo? SaidNo() => this switch
    {
        // Whoever had it tried again has taken the no back.
        { RetriedAs: not null } => null,
        { State: IncidentState.Rejected or IncidentState.Failed } when Gates.LastOrDefault(gate => gate.Task is null) is { Outcome: GateOutcome.Rejected } asked
            && asked.Decisions.LastOrDefault(decision => decision.Verb == DecisionVerb.Reject) is { } no => new(Id, no.Person, "rejected", no.At, no.Reason),
        { State: IncidentState.Cancelled or IncidentState.Failed, Stop: { } stop } => new(Id, stop.By, "stopped", stop.At, stop.Reason),

        // Whoever closes a failure has seen to it, and nobody has said that it may come again.
        { State: IncidentState.TakenOver, ClosedByHand: { } closing } => new(Id, closing.By, "closed by hand", closing.At, closing.Reason),
        _ => null,
    };

    /// <summary>This one, just opened, knows what the incident before it on the target has to tell.</summary>
    /// <inheritdoc cref="ContinueSeries" path="/param"/>
    public Incident GoOnAfter(Incident before, DateTimeOffset now, bool isCounted = false)
    {
        var continued = FollowOn(before).ContinueSeries(before, now, isCounted).WarnOfNo(before, now);
        return before.IsOwnedByResponder() ? continued.NoteEarlier(before, now) : continued;
    }

    /// <summary>
    /// Whether this alert fires in the episode that a person said no to: it does not ask again. An outage is one episode.
    /// A sender that gives no start of its alerts is held to it for as long as a take-over lasts. It was said knowing how bad it was then.
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

        // Once it was said to be over, what started before that end is a late repeat, and what started after it is a new episode.
        return known.Resolved
            ? known.StartsAt is not null && alert.StartsAt is { } starts && (starts == known.StartsAt || (Episode.IsSame(known, alert) && starts < known.EndsAt))
            : Episode.IsSame(known, alert) && ((known.StartsAt is not null && alert.StartsAt is not null) || now - no.At < LongestOwnership);
    }

    /// <summary>While what was done is being taken back, alerts still reach it: the no was not about those. The clock of a sender may differ from ours, so a first episode that we knew of counts as the one that was asked about.</summary>
    private static bool BeganAfter(AttachedAlert known, EarlierNo no) => known.FirstAt > no.At || (known.EarlierStarts.Count > 0 && known.StartsAt > no.At);

    /// <summary>It still fires after a person said no: counted here, said once, and nobody is asked.</summary>
    public Incident AttachRemembered(Alert alert, DateTimeOffset now) =>
        SaidNo() is { } no
        && (Find(alert) ?? Alerts.FirstOrDefault(a => a.Outage is not null && a.Outage == AlertIdentity.OfOutage(alert))) is { } known
            ? CountAfterNo(known, alert, no, now)
            : this;

    private Incident CountAfterNo(AttachedAlert known, Alert alert, EarlierNo no, DateTimeOffset now)
    {
        var counted = Counted(known, now, afterNo: true);
        return known.ToldAfterNo ? counted : counted.NoteAlertOnce(now, alert.Source, $"{alert.Name} still fires. It does not ask again: {no.Text}");
    }
}

public sealed record HandClosing(string By, string Reason, DateTimeOffset At) : Evolving
{
    /// <summary>Cards, alerts and tickets have not been told yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsUnfinished { get; init; }
}

/// <summary>Who said no to an incident, when and why.</summary>
/// <param name="Did">In the past tense: rejected, closed by hand.</param>
public sealed record EarlierNo(string Incident, string By, string Did, DateTimeOffset At, string? Reason) : Evolving
{
    /// <summary>About an alert that has come again, with other decisions on the target since; otherwise it is the last decision there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool OfAlert { get; init; }

    public string Text =>
        $"incident {Incident} was {Did} by {By} on {At.ToUniversalTime().ToString("yyyy-MM-dd 'at' HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}{(Reason is { Length: > 0 } ? $": {Reason}" : ".")}";

    /// <summary>For whoever is asked about the same target again.</summary>
    public string Warning => OfAlert ? $"An alert of this incident came before, and a person said no: {Text}" : $"The last decision on this target was a no: {Text}";
}

/// <summary>What was tried on a target for the same alert, and was not seen to help.</summary>
/// <param name="At">When that incident ended.</param>
/// <param name="Left">What it had not taken back by then, a line a change.</param>
public sealed record EarlierTry(string Incident, DateTimeOffset At, IReadOnlyList<string> Left) : Evolving
{
    /// <summary>A failure of longer ago says little of how things are.</summary>
    public static readonly TimeSpan Lately = TimeSpan.FromDays(1);

    /// <summary>The steps of it of which nobody knows whether they happened.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>For whoever is asked about the same again.</summary>
    [JsonIgnore]
    public string Warning =>
        $"Incident {Incident} tried the same on this target{(Unknown.Count == 0 ? " and failed." : $". Nobody knows whether {string.Join(", ", Unknown)} happened there: look before you say yes.")}{(Left.Count == 0 ? "" : $" It had left in place: {string.Join(" ", Left.Select(EndingText.Sentence))}")}";
}

/// <summary>
/// Grafana cannot measure a rule whose alerts fire here. It says so in an alert of its own (DatasourceError, DatasourceNoData) and lets those
/// of the rule run out after a while, as resolved and with the words of their last firing: that end was seen by nobody
/// (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states).
/// </summary>
public sealed partial record Incident
{
    /// <summary>Whether an alert that fires here is of the rule that Grafana tells of.</summary>
    public bool KnowsRuleOf(Alert told) => Alerts.Any(known => IsOfRule(known, told));

    /// <summary>Grafana cannot measure the rule, can again, or has stopped evaluating it while it could not.</summary>
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
                .AddNews(fails, told.Source, $"Grafana cannot measure {rule} at the moment ({told.Name}). Until it can, an end of the alert is no all-clear.", now);
        }

        if (AlertEnd.NoAllClear(told) is { } why)
        {
            return DropNews(fails).AddNews(
                stopped, told.Source, $"Grafana ended {told.Name} of {rule} for the reason {Clip.To(why, 100)}. That does not say that it can measure the rule: an end of the alert is still no all-clear.", now);
        }

        var measured = MarkRuleOf(told, known => known?.Fingerprint == told.Fingerprint ? null : known, now);
        return measured.Alerts.Any(known => IsOfRule(known, told) && known.Unmeasured is not null) ? measured
            : measured.DropNews(fails).DropNews(stopped).NoteAlert(
                now, told.Source,
                Alerts.Any(known => IsOfRule(known, told) && known.EndedBecause == told.Name)
                    ? $"Grafana can measure {rule} again. It ended the alert while it could not, and says nothing more of it: look whether it is over."
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

/// <summary>The alert by which Grafana says that it cannot measure.</summary>
/// <param name="Name">Grafana's name for it, such as <c>DatasourceError</c>.</param>
public sealed record Unmeasured(string Name, string Fingerprint) : Evolving;
