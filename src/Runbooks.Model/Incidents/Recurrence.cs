namespace Runbooks.Model.Incidents;

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

    private static string Ordinal(int number) => (number % 100) is >= 11 and <= 13 ? $"{number}th" : (number % 10) switch
    {
        1 => $"{number}st",
        2 => $"{number}nd",
        3 => $"{number}rd",
        _ => $"{number}th",
    };

    private static string Rounded(TimeSpan length) =>
        length < TimeSpan.FromMinutes(1) ? "a minute"
        : length < TimeSpan.FromHours(2) ? $"{(int)length.TotalMinutes + 1} minutes"
        : $"{(int)length.TotalHours + 1} hours";
}
