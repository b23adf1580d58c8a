namespace Runbooks.Model.Incidents;

/// <summary>
/// The list has no room for these alerts. Only identity, start and end are kept, so that rejections count for them too and the end of all
/// is known.
/// </summary>
public sealed partial record Incident
{
    /// <summary>With the listed ones as many as one post can have. Each takes some 80 bytes of the record.</summary>
    public const int MaxUnlisted = 950;

    public IReadOnlyList<UnlistedAlert> Unlisted { get; init; } = [];

    /// <summary>When one of them last fired. Null if there is none.</summary>
    public DateTimeOffset? UnlistedAt { get; init; }

    /// <summary>Null if no word is known.</summary>
    public string? UnlistedSeverity { get; init; }

    /// <summary>Messages of unlisted alerts for which it is known whether they are over.</summary>
    public int CountedOnly { get; init; }

    /// <summary>Whether more alerts came than one record can keep. Whether those are over is not known.</summary>
    [JsonIgnore]
    public bool HasUnknownAlerts => AlertCount > Alerts.Sum(alert => alert.Count) + CountedOnly;

    [JsonIgnore]
    public int UnlistedFiring => Unlisted.Count(alert => !alert.Over);

    /// <summary>Null if nothing was kept.</summary>
    public AttachedAlert? Find(Alert alert) => Alerts.FirstOrDefault(known => known.Is(alert)) ?? FindUnlisted(alert);

    private AttachedAlert? FindUnlisted(Alert alert)
    {
        var id = Unlisted.Count == 0 ? "" : RefusedAlert.HashOf(AlertIdentity.Of(alert));
        return Unlisted.FirstOrDefault(one => one.Id == id)?.As(alert, UnlistedAt) is { } known
            ? known with { Unmeasured = Alerts.FirstOrDefault(one => !one.HasEnded && one.Source == alert.Source && one.Name == alert.Name)?.Unmeasured }
            : null;
    }

    /// <summary>
    /// Makes room in the list. An ended alert gives way. One of a name that is listed twice gives way to a new name or a worse alert.
    /// </summary>
    private Incident WithRoomFor(Alert alert)
    {
        if (Alerts.Count < MaxListed)
        {
            return this;
        }

        var gone = Alerts.Skip(1).Where(one => one is { Resolved: true, EndedBecause: null }).MinBy(one => one.LastAt)
            ?? (IsMoreSevere(alert) || !Lists(alert.Name)
                ? Alerts.Skip(1)
                    .Where(one => one is { IsWhole: false, AskedNobody: false, Outage: null })
                    .GroupBy(one => one.Name)
                    .Where(name => name.Count() > 1)
                    .MaxBy(name => name.Count())?.Last()
                : null);
        return gone is null ? this : (this with { Alerts = [.. Alerts.Where(one => one != gone)] }).AddUnlisted(gone);
    }

    private bool Lists(string name) => Alerts.Any(known => known.Name == name);

    private bool Lists(Alert alert) => Alerts.Any(known => known.Is(alert));

    /// <summary>If there is no room here either, an ended one gives way. If all fire, only the messages are counted.</summary>
    private Incident AddUnlisted(AttachedAlert alert)
    {
        var over = Unlisted.Count < MaxUnlisted ? null : Unlisted.FirstOrDefault(one => one is { Over: true, Why: null });
        var kept = over is null ? Unlisted : [.. Unlisted.Where(one => one != over)];
        var fits = kept.Count < MaxUnlisted;
        return this with
        {
            Unlisted = fits ? [.. kept, UnlistedAlert.Of(alert)] : kept,
            CountedOnly = CountedOnly + (fits || alert.Resolved ? alert.Count : 0),
            UnlistedAt = alert.Resolved || UnlistedAt > alert.LastAt ? UnlistedAt : alert.LastAt,
            UnlistedSeverity = AlertSeverity.Worst(UnlistedSeverity, alert.WorstSeverity, ReportOf(alert)?.Severity),
        };
    }

    private Incident List(AttachedAlert alert)
    {
        var id = Unlisted.Count == 0 ? "" : RefusedAlert.HashOf(alert.Identity);
        return this with { Alerts = [.. Alerts, alert], Unlisted = id.Length == 0 ? Unlisted : [.. Unlisted.Where(one => one.Id != id)] };
    }

    private Incident With(AttachedAlert known, AttachedAlert changed)
    {
        if (Alerts.Contains(known))
        {
            return this with { Alerts = [.. Alerts.Select(alert => alert == known ? changed : alert)] };
        }

        var next = UnlistedAlert.Of(changed);
        return this with
        {
            Unlisted = [.. Unlisted.Select(one => one.Id == next.Id ? next : one)],
            CountedOnly = CountedOnly + changed.Count - known.Count,
            UnlistedAt = changed.Resolved ? UnlistedAt : changed.LastAt,
            UnlistedSeverity = AlertSeverity.Worst(UnlistedSeverity, changed.WorstSeverity),
        };
    }

    /// <summary>Every known alert has ended at its sender.</summary>
    private bool HaveEnded => Alerts.All(alert => alert.HasEnded) && Unlisted.All(alert => alert.Over);

    /// <summary>The sender gave an all-clear for every alert.</summary>
    private bool AreOver =>
        HaveEnded && !HasUnknownAlerts && Alerts.All(alert => alert.Resolved) && Unlisted.All(alert => alert.Why is null);

    /// <summary>Empty if all alerts are listed.</summary>
    public IReadOnlyList<string> UnlistedLines()
    {
        var unlisted = $"{CountText.Format(Unlisted.Count, "more alert")} on this target {CountText.Are(Unlisted.Count)} only counted";
        var firing = (UnlistedFiring, Unlisted.Count) switch
        {
            (0, 1) => "it no longer fires.",
            (0, _) => "none of them fires any more.",
            (1, 1) => "it still fires.",
            (1, _) => "one of them still fires.",
            var (several, _) => $"{several} of them still fire.",
        };
        return Lines.Of(
            Unlisted.Count == 0 ? null : $"{unlisted}; {firing}",
            HasUnknownAlerts ? "Still more came than one record knows; whether those are over is not known." : null);
    }
}

/// <param name="Id">A hash of its identity.</param>
/// <param name="At">When the first message of its present episode came, in UTC ticks.</param>
public sealed record UnlistedAlert(string Id, long At) : Evolving
{
    /// <summary>The sender's start of the present episode, in UTC ticks.</summary>
    public long? Starts { get; init; }

    /// <summary>The sender's end, in UTC ticks. Null while it fires.</summary>
    public long? Ends { get; init; }

    /// <summary>It has ended at its sender, with or without an all-clear.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Over { get; init; }

    /// <summary>The sender's word for an end without an all-clear. Null otherwise.</summary>
    public string? Why { get; init; }

    [JsonIgnore]
    internal RefusedAlert Refused => new(Id);

    internal static UnlistedAlert Of(AttachedAlert alert) => new(RefusedAlert.HashOf(alert.Identity), alert.Began.UtcTicks)
    {
        Starts = alert.StartsAt?.UtcTicks,
        Ends = alert.EndsAt?.UtcTicks,
        Over = alert.HasEnded,
        Why = alert.EndedBecause is { } why ? Clip.To(why, 40) : null,
    };

    /// <summary>As if it were listed, without its text.</summary>
    /// <param name="alert">Any message of it.</param>
    internal AttachedAlert As(Alert alert, DateTimeOffset? lastAt) => new(
        alert.Fingerprint, alert.Source, alert.Name, 0, Time(At), lastAt ?? Time(At), Over && Why is null)
    {
        BeganAt = Time(At),
        StartsAt = Starts is { } starts ? Time(starts) : null,
        EndsAt = Ends is { } ends ? Time(ends) : null,
        EndedBecause = Why,
    };

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);
}
