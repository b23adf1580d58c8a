namespace Runbooks.Model.Incidents;

/// <summary>The rules of a gate: first writer wins, a quorum counts distinct people, a closed gate stays closed.</summary>
public sealed partial record Incident
{
    /// <summary>Adds a gate, once; the same id again changes nothing.</summary>
    public Incident AddGate(Gate gate, DateTimeOffset now)
    {
        if (FindGate(gate.Id) is not null)
        {
            return this;
        }

        var pending = gate.Outcome == GateOutcome.Pending;
        var opened = this with
        {
            State = pending ? IncidentState.AwaitingApproval : State,
            Reason = pending ? null : Reason,
            Gates = [.. Gates, gate],
        };
        return opened.Note(now, TimelineKind.Gate, "runbook", pending
            ? $"Asked {string.Join(", ", gate.Approvers)}: {gate.Question}"
            : gate.ClosedBy ?? gate.Question);
    }

    /// <summary>Records a person's answer, if the gate can still take it; the answer that settles it wins for good.</summary>
    /// <param name="starter">Whoever started the incident, by the name that decisions use; null for the name on the incident.</param>
    public (Incident Incident, DecisionResult Result) Decide(string gateId, Decision decision, string? starter = null) =>
        FindGate(gateId) is not { } gate
            ? (this, new(DecisionStatus.NotFound, $"Incident {Id} has no gate '{gateId}'."))
            : Objection(gate, decision, starter ?? StartedBy) is { } objection
                ? (this, objection)
                : Record(this, gate with { Decisions = [.. gate.Decisions, decision] }, decision);

    /// <summary>What people approved who may not decide any more, or not as whom they did, counts no longer. What a person did by hand stays done.</summary>
    /// <param name="asOfNow">What the approval is worth by now; null where it does not count.</param>
    public Incident LoseApprovals(string gateId, Func<Decision, Decision?> asOfNow, DateTimeOffset now) =>
        FindGate(gateId) is { Outcome: GateOutcome.Pending, Task: null } gate && gate.Decisions.Where(decision => asOfNow(decision) != decision).ToList() is { Count: > 0 } lost
            ? Replace(gate with { Decisions = [.. gate.Decisions.Select(asOfNow).OfType<Decision>()] }).Note(now, TimelineKind.Gate, "runbook", LostText(gate, lost, asOfNow))
            : this;

    /// <summary>For whoever reads why an approval does not count.</summary>
    public static string LostText(Gate gate, IEnumerable<Decision> lost, Func<Decision, Decision?> asOfNow) => string.Join(" ", lost.ToLookup(decision => asOfNow(decision) is null).Select(some =>
        $"{string.Join(" and ", some.Select(decision => decision.Person))} approved, and {(some.Key ? "may not decide any more: that does not count." : $"not as one of {gate.OwnerTeam} any more, of whom somebody has to.")}"));

    /// <summary>Closes a pending gate for a reason other than a person's decision; a closed gate stays as it is.</summary>
    public Incident CloseGate(string gateId, GateOutcome outcome, string closedBy, DateTimeOffset now) =>
        FindGate(gateId) is { Outcome: GateOutcome.Pending } gate
            ? Replace(gate with { Outcome = outcome, ClosedAt = now, ClosedBy = closedBy }).Note(now, TimelineKind.Gate, "runbook", closedBy)
            : this;

    /// <summary>Somebody wanted to approve while nothing may run: on record, once for each person and reason.</summary>
    /// <param name="until">When what stands against it ends by itself; null where it does not.</param>
    public Incident NoteHeldBack(string gateId, string person, string why, DateTimeOffset? until, DateTimeOffset now)
    {
        if (FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return this;
        }

        var noted = Note(now, TimelineKind.Safety, person, $"{person} wanted to approve; it was not taken. {why}");
        var isKnown = Timeline.Any(line => line.What == noted.Timeline[^1].What);
        return !isKnown ? noted.Replace(ApprovalSchedule.HoldBack(gate, new(person, why, now), until, now))
            : until is null ? this
            : Replace(ApprovalSchedule.HoldBack(gate, null, until, now));
    }

    public Incident Replace(Gate gate) =>
        this with { Gates = [.. Gates.Select(g => g.Id == gate.Id ? gate : g)] };

    private static DecisionResult? Objection(Gate gate, Decision decision, string? starter)
    {
        if (gate.Outcome != GateOutcome.Pending)
        {
            return new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(gate));
        }

        if (decision.At >= gate.ExpiresAt)
        {
            return new(DecisionStatus.AlreadyClosed, $"Your answer came too late and does not count. {GateText.Late(gate, decision.At)}");
        }

        if (gate.Task?.FindObjection(decision) is { } lack)
        {
            return lack;
        }

        if (decision.Verb != DecisionVerb.Approve)
        {
            return null;
        }

        if (decision.PlanHash is { } shown && shown != gate.Plan.Hash)
        {
            return new(DecisionStatus.PlanChanged, "The plan has changed since it was shown to you; nothing was approved. Open the newest message.");
        }

        if (gate.Task is null && gate.Decisions.Any(earlier => earlier.IsOfSamePerson(decision)))
        {
            return new(DecisionStatus.AlreadyCounted, $"{decision.Person} has approved already; {gate.Required} different people are needed.");
        }

        return gate.SeparationOfDuties && gate.Required == 1 && Same(starter, decision.Person)
            ? new(DecisionStatus.NotAllowed, $"{decision.Person} started this incident and may not be the only one to approve it.")
            : null;
    }

    private static (Incident, DecisionResult) Record(Incident incident, Gate gate, Decision decision)
    {
        if (gate.Task is { } task)
        {
            gate = gate with { Task = task.Tick(decision) };
            if (decision.Verb == DecisionVerb.Approve && gate.Task.Left > 0)
            {
                return (incident.Replace(gate).Note(decision.At, TimelineKind.Decision, decision.Person, GateText.Said(gate, decision)),
                    new(DecisionStatus.MoreNeeded, $"It is on record. {ManualTaskText.Left(gate.Task)}"));
            }
        }

        List<Decision> approvals = [.. gate.Decisions.Where(d => d.Verb == DecisionVerb.Approve)];
        var outcome = decision.Verb switch
        {
            DecisionVerb.Reject => GateOutcome.Rejected,
            DecisionVerb.TakeOver => GateOutcome.TakenOver,
            _ => gate.IsCarriedBy(approvals) ? GateOutcome.Approved : GateOutcome.Pending,
        };
        var said = GateText.Said(gate, decision);
        var settled = outcome != GateOutcome.Pending;
        if (settled)
        {
            gate = gate with { Outcome = outcome, ClosedAt = decision.At, ClosedBy = said };
        }

        var recorded = incident.Replace(gate).Note(decision.At, TimelineKind.Decision, decision.Person, said);
        return (recorded, settled
            ? new(DecisionStatus.Decided, $"You {GateText.Past(gate, decision.Verb)} at {GateText.Clock(decision.At)}.{GateText.AfterYes(gate, incident.Mode)}")
            : new(DecisionStatus.MoreNeeded, $"Your approval counts; {GateText.MoreNeeded(gate)}."));
    }

    private static bool Same(string? a, string? b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
