namespace Runbooks.Model.Incidents;

/// <summary>How alerts reach an incident that is already there.</summary>
public sealed partial record Incident
{
    /// <summary>Distinct alerts listed on one incident; of more only little is kept, so that a storm cannot bloat the record.</summary>
    public const int MaxListed = 50;

    /// <summary>Lines that one record has about alerts at the most.</summary>
    public const int MaxTold = 100;

    /// <summary>By what its alerts are known again, for the stores to find it by.</summary>
    [JsonIgnore]
    public IEnumerable<string> Identities =>
        Alerts.SelectMany(alert => (string?[])[alert.Identity, alert.Outage]).OfType<string>().Where(AlertIdentity.IsKnownAgain).Distinct();

    /// <summary>Whether an alert on the same runbook and target belongs to this incident rather than to a new one.</summary>
    public bool Accepts(DateTimeOffset now) =>
        !State.IsFinal() || now < SettlesAt;

    /// <summary>
    /// Whether a resolved alert belongs to this incident. Most senders say so only after the fix was verified and the
    /// incident closed; what it was opened for is then over, and that is evidence for the fix.
    /// </summary>
    public bool AcceptsResolved(IReadOnlyList<Alert> alerts, DateTimeOffset now) =>
        Accepts(now)
        || (AlertResolvedAt is null && alerts.Any(KnowsFiring));

    public bool Knows(Alert alert) => Find(alert) is not null;

    public bool KnowsFiring(Alert alert) => Find(alert) is { Resolved: false };

    /// <summary>
    /// A message whose labels are those of exactly one alert that fires here, but for what it measured and how bad it is, is
    /// about that one, and has its identity.
    /// </summary>
    public Alert NamedAsKnown(Alert alert) =>
        !Knows(alert)
        && Alerts.Where(known => !known.Resolved && known.Source == alert.Source && known.Name == alert.Name
            && WholeReportOf(known) is { } report
            && alert.Labels.All(label => AlertLabels.MayChange(label.Key) || report.Labels.GetValueOrDefault(label.Key) == label.Value)).Take(2).ToList() is [var only]
            ? alert with { Fingerprint = only.Fingerprint }
            : alert;

    /// <summary>Counts and lists the alert, firing or resolved.</summary>
    public Incident Attach(Alert alert, DateTimeOffset now)
    {
        var known = Find(alert);
        if (known is null && alert.Status == AlertStatus.Firing && KnowsOutage(alert))
        {
            return AddOutageNews(alert, now);
        }

        if (known is not null && Episode.IsEarlier(known, alert))
        {
            return NoteEarlierAlert(known, alert, now);
        }

        var noAllClear = AlertEnd.NoAllClear(alert) ?? (alert.Status == AlertStatus.Resolved ? known?.Unmeasured?.Name : null);

        // Ended for another reason than an all-clear: nobody has seen that it is over, so it counts as firing on.
        var resolved = alert.Status == AlertStatus.Resolved && (noAllClear is null || known?.Resolved != false);
        var counted = Count(alert, known, resolved, noAllClear, now);
        if (noAllClear is not null)
        {
            return counted.AddWord(
                EndedNews(alert), alert.Source, $"{alert.Source} ended the alert {alert.Name} for the reason {Clip.To(noAllClear, 100)}. That is no all-clear.", now);
        }

        var noted = counted.DropNews(EndedNews(alert)).NoteUnknownStatus(alert, known, now);
        return resolved ? noted.NoteResolved(alert, now) : noted.NoteFiring(alert, known, before: this, now);
    }

    /// <summary>With the alert among those that are listed, or among those that are only counted, and with the episode that it begins or ends.</summary>
    private Incident Count(Alert alert, AttachedAlert? known, bool resolved, string? noAllClear, DateTimeOffset now)
    {
        var entry = known is null ? First(alert, resolved, noAllClear, now) : Again(known, alert, resolved, noAllClear, now);

        // In a storm of ever different alerts the record must not grow with each of them.
        var belongsInList = !Lists(alert) && (known is null || !resolved);
        var room = belongsInList ? WithRoomFor(alert) : this;
        var entered = belongsInList && room.Alerts.Count < MaxListed ? room.List(entry)
            : known is null ? room.AddUnlisted(entry)
            : With(known, entry);
        var counted = (entered with { AlertCount = AlertCount + 1, UpdatedAt = now }).CountEpisode(known, alert, resolved, now);
        return counted with { EndedUnseenAt = counted.HaveEnded && !counted.AreOver ? EndedUnseenAt ?? now : null };
    }

    /// <summary>What people read of an alert that fires, which is counted by now.</summary>
    /// <param name="before">This incident as it was when the alert came.</param>
    private Incident NoteFiring(Alert alert, AttachedAlert? known, Incident before, DateTimeOffset now)
    {
        var changed = before.KnowsWithOtherLabels(alert) ? NoteOtherLabels(alert, now) : this;
        changed = (changed with { AlertResolvedAt = null }).DropNews(RecoveryNews);
        changed = WasOpenedBy(alert) ? changed.DropNews(OpenerIsOverNews) : changed;
        if (before.IsMoreSevere(alert))
        {
            return changed.NoteOtherAlert(alert, moreSevere: true, now);
        }

        // One that is only counted, under a name that is listed, is one more of many that are alike.
        var isNew = known is null && (Lists(alert) || !before.Lists(alert.Name));
        if (State == IncidentState.Resolved && (isNew || known?.LastAt <= ClosedAt))
        {
            return changed.NoteAlert(now, alert.Source, $"{alert.Name} fires after the incident was resolved; the checks are asked again.");
        }

        if (Flaps(alert, now))
        {
            return changed;
        }

        if (known is { HasEnded: true })
        {
            return changed.NoteAlert(now, alert.Source, $"{alert.Name} fires again.").AddHealth(known, alert, now);
        }

        if (known is not null && changed.AddHealth(known, alert, now) is var told && told != changed)
        {
            return told;
        }

        var beganAgain = known is not null && !Episode.IsSame(known, alert);
        return beganAgain ? changed.NoteAlert(now, alert.Source, $"{alert.Name} fires again.")
            : isNew && AlertCount > 1 ? changed.NoteOtherAlert(alert, moreSevere: false, now)
            : changed;
    }

    /// <summary>What people read of an alert that is over, which is counted by now.</summary>
    private Incident NoteResolved(Alert alert, DateTimeOffset now)
    {
        if (!AreOver)
        {
            return AddOpenerIsOverNews(alert, now);
        }

        var over = DropNews(OpenerIsOverNews) with { AlertResolvedAt = AlertResolvedAt ?? now };
        return AlertResolvedAt is not null || Flaps(now) ? over : over.NoteAlert(now, alert.Source, "The sender says the alert is resolved.");
    }

    /// <summary>People acknowledged the alert at its sender. Noted once an alert; it counts as no alert, and as no answer of ours.</summary>
    public Incident NoteAcknowledgedAtSender(Alert alert, DateTimeOffset now) =>
        NoteAlertOnce(now, alert.Source, $"{alert.Name} was acknowledged at the sender ({alert.Fingerprint}).");

    /// <summary>Somebody wanted to start it by hand while it was there already: on record once for each person, since the lines are for the alerts.</summary>
    public Incident NoteStart(string by, string what, DateTimeOffset now)
    {
        const string Again = "Started by hand once more, which opens nothing.";
        var noted = NoteAlert(now, by, $"{Again} {what}");
        return Timeline.Any(line => line.Who == noted.Timeline[^1].Who && line.What.StartsWith(Again, StringComparison.Ordinal)) ? this : noted;
    }

    /// <summary>It may have meant the end: said once for each such word, where somebody reads it.</summary>
    private Incident NoteUnknownStatus(Alert alert, AttachedAlert? known, DateTimeOffset now) =>
        alert.UnknownStatus is { } word && known is { Resolved: false }
            ? NoteAlertOnce(now, alert.Source, $"The sender said \"{Clip.To(word, 100)}\" of {alert.Name}. Nobody knows that status, so it was taken as firing.")
            : this;

    /// <summary>Said once: what only counts as the same alert may be another thing.</summary>
    private Incident NoteOtherLabels(Alert alert, DateTimeOffset now)
    {
        var begins = $"{alert.Name} came with the same fingerprint and other labels, and counts as the same alert: ";
        return Timeline.Any(line => line.What.StartsWith(begins, StringComparison.Ordinal)) ? this
            : NoteAlert(now, alert.Source, $"{begins}{Clip.To(string.Join(", ", alert.Labels.Select(label => $"{label.Key}: {label.Value}")), 500)}");
    }

    private Incident Counted(AttachedAlert known, DateTimeOffset now, bool afterNo = false) =>
        With(known, known with { Count = known.Count + 1, LastAt = now, ToldAfterNo = known.ToldAfterNo || afterNo }) with { AlertCount = AlertCount + 1, UpdatedAt = now };

    /// <summary>This one, just opened, has the alerts of an incident before it, and what is known of their end.</summary>
    private Incident CarryAlertsOf(Incident before, Func<AttachedAlert, AttachedAlert>? of = null) => this with
    {
        Alerts = [.. before.Alerts.Select(alert => (of?.Invoke(alert) ?? alert) with { AskedNobody = false, ToldAfterNo = false })],
        AlertCount = before.AlertCount,
        AlertResolvedAt = before.AlertResolvedAt,
        EndedUnseenAt = before.EndedUnseenAt,
        CountedOnly = before.CountedOnly,
        Unlisted = before.Unlisted,
        UnlistedAt = before.UnlistedAt,
        UnlistedSeverity = before.UnlistedSeverity,
        Recurrences = before.Recurrences,
        ThreadOf = before.ThreadOf,
    };

    private AttachedAlert First(Alert alert, bool resolved, string? noAllClear, DateTimeOffset now) =>
        WithReport(WithEpisode(new(alert.Fingerprint, alert.Source, alert.Name, 1, now, now, resolved), alert), alert) with
        {
            BeganAt = now,
            EndedBecause = noAllClear,
            Outage = AlertIdentity.OfOutage(alert),
        };

    private AttachedAlert Again(AttachedAlert known, Alert alert, bool resolved, string? noAllClear, DateTimeOffset now)
    {
        var isSame = Episode.IsSame(known, alert);
        return WithReport(WithEpisode(known, alert), alert) with
        {
            Count = known.Count + 1,
            LastAt = now,
            BeganAt = !resolved && (known.Resolved || !isSame) ? now : known.BeganAt,
            Resolved = resolved,
            EndedBecause = noAllClear,
            WorstSeverity = alert.Status == AlertStatus.Resolved ? known.WorstSeverity : AlertSeverity.Worst(known.WorstSeverity, ReportOf(known)?.Severity, alert.Severity),
            Unmeasured = isSame ? known.Unmeasured : null,
        };
    }

    private static string EndedNews(Alert alert) => $"ended:{alert.Fingerprint}";

    /// <summary>An alert that comes and goes for days is counted on, and written about no more.</summary>
    private bool MayNoteAlerts => Timeline.Count(line => line.Kind == TimelineKind.Alert) < MaxTold;

    private Incident NoteAlert(DateTimeOffset now, string who, string what) => MayNoteAlerts ? Note(now, TimelineKind.Alert, who, what) : this;

    private Incident NoteAlertOnce(DateTimeOffset now, string who, string what) => MayNoteAlerts ? NoteOnce(now, TimelineKind.Alert, who, what) : this;
}

/// <summary>One alert (by the sender's fingerprint) that reached an incident, with how often and when.</summary>
public sealed record AttachedAlert(
    string Fingerprint, string Source, string Name, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, bool Resolved) : Evolving
{
    /// <summary>The sender's word when it ended the alert without an all-clear, such as <c>MissingSeries</c>; null otherwise.</summary>
    public string? EndedBecause { get; init; }

    /// <summary>Why its end would be none at the moment; null while its sender can measure it.</summary>
    public Unmeasured? Unmeasured { get; init; }

    /// <summary>When the first message of the present episode came; null in records of before.</summary>
    public DateTimeOffset? BeganAt { get; init; }

    /// <summary>When its present episode came, as far as that is known.</summary>
    [JsonIgnore]
    public DateTimeOffset Began => BeganAt ?? FirstAt;

    /// <summary>When the sender says that the present episode started.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>When the sender says that it ended; null while it fires.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Starts of the episodes before this one, the last few.</summary>
    public IReadOnlyList<DateTimeOffset> EarlierStarts { get; init; } = [];

    /// <summary>A message of an earlier episode was told of; it is told once.</summary>
    public bool ToldEarlier { get; init; }

    /// <summary>That it fires on after a person said no was told; it is told once.</summary>
    public bool ToldAfterNo { get; init; }

    /// <summary>The present episode came after a person's no to an alert that comes and goes: nobody has decided about it.</summary>
    public bool AskedNobody { get; init; }

    /// <summary>The incident that looks at it since this one ended; what is decided about it is decided there. Null for any other.</summary>
    public string? HandedTo { get; init; }

    /// <summary>The incident whose fix did not hold for it, where it was on another incident then; null for any other.</summary>
    public string? Follows { get; init; }

    /// <summary>What it said when it fired last; null for the alert that opened the incident, which is on record there.</summary>
    public Alert? Alert { get; init; }

    /// <summary>The sender's word for how bad it was at its worst in all its messages; null where there was one, or no word is known.</summary>
    public string? WorstSeverity { get; init; }

    /// <summary>Whether <see cref="Alert"/> has everything that the sender said, so that an incident can be opened for it.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The outage that it is a message about; null for any other alert.</summary>
    public string? Outage { get; init; }

    /// <summary>At its sender: with an all-clear or without one.</summary>
    [JsonIgnore]
    public bool HasEnded => Resolved || EndedBecause is not null;

    [JsonIgnore]
    public string Identity => AlertIdentity.Of(Source, Fingerprint);

    public bool Is(Alert alert) => Identity == AlertIdentity.Of(alert);
}
