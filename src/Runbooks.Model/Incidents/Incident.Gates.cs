namespace Runbooks.Model.Incidents;

/// <summary>The rules of a gate: the first answer wins, a quorum counts different people, and a closed gate stays closed.</summary>
public sealed partial record Incident
{
    /// <summary>Does nothing if there is a gate with this id.</summary>
    public Incident AddGate(Gate gate, DateTimeOffset now)
    {
        if (FindGate(gate.Id) is not null)
        {
            return this;
        }

        var pending = gate.Outcome == GateOutcome.Pending;
        var opened = this with { State = pending ? IncidentState.AwaitingApproval : State, Reason = pending ? null : Reason, Gates = [.. Gates, gate] };
        return opened.Note(now, TimelineKind.Gate, "runbook", pending
            ? $"Asked {string.Join(", ", gate.Approvers)}: {gate.Question}"
            : gate.ClosedBy ?? gate.Question);
    }

    /// <summary>Records a person's answer. The one that closes the gate is final.</summary>
    /// <param name="starter">The person who started the incident, by the name that decisions use. Null for the name on the incident.</param>
    public (Incident Incident, DecisionResult Result) Decide(string gateId, Decision decision, string? starter = null) =>
        FindGate(gateId) is not { } gate
            ? (this, new(DecisionStatus.NotFound, $"Incident {Id} has no gate '{gateId}'."))
            : WhyNotCounted(gate, decision, starter ?? StartedBy) is { } objection
                ? (this, objection)
                : Record(this, gate with { Decisions = [.. gate.Decisions, decision] }, decision);

    /// <summary>Removes approvals that no longer count. Manual steps stay done.</summary>
    /// <param name="asOfNow">The approval as it counts now. Null if it does not count.</param>
    public Incident LoseApprovals(string gateId, Func<Decision, Decision?> asOfNow, DateTimeOffset now) =>
        FindGate(gateId) is { Outcome: GateOutcome.Pending, Task: null } gate && gate.Decisions.Any(decision => asOfNow(decision) != decision)
            ? Replace(gate with { Decisions = [.. gate.Decisions.Select(asOfNow).OfType<Decision>()] }).Note(
                now, TimelineKind.Gate, "runbook", LostText(gate, asOfNow))
            : this;

    /// <summary>Why an approval no longer counts.</summary>
    public static string LostText(Gate gate, Func<Decision, Decision?> asOfNow)
    {
        var lost = gate.Decisions
            .Where(decision => asOfNow(decision) != decision)
            .ToLookup(decision => asOfNow(decision) is null);
        return string.Join(" ", lost.Select(some =>
            $"{string.Join(" and ", some.Select(decision => decision.Person))} approved, {Why(some.Key, some.Count())}"));

        string Why(bool mayNotDecide, int people) => mayNotDecide
            ? "and may not decide any more: that does not count."
            : $"but {CountText.Are(people)} no longer in {gate.OwnerTeam}, and somebody from {gate.OwnerTeam} has to approve.";
    }

    public Incident CloseGate(string gateId, GateOutcome outcome, string closedBy, DateTimeOffset now) =>
        FindGate(gateId) is { Outcome: GateOutcome.Pending } gate
            ? Replace(gate with { Outcome = outcome, ClosedAt = now, ClosedBy = closedBy }).Note(
                now, TimelineKind.Gate, "runbook", closedBy)
            : this;

    /// <summary>Somebody wanted to approve while nothing may run. Noted once for each person and reason.</summary>
    /// <param name="until">When what stands against it ends by itself. Null if it does not.</param>
    public Incident NoteHeldBack(string gateId, string person, string why, DateTimeOffset? until, DateTimeOffset now)
    {
        if (FindGate(gateId) is not { Outcome: GateOutcome.Pending } gate)
        {
            return this;
        }

        var noted = Note(now, TimelineKind.Safety, person, $"{person} wanted to approve; it was not taken. {why}");
        var isKnown = Timeline.Any(line => line.What == noted.Timeline[^1].What);
        if (isKnown && until is null && gate.WasBlocked)
        {
            return this;
        }

        var approval = isKnown ? null : new HeldBackApproval(person, why, now);
        return (isKnown ? this : noted).Replace(ApprovalSchedule.HoldBack(gate, approval, until, now) with { BlockedBy = why });
    }

    public Incident Replace(Gate gate) =>
        this with { Gates = [.. Gates.Select(g => g.Id == gate.Id ? gate : g)] };

    private static DecisionResult? WhyNotCounted(Gate gate, Decision decision, string? starter)
    {
        if (gate.Outcome != GateOutcome.Pending)
        {
            return new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(gate));
        }

        // What the person saw is too old to approve. A rejection still counts while the question is open.
        if (decision.Verb == DecisionVerb.Approve && decision.At >= gate.ExpiresAt)
        {
            return new(DecisionStatus.AlreadyClosed, $"Your answer came too late and does not count. {GateText.Late(gate, decision.At)}");
        }

        if (gate.Task?.WhyNotCounted(decision) is { } objection)
        {
            return objection;
        }

        if (decision.Verb != DecisionVerb.Approve)
        {
            return null;
        }

        if (decision.PlanHash is { } shown && shown != gate.Plan.Hash)
        {
            return new(
                DecisionStatus.PlanChanged,
                "The plan has changed since it was shown to you; nothing was approved. Open the newest message.");
        }

        if (gate.Task is null && gate.Decisions.Any(earlier => earlier.IsOfSamePerson(decision)))
        {
            return new(DecisionStatus.AlreadyCounted, $"{decision.Person} has approved already; {GateText.MoreNeeded(gate)}.");
        }

        return gate.SeparationOfDuties && gate.Required == 1 && string.Equals(starter, decision.Person, StringComparison.OrdinalIgnoreCase)
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
            ? new(
                DecisionStatus.Decided,
                $"You {GateText.Past(gate, decision.Verb)} at {GateText.Clock(decision.At)}.{GateText.AfterYes(gate, incident.Mode)}")
            : new(DecisionStatus.MoreNeeded, $"Your approval counts; {GateText.MoreNeeded(gate)}."));
    }

    // A step relies on results of checks and on an approval that was given because of them. Both get old. After LongestGround the checks
    // are asked again before the step acts; if the reasons are gone, people are asked again.

    /// <summary>Older results are no reason to act.</summary>
    public static readonly TimeSpan LongestGround = TimeSpan.FromMinutes(30);

    /// <summary>When the checks were asked again just before a step, and the reasons still held. Null if that was never needed.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Whether the automation or a person may have changed something. Telling does not count, nor does a step that did nothing.</summary>
    [JsonIgnore]
    public bool HasActed => Steps.Any(step => step is { Preparation.TellsOnly: false, NothingDone: false });

    /// <summary>Whether what a step relies on is too old. A step that broke off a moment ago is finished without new checks.</summary>
    /// <param name="gate">The approval that covers the step. Its age counts if the runbook has no checks.</param>
    public bool IsGroundTooOld(Phase phase, Gate gate, DateTimeOffset now)
    {
        var answers = phase == Phase.Mitigation ? Findings : Verification;
        return now - Clocks.Latest(
            [
                .. answers.Select(finding => (DateTimeOffset?)finding.At),
                .. Steps.Where(IsActOfOurs).Select(step => step.FinishedAt ?? step.AttemptedAt ?? step.StartedAt),
                ConfirmedAt,
                answers.Count == 0 ? gate.ClosedAt : null,
            ],
            now) > LongestGround;
    }

    /// <summary>A person may report a manual step days later, so its end says nothing about the target.</summary>
    private bool IsActOfOurs(StepRecord step) => FindTask(step.Phase, step.Name) is not { Task: not null } && !step.Preparation.TellsOnly;

    /// <summary>Whether a step has acted on this approval. The rest of it is then done too, since half of it is worse than all.</summary>
    public bool HasActedOn(Gate gate) => Steps.Any(step => step.GateId == gate.Id && IsActOfOurs(step));

    /// <summary>
    /// Why an approval no longer covers a phase: the checks said so, or people were asked again. It also counts for later attempts, even if
    /// the checks change.
    /// </summary>
    public string? FindLapse(Gate gate, Phase phase) => gate.Lapsed
        ?? Gates.FirstOrDefault(later => later.Task is null && later.Phase == phase && (later.Phase != gate.Phase || later.Round > gate.Round))?.Difference;

    /// <summary>The findings that people saw stay as they are.</summary>
    public Incident Confirm(IReadOnlyList<Finding> findings, DateTimeOffset now) => State.IsFinal() ? this
        : (this with
            {
                ConfirmedAt = now,
                VerificationRounds = VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now),
            })
            .Note(
                now,
                TimelineKind.Diagnosis,
                "runbook",
                "The answers of the checks were no longer fresh, so they were asked again: the reasons to act still hold. "
                + $"{Summarize(findings)}");

    /// <summary>Results up to this age show the state right before the first step.</summary>
    public static readonly TimeSpan LongestBaseline = TimeSpan.FromMinutes(1);

    /// <summary>Whether the last results are too old to credit the fix with a later pass.</summary>
    public bool NeedsLookBeforeActing(DateTimeOffset now) =>
        Mode != RunMode.DryRun && !HasActed && Findings.Count > 0
        && now - Clocks.Latest([.. Findings.Select(finding => (DateTimeOffset?)finding.At), ConfirmedAt], now) > LongestBaseline;

    /// <summary>The state right before the first step; see <see cref="EndingText.IsVerifiedFix"/>.</summary>
    public Incident RecordBeforeActing(IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        if (State.IsFinal() || HasActed)
        {
            return this;
        }

        var recovered = findings.Where(finding => finding.Verdict == Verdict.Passing && Findings.Any(old => old.Name == finding.Name && old.Verdict != Verdict.Passing)).ToList();
        var looked = this with { VerificationRounds = VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now), UpdatedAt = now };
        return recovered.Count == 0 ? looked
            : looked.NoteOnce(
                now,
                TimelineKind.Diagnosis,
                "runbook",
                $"This passed before the first step already, so the step is not credited with it. {Summarize(recovered)}");
    }

    /// <summary>The findings, each with its newest result.</summary>
    public IReadOnlyList<Finding> Renewed(IReadOnlyList<Finding> newer) =>
        [.. Findings.Select(old => newer.FirstOrDefault(one => one.Name == old.Name) ?? old)];

    /// <summary>People who are asked again see the new results. The first ones stay among the rounds.</summary>
    /// <param name="gate">The approval that no longer covers anything.</param>
    /// <param name="why">What has changed, in words.</param>
    /// <param name="stillCalls">The fault is still there, but what the steps rely on does not pass.</param>
    public Incident Unsettle(Gate gate, Phase phase, string why, bool stillCalls, IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        if (State.IsFinal())
        {
            return this;
        }

        var change = stillCalls ? "what the steps rely on does not pass" : "the reasons to act are not seen any more";
        var noted = Note(
            now,
            TimelineKind.Diagnosis,
            "runbook",
            $"The answers of the checks were no longer fresh, so they were asked again: {change}. {Summarize(findings)}");
        var rounds = phase == Phase.Mitigation && !VerificationRounds.Any(round => round.State == IncidentState.Diagnosing)
            ? VerificationRounds.Precede(IncidentState.Diagnosing, Findings, Findings.Min(finding => finding.At))
            : VerificationRounds;
        var unsettled = noted.Replace(FindGate(gate.Id)! with { Lapsed = why }) with
        {
            ConfirmedAt = now,
            VerificationRounds = rounds.Add(IncidentState.AwaitingApproval, findings, now),
        };
        return phase == Phase.Mitigation
            ? unsettled with { Findings = Renewed(findings) }
            : unsettled with { Verification = [.. Verification.Select(old => findings.FirstOrDefault(one => one.Name == old.Name) ?? old)] };
    }
}
