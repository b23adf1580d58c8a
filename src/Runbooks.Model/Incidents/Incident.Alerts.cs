namespace Runbooks.Model.Incidents;

/// <summary>How alerts are added to an open incident.</summary>
public sealed partial record Incident
{
    /// <summary>The most alerts that one incident lists. Of further ones only identity, start and end are kept.</summary>
    public const int MaxListed = 50;

    /// <summary>The most timeline lines about alerts.</summary>
    public const int MaxTold = 100;

    /// <summary>The stores find the incident by these.</summary>
    [JsonIgnore]
    public IEnumerable<string> Identities =>
        Alerts.SelectMany(alert => (string?[])[alert.Identity, alert.Outage]).OfType<string>().Where(AlertIdentity.IsKnownAgain).Distinct();

    /// <summary>Whether an alert on the same runbook and target belongs to this incident rather than to a new one.</summary>
    public bool Accepts(DateTimeOffset now) =>
        !State.IsFinal() || now < SettlesAt;

    /// <summary>
    /// Whether resolved alerts belong to this incident. Most senders report the end only after the incident closed, as evidence for the
    /// fix.
    /// </summary>
    public bool AcceptsResolved(IReadOnlyList<Alert> alerts, DateTimeOffset now) =>
        Accepts(now) || (AlertResolvedAt is null && alerts.Any(KnowsFiring));

    public bool Knows(Alert alert) => Find(alert) is not null;

    public bool KnowsFiring(Alert alert) => Find(alert) is { Resolved: false };

    /// <summary>If the labels equal those of exactly one firing alert, measured values and severity aside, the message gets its identity.</summary>
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

        // Without an all-clear nobody has seen that it is over, so it still counts as firing.
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

    private Incident NoteFiring(Alert alert, AttachedAlert? known, Incident before, DateTimeOffset now)
    {
        var changed = before.KnowsWithOtherLabels(alert) ? NoteOtherLabels(alert, now) : this;
        changed = (changed with { AlertResolvedAt = null }).DropNews(RecoveryNews);
        changed = WasOpenedBy(alert) ? changed.DropNews(OpenerIsOverNews) : changed;
        if (before.IsMoreSevere(alert))
        {
            return changed.NoteOtherAlert(alert, moreSevere: true, now);
        }

        // If it is only counted, and its name is listed, it is one more of many like it.
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

    private Incident NoteResolved(Alert alert, DateTimeOffset now)
    {
        if (!AreOver)
        {
            return AddOpenerIsOverNews(alert, now);
        }

        var over = DropNews(OpenerIsOverNews) with { AlertResolvedAt = AlertResolvedAt ?? now };
        return AlertResolvedAt is not null || Flaps(now)
            ? over
            : over.NoteAlert(now, alert.Source, "The sender says the alert is resolved.");
    }

    /// <summary>People acknowledged the alert at its sender. Noted once for each alert; it counts neither as an alert nor as an answer.</summary>
    public Incident NoteAcknowledgedAtSender(Alert alert, DateTimeOffset now) =>
        NoteAlertOnce(now, alert.Source, $"{alert.Name} was acknowledged at the sender ({alert.Fingerprint}).");

    /// <summary>Somebody wanted to start it by hand while it was open. Noted once for each person, since the lines are for alerts.</summary>
    public Incident NoteStart(string by, string what, DateTimeOffset now)
    {
        const string Again = "Started by hand once more, which opens nothing.";
        var noted = NoteAlert(now, by, $"{Again} {what}");
        return Timeline.Any(line => line.Who == noted.Timeline[^1].Who && line.What.StartsWith(Again, StringComparison.Ordinal))
            ? this
            : noted;
    }

    /// <summary>The word may have meant the end. Noted once for each word, so that somebody reads it.</summary>
    private Incident NoteUnknownStatus(Alert alert, AttachedAlert? known, DateTimeOffset now) =>
        alert.UnknownStatus is { } word && known is { Resolved: false }
            ? NoteAlertOnce(
                now,
                alert.Source,
                $"The sender said \"{Clip.To(word, 100)}\" of {alert.Name}. Nobody knows that status, so it was taken as firing.")
            : this;

    /// <summary>Noted once: what counts as the same alert may be a different one.</summary>
    private Incident NoteOtherLabels(Alert alert, DateTimeOffset now)
    {
        var begins = $"{alert.Name} came with the same fingerprint and other labels, and counts as the same alert: ";
        return Timeline.Any(line => line.What.StartsWith(begins, StringComparison.Ordinal)) ? this
            : NoteAlert(
                now,
                alert.Source,
                $"{begins}{Clip.To(string.Join(", ", alert.Labels.Select(label => $"{label.Key}: {label.Value}")), 500)}");
    }

    private Incident Counted(AttachedAlert known, DateTimeOffset now, bool afterNo = false) =>
        With(known, known with { Count = known.Count + 1, LastAt = now, ToldAfterNo = known.ToldAfterNo || afterNo }) with { AlertCount = AlertCount + 1, UpdatedAt = now };

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
            WorstSeverity = alert.Status == AlertStatus.Resolved
                ? known.WorstSeverity
                : AlertSeverity.Worst(known.WorstSeverity, ReportOf(known)?.Severity, alert.Severity),
            Unmeasured = isSame ? known.Unmeasured : null,
        };
    }

    private static string EndedNews(Alert alert) => $"ended:{alert.Fingerprint}";

    /// <summary>An alert that flaps for days is still counted, but no longer written down.</summary>
    private bool MayNoteAlerts => Timeline.Count(line => line.Kind == TimelineKind.Alert) < MaxTold;

    private Incident NoteAlert(DateTimeOffset now, string who, string what) =>
        MayNoteAlerts ? Note(now, TimelineKind.Alert, who, what) : this;

    private Incident NoteAlertOnce(DateTimeOffset now, string who, string what) =>
        MayNoteAlerts ? NoteOnce(now, TimelineKind.Alert, who, what) : this;
}

/// <summary>One alert, by the sender's fingerprint, that reached an incident.</summary>
public sealed record AttachedAlert(
    string Fingerprint, string Source, string Name, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, bool Resolved) : Evolving
{
    /// <summary>The sender's word for an end without an all-clear, such as <c>MissingSeries</c>. Null otherwise.</summary>
    public string? EndedBecause { get; init; }

    /// <summary>Why an end of it is no all-clear now. Null while its sender can measure it.</summary>
    public Unmeasured? Unmeasured { get; init; }

    /// <summary>When the first message of the present episode came. Null in older records.</summary>
    public DateTimeOffset? BeganAt { get; init; }

    /// <summary>When its present episode began, as far as known.</summary>
    [JsonIgnore]
    public DateTimeOffset Began => BeganAt ?? FirstAt;

    /// <summary>Of the present episode, as the sender says.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>The end, as the sender says. Null while it fires.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The starts of the last few earlier episodes.</summary>
    public IReadOnlyList<DateTimeOffset> EarlierStarts { get; init; } = [];

    /// <summary>A late message of an earlier episode was noted, which is done once.</summary>
    public bool ToldEarlier { get; init; }

    /// <summary>It was noted that it still fires after a rejection, which is done once.</summary>
    public bool ToldAfterNo { get; init; }

    /// <summary>Its present episode came after a rejection of a flapping alert, so nobody has decided about it.</summary>
    public bool AskedNobody { get; init; }

    /// <summary>The later incident where it is decided. Null for none.</summary>
    public string? HandedTo { get; init; }

    /// <summary>The other incident whose fix did not last for this alert. Null for none.</summary>
    public string? Follows { get; init; }

    /// <summary>Its last firing message. Null for the alert that opened the incident, which the incident itself has.</summary>
    public Alert? Alert { get; init; }

    /// <summary>The sender's word for its worst severity so far. Null if there was one message, or no word is known.</summary>
    public string? WorstSeverity { get; init; }

    /// <summary>Whether <see cref="Alert"/> is complete, so that an incident can be opened for it.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The outage that the message is about. Null for any other alert.</summary>
    public string? Outage { get; init; }

    /// <summary>At its sender, with or without an all-clear.</summary>
    [JsonIgnore]
    public bool HasEnded => Resolved || EndedBecause is not null;

    [JsonIgnore]
    public string Identity => AlertIdentity.Of(Source, Fingerprint);

    public bool Is(Alert alert) => Identity == AlertIdentity.Of(alert);
}
