namespace Runbooks.Model.Incidents;

public static partial class ApprovalSchedule
{
    private static readonly TimeSpan s_askAgainAfter = TimeSpan.FromMinutes(1);
    private const int MaxDoublings = 4;

    /// <summary>If a question is reviewed later than this after its time, nothing reviewed it in between. Usually the host was down.</summary>
    private static readonly TimeSpan s_missedBy = TimeSpan.FromMinutes(2);

    /// <summary>Does what is due on the gate now, and returns the kind of message to send.</summary>
    /// <param name="isAsked">Whether somebody whom the question reached may still answer it. Null for everybody.</param>
    /// <param name="heldBackBy">What keeps it from running now, even if somebody approves. Null for nothing.</param>
    public static (Incident Incident, CardKind? Due) Advance(
        Incident incident, string gateId, DateTimeOffset now, Func<Gate, string, bool>? isAsked, HeldBackBy? heldBackBy)
    {
        if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return (incident, null);
        }

        // A stop does not cancel a question about undoing.
        if (incident.Stop is { } stop && gate.Task is not { Undoes: true })
        {
            return (incident.CloseGate(gateId, GateOutcome.Cancelled, stop.Text, now), null);
        }

        if (Clocks.IsAhead(gate.OpenedAt, now))
        {
            (incident, gate) = SetRight(incident, gate, now);
        }

        var before = gate;
        gate = Silence.Count(incident, gate, now, isAsked, heldBackBy);
        incident = incident.Replace(gate);
        if (gate.WasBlocked && !before.WasBlocked)
        {
            var meanwhile = Silence.MayCount(gate) ? "Silence is no yes meanwhile." : "No yes is taken meanwhile.";
            incident = incident.NoteOnce(now, TimelineKind.Safety, "runbook", $"{heldBackBy!.Why} {meanwhile}");
        }

        if (Incident.RecoveredBeforeActing(incident))
        {
            // The alert flaps. The question stays open until the alert has been quiet for a while, without reminders.
            if (!Incident.RecoveredBeforeActing(incident, now) && now < gate.ExpiresAt)
            {
                return (incident, null);
            }

            return (incident.CloseGate(gateId, GateOutcome.SelfRecovered, Incident.RecoveryReason(incident), now), null);
        }

        if (now >= gate.ExpiresAt)
        {
            return AskUnasked(incident, gate, now)
                ?? Stand(incident, gate, heldBackBy, now)
                ?? AskUnblocked(incident, gate, heldBackBy, now)
                ?? AskOnceMore(incident, gate, now)
                ?? Expire(incident, gate, now, heldBackBy);
        }

        return AskUnblocked(incident, gate, heldBackBy, now) ?? Remind(incident, gate, now, now);
    }

    /// <summary>The clock was ahead when the question was opened, so all of its time counts from now.</summary>
    private static (Incident Incident, Gate Gate) SetRight(Incident incident, Gate gate, DateTimeOffset now)
    {
        var ahead = gate.OpenedAt - now;
        var right = gate with
        {
            OpenedAt = now,
            ExpiresAt = gate.ExpiresAt - ahead,
            AskedAt = gate.AskedAt - ahead,
            HeardUntil = null,
            BlockedAt = null,
            StandsUntil = gate.StandsUntil - ahead,
            Reminders = [.. gate.Reminders.Select(reminder => reminder with { At = reminder.At - ahead })],
        };
        var minutes = DurationText.Format(TimeSpan.FromMinutes(Math.Round(ahead.TotalMinutes)));
        var text = $"The clock was {minutes} ahead when this was asked. Its time counts from now.";
        return (incident.Replace(right).Note(now, TimelineKind.Gate, "runbook", text), right);
    }

    /// <summary>The host was down when these contacts were to be asked. They are asked now and get the time that they would have had.</summary>
    /// <returns>Null if everybody was asked.</returns>
    private static (Incident Incident, CardKind? Due)? AskUnasked(Incident incident, Gate gate, DateTimeOffset now)
    {
        var missed = gate.Reminders.Where(reminder => reminder.At < gate.ExpiresAt && gate.NewOf(reminder).Count > 0).ToList();
        if (missed.Count == 0)
        {
            return null;
        }

        var names = string.Join(" and ", missed.SelectMany(gate.NewOf).Distinct(StringComparer.OrdinalIgnoreCase));
        var longer = gate with { HeardFor = Silence.Needed(gate), ExpiresAt = now + (gate.ExpiresAt - missed[0].At) };
        return Remind(
            incident.Note(
                now,
                TimelineKind.Gate,
                "runbook",
                $"Its time was up before {names} had been asked. It stays open until {GateText.Clock(longer.ExpiresAt, gate.OpenedAt)}."),
            longer, now, now);
    }

    /// <summary>A question that nothing reviewed when its time was up is asked once more with the same time.</summary>
    /// <returns>Null if it was reviewed in time, if it escalates anyway, or if silence may count as approval.</returns>
    private static (Incident Incident, CardKind? Due)? AskOnceMore(Incident incident, Gate gate, DateTimeOffset now)
    {
        if (now - gate.ExpiresAt <= s_missedBy || gate.Prolonged > 0 || gate.OnTimeout == OnTimeout.Escalate || Silence.MayCount(gate))
        {
            return null;
        }

        var needed = Silence.Needed(gate);
        var longer = gate with
        {
            HeardFor = needed,
            ExpiresAt = now + needed,
            Prolonged = 1,
            HeldUntil = null,
            Reminders = [],
            Asked = gate.Asked + 1,
            AskedAt = now,
        };
        return (
            incident.Replace(longer).Note(
                now,
                TimelineKind.Gate,
                "runbook",
                $"Its time was up at {GateText.Clock(gate.ExpiresAt, gate.OpenedAt)}, "
                + $"and it was not looked at before {GateText.Clock(now, gate.OpenedAt)}. "
                + $"It is asked once more, until {GateText.Clock(longer.ExpiresAt, gate.OpenedAt)}."),
            CardKind.Reminder);
    }

    /// <summary>Records for the next message whether anything can run, which may have changed.</summary>
    /// <param name="why">In whole sentences. Null for nothing.</param>
    public static Incident NoteWhetherItRuns(Incident incident, string gateId, string? why, DateTimeOffset now) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } gate
            ? incident.Replace(gate with { BlockedBy = why, BlockedAt = why is null ? gate.BlockedAt : now })
            : incident;

    /// <summary>In a storm, asks now what is due by <paramref name="by"/>. Closes nothing.</summary>
    public static Incident AskWithOthers(Incident incident, string gateId, DateTimeOffset by, DateTimeOffset now) => incident.FindGate(gateId) switch
    {
        { Outcome: GateOutcome.Pending } gate when gate.ExpiresAt <= now && (AskUnasked(incident, gate, now) ?? AskOnceMore(incident, gate, now)) is { } asked => asked.Incident,
        { Outcome: GateOutcome.Pending, OnTimeout: OnTimeout.Escalate } gate when gate.ExpiresAt <= by =>
            Expire(incident, gate, now, heldBackBy: null).Incident,
        { Outcome: GateOutcome.Pending } gate when now < gate.ExpiresAt => Remind(incident, gate, now, by).Incident,
        _ => incident,
    };

    /// <summary>A storm sends one reminder for all. A question that stays open past its time still reminds, rarely.</summary>
    public static Incident RemindNoMore(Incident incident, string gateId) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending, IsStanding: false } gate && gate.Reminders.Any(IsMere)
            ? incident.Replace(gate with { Reminders = [.. gate.Reminders.Where(reminder => !IsMere(reminder))] })
            : incident;

    private static bool IsMere(Reminder reminder) => reminder.To.Count == 0 && !reminder.IsKept;

    /// <summary>In a storm a message may wait for others until a quarter of the question's time has passed.</summary>
    public static DateTimeOffset ToldBy(Gate gate) => (gate.AskedAt ?? gate.OpenedAt) + (Silence.Needed(gate) / 4);

    public static Incident Escalate(Incident incident, string gateId, IReadOnlyList<string> to, DateTimeOffset now) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } gate
            ? incident
                .Replace(gate with { Approvers = [.. gate.Approvers.Union(to, StringComparer.OrdinalIgnoreCase)] })
                .Note(now, TimelineKind.Gate, "runbook", $"Escalated to {string.Join(", ", to)}.")
            : incident;

    /// <summary>A question that reached neither all of its contacts nor the last in line is asked again soon, then less and less often.</summary>
    public static Incident AskAgain(Incident incident, string gateId, DateTimeOffset now)
    {
        if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return incident;
        }

        var at = now + (s_askAgainAfter * (1 << Math.Min(gate.Asked, MaxDoublings)));
        var isSoon = gate.Reminders.Count > 0 && gate.Reminders[0].At <= at;
        var next = (isSoon ? gate.Reminders[0] : new Reminder(at, [])) with { IsKept = true };
        return incident.Replace(gate with { Reminders = [next, .. gate.Reminders.Skip(isSoon ? 1 : 0)] });
    }

    private static (Incident Incident, CardKind? Due) Remind(Incident incident, Gate gate, DateTimeOffset now, DateTimeOffset by)
    {
        var due = gate.Reminders.Where(reminder => reminder.At <= by).ToList();
        if (due.Count == 0)
        {
            return (incident, null);
        }

        var to = due.SelectMany(gate.NewOf).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var asked = gate with
        {
            Reminders = [.. gate.Reminders.Except(due)],
            Asked = gate.Asked + 1,
            AskedAt = now,

            // The message before this one said that something can run again. Where silence counts, it goes by this time.
            BlockedAt = gate.BlockedAt < gate.AskedAt && !Silence.MayCount(gate) ? null : gate.BlockedAt,
        };
        var changed = incident.Replace(asked);
        return to.Count == 0
            ? (changed.Note(now, TimelineKind.Gate, "runbook", $"{GateText.NotYet(gate)}; reminded."), CardKind.Reminder)
            : (Escalate(changed, gate.Id, to, now), CardKind.Escalation);
    }

    private static (Incident Incident, CardKind? Due) Expire(Incident incident, Gate gate, DateTimeOffset now, HeldBackBy? heldBackBy)
    {
        if (heldBackBy is not null && gate.OnTimeout != OnTimeout.Escalate)
        {
            return (incident.CloseGate(gate.Id, GateOutcome.Expired, $"{GateText.NotApproved(gate)}. At the end no yes would have been taken either. {heldBackBy.Why}", now), null);
        }

        switch (gate.OnTimeout)
        {
            case OnTimeout.ProceedIfReversible when gate.SilenceIsYes:
                return Silence.Missing(gate) == TimeSpan.Zero
                    ? (incident.CloseGate(
                        gate.Id,
                        GateOutcome.Approved,
                        $"{GateText.NotApproved(gate)}; it goes ahead, since what the steps change can be undone.",
                        now), null)
                    : Silence.Prolong(incident, gate, now)
                    ?? (incident.CloseGate(
                        gate.Id,
                        GateOutcome.Expired,
                        gate.IsUnanswered
                            ? "Nobody answered, and for too much of the time nobody could: silence is no yes."
                            : $"{GateText.NotApproved(gate)}.",
                        now), null);
            case OnTimeout.Escalate:
                var asked = gate with
                {
                    OnTimeout = OnTimeout.Abort,
                    ExpiresAt = now + Silence.Needed(gate),
                    Reminders = [],
                    Asked = gate.Asked + 1,
                    AskedAt = now,
                };
                return (Escalate(incident.Replace(asked), gate.Id, [gate.Fallback ?? Approval.FallbackContact], now), CardKind.Escalation);
            default:
                return (incident.CloseGate(gate.Id, GateOutcome.Expired, $"{GateText.NotApproved(gate)}.", now), null);
        }
    }
}

/// <summary>Asks again at this time: the same contacts if <paramref name="To"/> is empty, otherwise these too.</summary>
public sealed record Reminder(DateTimeOffset At, IReadOnlyList<string> To) : Evolving
{
    /// <summary>
    /// After this many reminders the pause doubles each time, so that a question that is open for days is neither repeated every few
    /// minutes nor forgotten.
    /// </summary>
    private const int Steady = 10;

    /// <summary>It asks those who were not reached or could not answer, even if no other reminders are sent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsKept { get; init; }

    /// <summary>Soonest first.</summary>
    /// <param name="every">The pause between reminders. Null for none.</param>
    public static IReadOnlyList<Reminder> Of(TimeSpan? every, IEnumerable<Escalation> escalations, TimeSpan timeout, DateTimeOffset now)
    {
        var reminders = escalations.Select(escalation => new Reminder(now + escalation.After, escalation.To)).ToList();
        var pause = every ?? timeout;
        for (var (after, count) = (pause, 1); after > TimeSpan.Zero && after < timeout; after += pause, count++)
        {
            reminders.Add(new Reminder(now + after, []));
            pause = count < Steady ? pause : pause * 2;
        }

        return [.. reminders.OrderBy(reminder => reminder.At)];
    }
}
