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

/// <summary>
/// How often an alert came and went on a target, counted across incidents. Three starts within an hour count as flapping: messages stay in
/// one thread, and further starts are counted without a line each.
/// </summary>
/// <param name="Since">When it first began.</param>
/// <param name="LastAt">When it last began or ended.</param>
/// <param name="Starts">When it began the last three times, oldest first.</param>
public sealed record Recurrence(
    string Source, string Name, int Times, DateTimeOffset Since, DateTimeOffset LastAt, IReadOnlyList<DateTimeOffset> Starts) : Evolving
{
    /// <summary>With this many starts within <see cref="Within"/> it flaps.</summary>
    public const int FlapsFrom = 3;

    /// <summary>A longer pause ends the series.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromHours(1);

    /// <summary>Quiet time after which a flapping alert counts as over.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(15);

    /// <summary>The identity of the alert that came last.</summary>
    public string? Identity { get; init; }

    /// <summary>
    /// A hash of the labels without measured values, since the same name for another disk is another alert. Null in older records, which
    /// count every alert of the name.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>When the present episode began. Null while it is over.</summary>
    public DateTimeOffset? FiringSince { get; init; }

    /// <summary>The length of the longest episode that has ended. Null before the first has.</summary>
    public TimeSpan? Longest { get; init; }

    /// <summary>Until when an end of it is not believed. Null if it does not flap.</summary>
    [JsonIgnore]
    public DateTimeOffset? HeldUntil => LastAt + QuietFor is var quiet && quiet < FlapsUntil ? quiet : FlapsUntil;

    /// <summary>Until when it flaps if it does not begin again. Null if it does not flap.</summary>
    [JsonIgnore]
    public DateTimeOffset? FlapsUntil => Starts.Count < FlapsFrom ? null : Starts[0] + Within;

    public bool Flaps(DateTimeOffset now) => Starts.Count == FlapsFrom && now - Starts[0] <= Within;

    /// <summary><c>InstanceDown: 5th time since 01:10 UTC; the 4 before lasted under 4 minutes each.</c></summary>
    public string Describe()
    {
        var since = Since.ToUniversalTime().ToString(
            LastAt - Since > TimeSpan.FromHours(12) ? "yyyy-MM-dd HH:mm 'UTC'" : "HH:mm 'UTC'", CultureInfo.InvariantCulture);
        var often = FiringSince is null ? $"{Times} times" : $"{Ordinal(Times)} time";
        var which = FiringSince is null ? "each" : Times == 2 ? "the one before" : $"each of the {Times - 1} before";
        var lasted = Longest is { } longest ? $"; {which} lasted under {Rounded(longest)}." : ".";
        return $"{Name}: {often} since {since}{lasted}";
    }

    internal static Recurrence Begin(Recurrence? known, Alert alert, DateTimeOffset now)
    {
        var began = alert.StartsAt is { } starts && starts <= now && now - starts < Within ? starts : now;
        var next = known is null || now - known.LastAt > Within
            ? new(alert.Source, alert.Name, 1, began, now, [now])
            : known with { Times = known.Times + 1, LastAt = now, Starts = [.. known.Starts.TakeLast(FlapsFrom - 1), now] };
        return next with { FiringSince = began, Identity = AlertIdentity.Of(alert), Labels = HashOf(alert) };
    }

    internal Recurrence End(Alert alert, DateTimeOffset now)
    {
        var lasted = alert is { StartsAt: { } starts, EndsAt: { } ends } && ends >= starts ? ends - starts : now - (FiringSince ?? LastAt);
        return this with { LastAt = now, FiringSince = null, Longest = Longest > lasted ? Longest : lasted };
    }

    internal Recurrence Continue(Recurrence before) => Starts[0] - before.LastAt > Within ? this : this with
    {
        Times = before.Times + Times,
        Since = before.Since,
        Starts = [.. before.Starts.Concat(Starts).TakeLast(FlapsFrom)],
        Longest = before.Longest > Longest || Longest is null ? before.Longest : Longest,
    };

    /// <summary>Some senders keep the identity while labels change; others give each firing a new identity.</summary>
    internal bool IsOf(Alert alert) =>
        Source == alert.Source && Name == alert.Name && (Labels is null || Identity == AlertIdentity.Of(alert) || Labels == HashOf(alert));

    /// <param name="report">What the alert said. Null if not known any more.</param>
    internal bool IsOf(AttachedAlert alert, Alert? report) =>
        Source == alert.Source && Name == alert.Name && (Labels is null || report is null || Identity == alert.Identity || Labels == HashOf(report));

    internal bool IsOf(Recurrence other) =>
        Source == other.Source && Name == other.Name && (Labels is null || other.Labels is null || Identity == other.Identity || Labels == other.Labels);

    private static string HashOf(Alert alert) => TextHash.Of(AlertLabels.KeyOf(alert), bytes: 8);

    /// <summary>Changes when the cards should show the new number, which is less and less often.</summary>
    internal int Milestone()
    {
        var reached = 0;
        for (var (step, next) = (1, FlapsFrom); next <= Times; next += step)
        {
            reached = next;
            step = next switch { < 5 => 1, < 10 => 5, < 50 => 10, < 100 => 50, _ => next };
        }

        return reached;
    }

    private static string Ordinal(int number) =>
        $"{number}{((number % 100) is >= 11 and <= 13 ? "th" : (number % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" })}";

    private static string Rounded(TimeSpan length) =>
        length < TimeSpan.FromMinutes(1) ? "a minute"
        : length < TimeSpan.FromHours(2) ? $"{(int)length.TotalMinutes + 1} minutes"
        : $"{(int)length.TotalHours + 1} hours";
}
