using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Single rules of a gate, each at its edge; <see cref="GatePropertyTests"/> has whole stories.</summary>
public sealed class GateTests
{
    private static readonly Gate s_gate = Some.Gate();

    [Fact]
    public void SameIdAgain_ChangesNothing()
    {
        var waiting = Some.Waiting();

        waiting.AddGate(s_gate with { Question = "Delete everything?" }, Some.Time).ShouldBeSameAs(waiting);
    }

    [Theory]
    [InlineData(GateOutcome.Pending, null, IncidentState.AwaitingApproval, null, "Asked oncall, lead: Recycle pod llm-b-0?")]
    [InlineData(GateOutcome.Refused, "A limit says no.", IncidentState.Diagnosing, "It looks.", "A limit says no.")]
    [InlineData(GateOutcome.Approved, null, IncidentState.Diagnosing, "It looks.", "Recycle pod llm-b-0?")]
    public void NewGate_IsWaitedForOnlyIfItAsksSomebody(GateOutcome outcome, string? closedBy, IncidentState state, string? reason, string said)
    {
        var incident = (Some.Incident() with { State = IncidentState.Diagnosing, Reason = "It looks." }).AddGate(s_gate with { Outcome = outcome, ClosedBy = closedBy, Approvers = ["oncall", "lead"] }, Some.Time);

        (incident.State, incident.Reason, incident.Timeline[^1].Who, incident.Timeline[^1].What).ShouldBe((state, reason, "runbook", said));
    }

    [Fact]
    public void AnswerToOneGate_LeavesTheOthersAlone()
    {
        var first = s_gate with { Outcome = GateOutcome.Expired };
        var incident = (Some.Incident() with { Gates = [first] }).AddGate(Some.Gate(2), Some.Time);

        incident.Decide("mitigation-2", Approval("ada")).Incident.Gates[0].ShouldBe(first);
    }

    [Theory]
    [InlineData(DecisionVerb.Approve, null, DecisionStatus.Decided)]
    [InlineData(DecisionVerb.Approve, "plan-1", DecisionStatus.Decided)]
    [InlineData(DecisionVerb.Approve, "plan-0", DecisionStatus.PlanChanged)]
    [InlineData(DecisionVerb.Reject, "plan-0", DecisionStatus.Decided)]
    public void AnotherPlanThanWasShown_IsNotApproved(DecisionVerb verb, string? shown, DecisionStatus status) =>
        Some.Waiting().Decide(s_gate.Id, new Decision(verb, "ada", "link", Some.Time, null, shown)).Result.Status.ShouldBe(status);

    /// <summary>Whoever is turned away reads why.</summary>
    [Fact]
    public void AnswerThatIsNotTaken_SaysWhy()
    {
        var once = Some.Waiting(gate: s_gate with { Required = 2 }).Decide(s_gate.Id, Approval("ada")).Incident;

        once.Decide(s_gate.Id, Approval("ADA")).Result.ShouldBe(new(DecisionStatus.AlreadyCounted, "ADA has approved already; 1 more needed."));
        once.Decide("mitigation-7", Approval("grace")).Result.ShouldBe(new(DecisionStatus.NotFound, $"Incident {once.Id} has no gate 'mitigation-7'."));
        once.Decide(s_gate.Id, new(DecisionVerb.Approve, "grace", "link", Some.Time, null, "plan-0")).Result.Message.ShouldBe("The plan has changed since it was shown to you; nothing was approved. Open the newest message.");
        (Some.Waiting(gate: s_gate with { SeparationOfDuties = true }) with { StartedBy = "ada" }).Decide(s_gate.Id, Approval("ada")).Result.Message.ShouldBe("ada started this incident and may not be the only one to approve it.");
    }

    /// <summary>Whoever started it may not be the only one to approve it; the name by which they decide goes before the one on the incident.</summary>
    [Theory]
    [InlineData(true, 1, null, "ada", DecisionStatus.NotAllowed)]
    [InlineData(true, 1, null, "grace", DecisionStatus.Decided)]
    [InlineData(true, 1, "grace", "GRACE", DecisionStatus.NotAllowed)]
    [InlineData(true, 1, "grace", "ada", DecisionStatus.Decided)]
    [InlineData(true, 2, null, "ada", DecisionStatus.MoreNeeded)]
    [InlineData(false, 1, null, "ada", DecisionStatus.Decided)]
    public void Starter_IsNotTheOnlyOneToApprove(bool separate, int required, string? starter, string person, DecisionStatus status) =>
        (Some.Waiting(gate: s_gate with { SeparationOfDuties = separate, Required = required }) with { StartedBy = "ada" })
            .Decide(s_gate.Id, Approval(person), starter).Result.Status.ShouldBe(status);

    /// <summary>Somebody was taken out of the contacts, or has left the team that owns the runbook, since they approved.</summary>
    [Fact]
    public void ApprovalOfWhoeverMayNotDecideAnyMore_CountsNoLonger()
    {
        var asked = Some.Waiting(gate: s_gate with { Required = 6, OwnerTeam = "platform" });
        var approved = new[] { "ada", "bob", "carl", "dan", "eve" }.Aggregate(asked, (incident, person) => incident.Decide(s_gate.Id, Approval(person) with { OfOwner = true }).Incident);

        var lost = approved.LoseApprovals(s_gate.Id, Lost("ada bob", "carl"), Some.Time);

        lost.OpenGate!.Decisions.Select(decision => (decision.Person, decision.OfOwner)).ShouldBe([("carl", false), ("dan", true), ("eve", true)]);
        (lost.Timeline[^1].Who, lost.Timeline[^1].What).ShouldBe((
            "runbook", "ada and bob approved, and may not decide any more: that does not count. carl approved, but is no longer in platform, and somebody from platform has to approve."));
        Incident.LostText(approved.OpenGate!, Lost("", "carl dan")).ShouldBe("carl and dan approved, but are no longer in platform, and somebody from platform has to approve.");
        approved.LoseApprovals(s_gate.Id, Lost("", ""), Some.Time).ShouldBeSameAs(approved);

        static Func<Decision, Decision?> Lost(string gone, string left) => decision =>
            gone.Contains(decision.Person) ? null : left.Contains(decision.Person) ? decision with { OfOwner = false } : decision;
    }

    [Theory]
    [InlineData(-1, DecisionStatus.Decided)]
    [InlineData(0, DecisionStatus.AlreadyClosed)]
    public void YesAtTheVeryEnd_IsTooLate(int ticks, DecisionStatus status) =>
        Some.Waiting().Decide(s_gate.Id, Approval("ada") with { At = s_gate.ExpiresAt.AddTicks(ticks) }).Result.Status.ShouldBe(status);

    /// <summary>Silence may be about to count as a yes.</summary>
    [Theory]
    [InlineData(DecisionVerb.Reject, GateOutcome.Rejected)]
    [InlineData(DecisionVerb.TakeOver, GateOutcome.TakenOver)]
    public void NoToAQuestionThatNothingHasClosed_CountsAfterItsTime(DecisionVerb verb, GateOutcome outcome) =>
        Some.Waiting().Decide(s_gate.Id, Approval("ada") with { Verb = verb, At = s_gate.ExpiresAt.AddSeconds(1) }).Incident.LatestGate!.Outcome.ShouldBe(outcome);

    [Theory]
    [InlineData(2, false, "Your approval counts; somebody from platform, which owns the runbook, has to approve too.")]
    [InlineData(2, true, "Your approval counts; 1 more needed.")]
    [InlineData(3, false, "Your approval counts; 2 more needed, one of them from platform.")]
    public void FirstOfSeveral_IsToldWhoIsMissing(int required, bool ofOwner, string said) =>
        Some.Waiting(gate: s_gate with { Required = required, OwnerTeam = "platform" })
            .Decide(s_gate.Id, Approval("ada") with { OfOwner = ofOwner }).Result.ShouldBe(new(DecisionStatus.MoreNeeded, said));

    [Fact]
    public void HeldBack_IsOnRecordOnceForEachReason()
    {
        var once = Some.Waiting().NoteHeldBack(s_gate.Id, "ada", "The kill switch is on.", null, Some.Time);
        once.Timeline[^1].What.ShouldBe("ada wanted to approve; it was not taken. The kill switch is on.");

        once.NoteHeldBack(s_gate.Id, "ada", "The kill switch is on.", null, Some.Time.AddMinutes(1)).ShouldBeSameAs(once);
        once.NoteHeldBack(s_gate.Id, "ada", "The breaker is open.", null, Some.Time.AddMinutes(1)).Timeline.Count.ShouldBe(once.Timeline.Count + 1);
    }

    /// <summary>A window that comes again says the same words: the question waits for its end all the same.</summary>
    [Fact]
    public void HeldBackAgainByTheNextWindow_WaitsForItsEndToo()
    {
        var (first, second) = (s_gate.ExpiresAt.AddHours(2), s_gate.ExpiresAt.AddHours(26));
        var again = Some.Waiting(gate: s_gate).NoteHeldBack(s_gate.Id, "ada", "A window is open.", first, Some.Time).NoteHeldBack(s_gate.Id, "ada", "A window is open.", second, Some.Time.AddMinutes(1)).OpenGate!;

        (again.HeldBack.Count, again.ExpiresAt).ShouldBe((1, second.AddMinutes(30)));
    }

    /// <summary>Whoever is last in line has the question's own time, and not that of the window that it waited for.</summary>
    [Fact]
    public void EscalationAfterAWindow_HasTheTimeOfTheQuestion()
    {
        var held = Some.Waiting(gate: s_gate with { OnTimeout = OnTimeout.Escalate }).NoteHeldBack(s_gate.Id, "ada", "A window is open.", s_gate.ExpiresAt.AddHours(6), Some.Time);
        var due = held.OpenGate!.ExpiresAt;

        Some.Advance(held, s_gate.Id, due).Incident.OpenGate!.ExpiresAt.ShouldBe(due + (s_gate.ExpiresAt - s_gate.OpenedAt));
    }

    /// <summary>The ending does not say that nobody answered when somebody did.</summary>
    [Theory]
    [InlineData(true, "ada wanted to approve at 03:12:00 UTC, which could not be taken (The kill switch is on), and it was not approved in time after that.")]
    [InlineData(false, "It was not approved in time: ada approved, and that is not enough.")]
    public void TimeIsUpAfterAnApprovalThatDidNotDo_SaysWhoAndWhy(bool heldBack, string why)
    {
        var waiting = Some.Waiting(gate: s_gate with { Required = 2 });
        var asked = heldBack ? waiting.NoteHeldBack(s_gate.Id, "ada", "The kill switch is on.", null, Some.Time) : waiting.Decide(s_gate.Id, Approval("ada")).Incident;

        var later = Some.Advance(asked, s_gate.Id, Some.Time.AddMinutes(1)).Incident;
        later.OpenGate!.Asked.ShouldBe(heldBack ? 1 : 0);
        var expired = Some.Advance(later, s_gate.Id, later.OpenGate.ExpiresAt).Incident.FindGate(s_gate.Id)!;

        (expired.Outcome, expired.ClosedBy, GateText.Brief(expired)).ShouldBe((GateOutcome.Expired, why, "Not approved in time"));
    }

    [Fact]
    public void Checklist_IsDoneWithItsLastItem()
    {
        var waiting = Some.Waiting(gate: s_gate with { Task = new("turn", "Turn both keys.", [new("left"), new("right")]) });

        var (begun, more) = waiting.Decide(s_gate.Id, Approval("ada") with { Items = [1] });
        (more, begun.OpenGate?.Task?.Left).ShouldBe((new(DecisionStatus.MoreNeeded, "It is on record. 1 item left: right."), 1));
        var (done, decided) = begun.Decide(s_gate.Id, Approval("ada") with { Items = [2] });
        (decided.Status, done.FindGate(s_gate.Id)!.Outcome).ShouldBe((DecisionStatus.Decided, GateOutcome.Approved));
        var (given, rejected) = begun.Decide(s_gate.Id, new(DecisionVerb.Reject, "ada", "link", Some.Time, "The key broke."));
        (rejected.Status, given.FindGate(s_gate.Id)!.Outcome).ShouldBe((DecisionStatus.Decided, GateOutcome.Rejected));
    }

    private static Decision Approval(string person) => new(DecisionVerb.Approve, person, "link", Some.Time);
}
