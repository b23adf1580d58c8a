using Runbooks.Model.Definition;

namespace Runbooks.Model.Incidents;

/// <summary>What happens to a gate while time passes and nobody answers.</summary>
public static class ApprovalSchedule
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMinutes(1);
    private const int MaxDoublings = 4;

    /// <summary>Does what is due on a pending gate at this time, and says which message has to go out for it.</summary>
    public static (Incident Incident, CardKind? Due) Advance(Incident incident, string gateId, DateTimeOffset now)
    {
        if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return (incident, null);
        }

        if (incident.Stop is { } stop)
        {
            return (incident.CloseGate(gateId, GateOutcome.Cancelled, $"{stop.By} stopped the incident: {stop.Reason}", now), null);
        }

        if (Incident.RecoveredBeforeActing(incident))
        {
            // It comes and goes. The question stands until it has been quiet for a while, and reminds nobody meanwhile.
            if (!Incident.RecoveredBeforeActing(incident, now) && now < gate.ExpiresAt)
            {
                return (incident, null);
            }

            return (incident.CloseGate(gateId, GateOutcome.SelfRecovered, Incident.RecoveryReason(incident), now), null);
        }

        return now >= gate.ExpiresAt ? Expire(incident, gate, now) : Remind(incident, gate, now);
    }

    /// <summary>These contacts are asked as well from now on, and may decide.</summary>
    public static Incident Escalate(Incident incident, string gateId, IReadOnlyList<string> to, DateTimeOffset now) =>
        incident.FindGate(gateId) is { Outcome: GateOutcome.Pending } gate
            ? incident
                .Replace(gate with { Approvers = [.. gate.Approvers.Union(to, StringComparer.OrdinalIgnoreCase)] })
                .Note(now, TimelineKind.Gate, "runbook", $"Escalated to {string.Join(", ", to)}.")
            : incident;

    /// <summary>A question that reached nobody is asked again soon, then ever more rarely.</summary>
    public static Incident AskAgain(Incident incident, string gateId, DateTimeOffset now)
    {
        if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return incident;
        }

        var at = now + (AskAgainAfter * (1 << Math.Min(gate.Asked, MaxDoublings)));
        return gate.Reminders.Any(reminder => reminder.At <= at)
            ? incident
            : incident.Replace(gate with { Reminders = [new Reminder(at, []), .. gate.Reminders] });
    }

    private static (Incident, CardKind?) Remind(Incident incident, Gate gate, DateTimeOffset now)
    {
        var due = gate.Reminders.Where(reminder => reminder.At <= now).ToList();
        if (due.Count == 0)
        {
            return (incident, null);
        }

        var to = due.SelectMany(reminder => reminder.To).Except(gate.Approvers, StringComparer.OrdinalIgnoreCase).ToList();
        var asked = gate with { Reminders = [.. gate.Reminders.Except(due)], Asked = gate.Asked + 1, AskedAt = now };
        var changed = incident.Replace(asked);
        return to.Count == 0
            ? (changed.Note(now, TimelineKind.Gate, "runbook", "Nobody has answered yet; reminded."), CardKind.Reminder)
            : (Escalate(changed, gate.Id, to, now), CardKind.Escalation);
    }

    private static (Incident, CardKind?) Expire(Incident incident, Gate gate, DateTimeOffset now)
    {
        switch (gate.OnTimeout)
        {
            case OnTimeout.ProceedIfReversible when gate.Plan.Reversible:
                return (incident.CloseGate(gate.Id, GateOutcome.Approved, "Nobody answered in time; every step can be undone, so the runbook proceeds.", now), null);
            case OnTimeout.Escalate:
                var asked = gate with
                {
                    OnTimeout = OnTimeout.Abort,
                    ExpiresAt = now + (gate.ExpiresAt - gate.OpenedAt),
                    Reminders = [],
                    Asked = gate.Asked + 1,
                    AskedAt = now,
                };
                return (Escalate(incident.Replace(asked), gate.Id, [Approval.FallbackContact], now), CardKind.Escalation);
            default:
                return (incident.CloseGate(gate.Id, GateOutcome.Expired, "Nobody answered in time; nothing was done.", now), null);
        }
    }
}
