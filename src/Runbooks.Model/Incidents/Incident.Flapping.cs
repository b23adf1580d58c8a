namespace Runbooks.Model.Incidents;

public sealed partial record Incident
{
    /// <summary>How many alerts are counted. The one that has been quiet longest is dropped first.</summary>
    private const int MaxRecurrences = 5;

    public IReadOnlyList<Recurrence> Recurrences { get; init; } = [];

    /// <summary>The first incident of a recurring alert, whose message thread the others use. Null for the first itself.</summary>
    public string? ThreadOf { get; init; }

    public bool Flaps(DateTimeOffset now) => Recurrences.Any(recurrence => recurrence.Flaps(now));

    /// <summary>Until when an end of a flapping alert is not believed. Null if none flaps.</summary>
    [JsonIgnore]
    public DateTimeOffset? HeldUntil => Recurrences.Max(recurrence => recurrence.HeldUntil);

    /// <summary>
    /// Until when checks that call for nothing are not believed because its alert flaps. Null if none does. A firing alert is not quiet,
    /// even if it began long ago.
    /// </summary>
    [JsonIgnore]
    public DateTimeOffset? WatchedUntil => Recurrences.Max(recurrence => Fires(recurrence) ? recurrence.FlapsUntil : recurrence.HeldUntil);

    private bool Fires(Recurrence recurrence) => Alerts.Any(alert => !alert.Resolved && recurrence.IsOf(alert, WholeReportOf(alert)));

    private bool Flaps(Alert alert, DateTimeOffset now) => Recurrences.Any(recurrence => recurrence.Flaps(now) && recurrence.IsOf(alert));

    public IReadOnlyList<string> RecurrenceLines() =>
        [.. Recurrences.Where(recurrence => recurrence.Times > 1).Select(recurrence => recurrence.Describe())];

    /// <param name="known">Null if the alert is new here.</param>
    private Incident CountEpisode(AttachedAlert? known, Alert alert, bool resolved, DateTimeOffset now)
    {
        if (AlertIdentity.OfOutage(alert) is not null)
        {
            // Each message about an outage is a separate alert, and the outage did not end in between.
            return this;
        }

        var before = Recurrences.FirstOrDefault(recurrence => recurrence.IsOf(alert));
        if (resolved)
        {
            return known is { Resolved: false } && before is not null ? Replace(before, before.End(alert, now)) : this;
        }

        // Azure gives each firing a new identity. While one with the same text fires, a second is not a new start.
        var begins = known is null
            ? before is null || !Alerts.Any(other => !other.Resolved && !other.Is(alert) && before.IsOf(other, WholeReportOf(other)))
            : known.Resolved || !Episode.IsSame(known, alert);
        if (!begins)
        {
            return this;
        }

        var recurrence = Recurrence.Begin(before, alert, now);
        return Replace(before, recurrence).NoteFlapping(before, recurrence, now);
    }

    private Incident NoteFlapping(Recurrence? before, Recurrence recurrence, DateTimeOffset now) => recurrence.Flaps(now) && before?.Flaps(now) != true
        ? DropNews(RecoveryNews).NoteAlert(
            now,
            recurrence.Source,
            $"{recurrence.Describe()} It comes and goes: from here on each time is counted and not written down, until it has been "
            + $"quiet for {Recurrence.QuietFor.TotalMinutes:0} minutes.")
        : this;

    private Incident Replace(Recurrence? known, Recurrence next)
    {
        List<Recurrence> others = [.. Recurrences.Where(other => other != known)];
        if (known is null && others.Count >= MaxRecurrences && others.All(other => next.LastAt - other.LastAt <= Recurrence.QuietFor))
        {
            // If too many take turns, the counted ones stay, so that they can be seen to flap.
            return this;
        }

        return this with { Recurrences = [.. others.Count < MaxRecurrences ? others : others.Except([others.MinBy(other => other.LastAt)!]), next] };
    }

    /// <param name="isCounted">The earlier incident already counted what opened this one.</param>
    public Incident ContinueSeries(Incident before, DateTimeOffset now, bool isCounted = false)
    {
        var continued = Recurrences
            .Select(own => (Own: own, All: WithEarlier(own)))
            .Where(pair => pair.All.Times > pair.Own.Times)
            .ToList();
        return continued.Count == 0
            ? this
            : continued.Aggregate(
                this with { ThreadOf = before.ThreadOf ?? before.Id },
                (changed, pair) => changed.Replace(pair.Own, pair.All).NoteFlapping(pair.Own, pair.All, now));

        Recurrence WithEarlier(Recurrence own) => before.Recurrences.FirstOrDefault(own.IsOf) switch
        {
            null => own,
            { } known when isCounted || before.FiresOnIn(this, known) => known,
            { } known => own.Continue(known),
        };
    }

    /// <summary>Whether the episode on record here opened the next incident and has not ended. That is not a further start.</summary>
    private bool FiresOnIn(Incident next, Recurrence known) =>
        known.FiringSince is not null && next.Alerts.Any(alert => next.ReportOf(alert) is { } report && known.IsOf(report) && FiresOnAs(report));

    /// <summary>
    /// Without a start, or with a new identity for each firing, the alert may have been over in between, if this incident saw that things
    /// were well.
    /// </summary>
    private bool FiresOnAs(Alert alert)
    {
        var wasWell = State == IncidentState.Resolved || FoundItWell;
        return Find(alert) is { } known
            ? !known.Resolved && Episode.IsSame(known, alert) && (!wasWell || (known.StartsAt is not null && alert.StartsAt is not null))
            : !wasWell && FiringAs(alert).Any();
    }

    /// <returns>With the alert added, if an earlier rejection still counts for it. Null if it may ask.</returns>
    public Incident? FoldRefused(Alert alert, DateTimeOffset now) => SaidNo() is { } no && now - no.At < LongestOwnership && !IsWorseThanSeen(alert, no)
        ? FoldFlapping(alert, no, now) ?? FoldRefired(alert, no, now)
        : null;

    /// <summary>
    /// A rejection of a flapping alert counts until it has been quiet for a while or is worse, and no longer than a take-over lasts.
    /// </summary>
    private Incident? FoldFlapping(Alert alert, EarlierNo no, DateTimeOffset now) =>
        Recurrences.Any(recurrence => recurrence.IsOf(alert) && now < recurrence.HeldUntil) && HasSeen(alert) ? AttachFlapping(alert, no, now) : null;

    /// <summary>
    /// A stateless rule of Azure Monitor fires as a new alert each time and never ends. The same text is the same alert. Two events of the
    /// activity log differ.
    /// </summary>
    private Incident? FoldRefired(Alert alert, EarlierNo no, DateTimeOffset now) =>
        alert.Status == AlertStatus.Firing && FiringAs(alert).FirstOrDefault() is { } known ? CountAfterNo(known, alert, no, now) : null;

    /// <summary>Whether it came while changes were being undone. The rejection counts for it as for what comes after the end.</summary>
    private bool IsRefired(AttachedAlert known, EarlierNo no) =>
        ClosedAt - no.At < LongestOwnership && !GotWorseAfter(no)
        && WholeReportOf(known) is { } report && FiringAs(report).Any(one => !BeganAfter(one, no));

    private IEnumerable<AttachedAlert> FiringAs(Alert alert) => alert.Source != AlertSource.AzureMonitor || AlertIdentity.IsEvent(alert)
        ? []
        : Alerts.Where(one => one is { Resolved: false, AskedNobody: false, HandedTo: null } && SaysTheSame(ReportOf(one) ?? Alert, alert));

    /// <summary>
    /// Whether the rejection was about this alert. The same name may be about another disk. Azure gives each firing a new identity, but the
    /// text stays the same.
    /// </summary>
    private bool HasSeen(Alert alert) => Knows(alert) || Alerts.Any(known => SaysTheSame(known.Alert ?? Alert, alert));

    /// <summary>Whether it is the alert that opened this incident, in this firing or another.</summary>
    public bool WasOpenedBy(Alert alert) => AlertIdentity.Of(Alert) == AlertIdentity.Of(alert) || SaysTheSame(Alert, alert);

    /// <summary>Whether its identity, which the caller chose, belongs here to an alert with other labels.</summary>
    public bool KnowsWithOtherLabels(Alert alert) =>
        alert.Source == AlertSource.Generic
        && Alerts.FirstOrDefault(known => known.Is(alert)) is { } known
        && WholeReportOf(known) is { } before
        && !AlertLabels.AreSame(before, alert);

    private static bool SaysTheSame(Alert known, Alert alert) =>
        known.Source == alert.Source && known.Name == alert.Name && AlertLabels.AreSame(known, alert);

    /// <summary>A flapping alert that asked nobody still fires. It is checked when the rejection no longer counts.</summary>
    public bool HoldsUnasked() => AlertResolvedAt is null && Alerts.Any(alert => alert is { AskedNobody: true, Resolved: false });

    /// <returns>Null if the list has no room, since nobody would check it when the rejection no longer counts.</returns>
    private Incident? AttachFlapping(Alert alert, EarlierNo no, DateTimeOffset now)
    {
        var told = Alerts.Any(known => known.ToldAfterNo && Recurrences.Any(recurrence => recurrence.IsOf(alert) && recurrence.IsOf(known, WholeReportOf(known))));
        var attached = Attach(alert, now);
        if (!attached.Alerts.Any(known => known.Is(alert)))
        {
            return null;
        }

        var marked = attached with { Alerts = [.. attached.Alerts.Select(known => known.Is(alert) ? known with { ToldAfterNo = true, AskedNobody = true } : known)] };
        return told
            ? marked
            : marked.NoteAlert(
                now,
                alert.Source,
                $"{alert.Name} comes and goes. It does not ask again until it has been quiet for "
                + $"{Recurrence.QuietFor.TotalMinutes:0} minutes, or does not end for as long: {no.Text}");
    }
}
