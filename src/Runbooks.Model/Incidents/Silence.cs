namespace Runbooks.Model.Incidents;

/// <summary>
/// When silence counts as approval. Only time in which somebody could have answered counts: not while the question had reached nobody or
/// its arrival was unknown, the host was down, or nothing could run.
/// </summary>
public static class Silence
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(15);

    /// <summary>How late a review may be while the host is up.</summary>
    private static readonly TimeSpan s_late = TimeSpan.FromMinutes(1);

    /// <summary>How often the time is prolonged because nobody could answer. After that silence counts as a no.</summary>
    private const int MostProlonged = 3;

    public static bool MayCount(Gate gate) => gate is { Outcome: GateOutcome.Pending, SilenceIsYes: true };

    /// <summary>The pause between reviews. A longer gap means that the host was down, and the excess does not count.</summary>
    public static TimeSpan ReviewPause(Gate gate) => Bounded((gate.ExpiresAt - gate.OpenedAt) / 20);

    /// <summary>The pause while no approval is taken and nobody knows until when. It grows with the age of the question.</summary>
    public static TimeSpan BlockedPause(Gate gate, DateTimeOffset now) => Bounded((now - gate.OpenedAt) / 10);

    private static TimeSpan Bounded(TimeSpan pause) => pause < s_shortest ? s_shortest : pause > s_longest ? s_longest : pause;

    public static bool CanProlong(Gate gate) => gate.Prolonged < MostProlonged;

    /// <summary>Counts the time since the last review in which the question could have been answered.</summary>
    /// <param name="isAsked">Whether somebody whom it reached may still answer it. Null for everybody.</param>
    /// <param name="heldBackBy">If set, the time counted so far is reset, because people may have given up answering.</param>
    public static Gate Count(Incident incident, Gate gate, DateTimeOffset now, Func<Gate, string, bool>? isAsked, HeldBackBy? heldBackBy)
    {
        if (MayCount(gate) && (heldBackBy is not null || gate.WasBlocked))
        {
            return gate with { Heard = TimeSpan.Zero, HeardUntil = now, BlockedAt = heldBackBy is null ? gate.BlockedAt : now };
        }

        if (heldBackBy is not null)
        {
            return gate with { BlockedAt = now };
        }

        if (!MayCount(gate) || ReachedAt(incident, gate, isAsked) is not { } reached)
        {
            return gate;
        }

        var from = gate.HeardUntil ?? gate.OpenedAt;
        var passed = now - (from > reached ? from : reached);
        var most = ReviewPause(gate) + s_late;
        return passed <= TimeSpan.Zero ? gate : gate with { Heard = gate.Heard + (passed > most ? most : passed), HeardUntil = now };
    }

    /// <returns>How long it still has to be heard. Zero when silence counts.</returns>
    public static TimeSpan Missing(Gate gate) => Needed(gate) - gate.Heard is { Ticks: > 0 } missing ? missing : TimeSpan.Zero;

    /// <summary>Asks the question again for the missing time, unless that was in vain too often.</summary>
    /// <returns>Null if it is given up.</returns>
    public static (Incident Incident, CardKind? Due)? Prolong(Incident incident, Gate gate, DateTimeOffset now)
    {
        var missing = Missing(gate);
        if (missing <= s_late && !gate.WasBlocked)
        {
            // Only the delivery took time, so nobody has to be asked twice.
            return (incident.Replace(gate with { HeardFor = Needed(gate), ExpiresAt = now + missing }), null);
        }

        if (!CanProlong(gate))
        {
            return null;
        }

        var longer = gate with
        {
            HeardFor = Needed(gate),
            ExpiresAt = !gate.IsStanding && gate.ExpiresAt > now + missing ? gate.ExpiresAt : now + missing,
            Prolonged = gate.Prolonged + 1,
            // A due reminder that would ask new contacts still asks them. A question that stayed open past its time has lost the runbook's
            // own reminders.
            Reminders = gate.IsStanding
                ? [new(now + (missing / 2), [])]
                : [.. gate.Reminders.Where(reminder => reminder.At > now || gate.NewOf(reminder).Count > 0)],
            Asked = gate.Asked + 1,
            AskedAt = now,
            HeldUntil = null,
        };
        var asked = incident.Replace(longer).Note(
            now, TimelineKind.Gate, "runbook",
            $"{(gate.IsUnanswered ? "Nobody has answered" : "It is not approved")}, but {WhyNotHeard(gate, missing)}. "
            + $"It is asked again, until {GateText.Clock(longer.ExpiresAt, gate.OpenedAt)}.");
        return (asked, CardKind.Reminder);
    }

    private static string WhyNotHeard(Gate gate, TimeSpan missing) => gate.WasBlocked
        ? "since it was asked there was a time in which nothing could run, so that silence says nothing"
        : $"for {DurationText.Format(RoundUp(missing))} of the time nobody could: "
            + "it is not known to have reached anybody who may answer it, or this program did not run";

    internal static TimeSpan Needed(Gate gate) => gate.HeardFor ?? gate.ExpiresAt - gate.OpenedAt;

    private static DateTimeOffset? ReachedAt(Incident incident, Gate gate, Func<Gate, string, bool>? isAsked) => incident.Deliveries
        .Where(delivery => delivery is { Reached: true, IsHandedOver: false }
            && delivery.IsOf(gate)
            && !(delivery.At <= gate.BlockedAt)
            && isAsked?.Invoke(gate, delivery.Contact) != false)
        .Min(delivery => (DateTimeOffset?)delivery.At);

    private static TimeSpan RoundUp(TimeSpan time) => TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(time.TotalSeconds)));
}

/// <summary>A line for each runbook and end, with the number of targets. Those that run without an answer come first.</summary>
public static class SilenceText
{
    public static IReadOnlyList<string> Of(IReadOnlyCollection<(string Title, Gate Gate)> asked)
    {
        var ends = asked
            .GroupBy(one => (one.Title, End: GateText.WhenTimeIsUp(one.Gate)), one => one.Gate)
            .OrderByDescending(end => Silence.MayCount(end.First()))
            .ToList();
        var several = ends.DistinctBy(end => end.Key.Title).Count() > 1;
        return
        [
            .. ends.Select(end =>
            {
                var runbook = several ? $" of '{end.Key.Title}'" : "";
                var targets = asked.Count > 1 ? $"{CountText.Format(end.Count(), "target")}{runbook}{First(end)}: " : "";
                return $"{targets}{GateText.Silence(end.MinBy(gate => gate.ExpiresAt)!)}";
            }),
        ];
    }

    /// <summary>The others have a little longer.</summary>
    private static string First(IEnumerable<Gate> gates) =>
        gates.DistinctBy(gate => gate.ExpiresAt).Count() > 1 ? ", the first of them" : "";
}
