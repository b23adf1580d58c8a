namespace Runbooks.Model.Incidents;

/// <summary>Questions that nothing can run for now, even with an approval.</summary>
public static partial class ApprovalSchedule
{
    private const int MaxHeldBack = 10;

    /// <summary>At least this long is left to answer after a window that held an approval back.</summary>
    private static readonly TimeSpan s_afterWindow = TimeSpan.FromMinutes(30);

    /// <summary>How long a question stays open after its own time while nothing can run.</summary>
    private static readonly TimeSpan s_longestStand = TimeSpan.FromDays(7);

    /// <summary>The first reminder of such a question. Each later pause is twice as long.</summary>
    private static readonly TimeSpan s_standReminder = TimeSpan.FromHours(1);

    /// <summary>Its time is up while no approval would be taken. It stays open until what stands against it ends or somebody lifts it.</summary>
    /// <returns>Null if something can run, if it has stayed open too long or too often, or if others are still to be asked, who may lift
    /// it.</returns>
    private static (Incident Incident, CardKind? Due)? Stand(Incident incident, Gate gate, HeldBackBy? heldBackBy, DateTimeOffset now)
    {
        var until = gate.StandsUntil ?? now + s_longestStand;
        if (heldBackBy is null || gate.OnTimeout == OnTimeout.Escalate || now >= until)
        {
            return null;
        }

        if (heldBackBy.Until is { } end)
        {
            var held = HoldBack(gate, null, end, now) with { StandsUntil = until };
            var text = $"{GateText.NotYet(gate)}, and nothing can run until {GateText.Clock(end, gate.OpenedAt)}. It is asked again then.";
            return (incident.Replace(held).Note(now, TimelineKind.Gate, "runbook", text), null);
        }

        if (!Silence.CanProlong(gate))
        {
            return null;
        }

        // Nothing may run without an approval after this: the block may be lifted days later.
        var stands = gate with
        {
            OnTimeout = OnTimeout.Abort,
            HeardFor = Silence.Needed(gate),
            ExpiresAt = until,
            StandsUntil = until,
            HeldUntil = null,
            Reminders = [.. Doubling(now, until).Select(at => new Reminder(at, []))],
        };
        var note = $"{GateText.NotYet(gate)}, and nothing can run. It stays open and is asked again once something can, "
            + $"until {GateText.Clock(until, gate.OpenedAt)} at the latest.{(Silence.MayCount(gate) ? " Silence is no yes to it any more." : "")}";
        return (incident.Replace(stands).Note(now, TimelineKind.Gate, "runbook", note), null);
    }

    private static IEnumerable<DateTimeOffset> Doubling(DateTimeOffset now, DateTimeOffset until)
    {
        for (var after = s_standReminder; now + after < until; after *= 2)
        {
            yield return now + after;
        }
    }

    /// <summary>Something can run again. People who saw that no approval is taken, or said nothing, get the whole time again.</summary>
    /// <returns>Null if nothing stood against it, if something still does, if it was asked at the end of a window anyway, or if that was in
    /// vain too often.</returns>
    private static (Incident Incident, CardKind? Due)? AskUnblocked(
        Incident incident, Gate gate, HeldBackBy? heldBackBy, DateTimeOffset now) =>
        heldBackBy is null && gate.WasBlocked && (gate.IsStanding || Silence.MayCount(gate) || !(gate.HeldUntil >= gate.BlockedAt)) ? Silence.Prolong(incident, gate, now) : null;

    /// <summary>
    /// If what stands against it ends by itself, the question is asked again then. Until then nobody is reminded or added, since they could
    /// only wait too.
    /// </summary>
    /// <param name="approval">Null if the same person tried before, for the same reason.</param>
    internal static Gate HoldBack(Gate gate, HeldBackApproval? approval, DateTimeOffset? until, DateTimeOffset now)
    {
        var noted = approval is null ? gate : gate with { HeldBack = [.. gate.HeldBack.TakeLast(MaxHeldBack - 1), approval] };
        return until is not { } end ? noted with { BlockedAt = now } : noted with
        {
            HeardFor = Silence.Needed(gate),
            ExpiresAt = gate.ExpiresAt > end + s_afterWindow ? gate.ExpiresAt : end + s_afterWindow,
            HeldUntil = end,
            Reminders =
            [
                .. gate.Reminders
                    .Where(reminder => reminder.To.Count > 0 || reminder.At > end)
                    .Select(Later)
                    .Append(new(end, []) { IsKept = true })
                    .OrderBy(reminder => reminder.At),
            ],
        };

        // It keeps the time that it had left, within the time of the question.
        Reminder Later(Reminder reminder) => reminder.At > end
            ? reminder
            : reminder with { At = end + TimeSpan.FromTicks(Math.Clamp((reminder.At - now).Ticks, 0, s_afterWindow.Ticks / 2)) };
    }

    /// <summary>What held the question back has ended early, so it is asked again now.</summary>
    public static Incident Release(Incident incident, string gateId, DateTimeOffset heldUntil, DateTimeOffset now)
    {
        if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate || gate.HeldUntil != heldUntil)
        {
            return incident;
        }

        var (ownTime, afterwards) = (gate.OpenedAt + Silence.Needed(gate), now + s_afterWindow);
        var longest = ownTime > afterwards ? ownTime : afterwards;
        return incident.Replace(gate with
        {
            ExpiresAt = gate.ExpiresAt < longest ? gate.ExpiresAt : longest,
            HeldUntil = null,
            BlockedAt = Silence.MayCount(gate) ? gate.BlockedAt : null,
            Reminders =
            [
                .. gate.Reminders
                    .Select(reminder => reminder.At > heldUntil + (s_afterWindow / 2)
                        ? reminder
                        : reminder with { At = reminder.At - (heldUntil - now) })
                    .OrderBy(reminder => reminder.At),
            ],
        }).Note(now, TimelineKind.Gate, "runbook", $"What was to hold it back until {GateText.Clock(heldUntil, now)} has already ended. It is asked again.");
    }
}

/// <summary>Somebody wanted to approve while nothing could run.</summary>
public sealed record HeldBackApproval(string Person, string Why, DateTimeOffset At) : Evolving;

/// <param name="Why">In whole sentences.</param>
/// <param name="Until">When the part that ends by itself has ended. Null if nothing does.</param>
public sealed record HeldBackBy(string Why, DateTimeOffset? Until) : Evolving;
