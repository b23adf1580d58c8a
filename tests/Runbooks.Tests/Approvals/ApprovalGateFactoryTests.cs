using System.Text.Json;
using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Approvals;

/// <summary>What a new question says, whom it asks, and when nobody is asked.</summary>
public sealed class ApprovalGateFactoryTests
{
    private static readonly DateTimeOffset s_now = Given.Night.AddMinutes(1);
    private static readonly Runbook s_asks = Given.Runbook();
    private static readonly Runbook s_heals = With(null);
    private static readonly Incident s_incident = Given.Incident(s_asks);
    private static readonly EarlierTry s_tried = new("i-0", Given.Night, []);
    private static readonly Plan s_plan = new("plan-1", [Planned()]);
    private static readonly Plan s_tells = new("plan-1", [Planned() with { TellsOnly = true }]);
    private static readonly GuardrailViolation s_warning = new("window", "Look out.", GuardrailSeverity.AskFirst);
    private static readonly GuardrailViolation s_pause = new("killSwitch", "Everything is paused.", GuardrailSeverity.Forbid) { IsLiftedByPeople = true };
    private static readonly GuardrailViolation s_record = new("efficacy", "Worked in 1 of 1 run.", GuardrailSeverity.Tell);

    [Fact]
    public void Question_IsAsTheRunbookSays()
    {
        var gate = Make(s_asks);

        (gate.Id, gate.Phase, gate.Round, gate.Outcome, gate.Plan).ShouldBe(("mitigation-1", Phase.Mitigation, 1, GateOutcome.Pending, s_plan));
        (gate.Question, gate.Required, gate.SeparationOfDuties, gate.OwnerTeam, gate.Fallback).ShouldBe(("Fix llm-b-0?", 1, false, null, null));
        gate.Approvers.ShouldBe(["oncall"]);
        (gate.OpenedAt, gate.ExpiresAt).ShouldBe((s_now, s_now.AddMinutes(20)));
        gate.Reminders.Select(reminder => (reminder.At - s_now).TotalMinutes).ShouldBe([5, 10, 10, 15]);
        (gate.Warnings.Count, gate.TrackRecord, gate.Overrules.Count, gate.Difference).ShouldBe((0, null, 0, null));
    }

    [Fact]
    public void OwnerWhoHasToSayYes_IsAskedAsWell()
    {
        var gate = Make(With(Given.Approval() with { From = ["oncall", "ml"], OwnerRequired = true, Required = 2, SeparationOfDuties = true }) with { Owner = "lead", Fallback = "ml.fallback" });
        var named = Make(With(Given.Approval() with { From = ["oncall", "ML"], OwnerRequired = true }) with { Owner = "ml" });

        gate.Approvers.ShouldBe(["oncall", "ml", "lead"]);
        named.Approvers.ShouldBe(["oncall", "ML"]);
        (gate.OwnerTeam, gate.Required, gate.SeparationOfDuties, gate.Fallback).ShouldBe(("lead", 2, true, "ml.fallback"));
        Make(With(Given.Approval()) with { Owner = "lead" }).OwnerTeam.ShouldBeNull();
    }

    /// <summary>A runbook that heals by itself names nobody: its team's last contact is asked.</summary>
    [Fact]
    public void SelfHealingThatHasToAsk_AsksItsLastContact()
    {
        var gate = Make(s_heals with { Fallback = "ml.fallback" }, violations: [s_warning]);

        (gate.Question, gate.Outcome).ShouldBe(("Run this self-healing runbook on inference/llm-b-0?", GateOutcome.Pending));
        gate.Approvers.ShouldBe(["ml.fallback"]);
        Make(s_heals, plan: new("plan-1", [Planned() with { Action = "person" }]), unclear: true).Question.ShouldBe("Ask people to do this by hand for inference/llm-b-0?");
        Make(s_heals, s_incident with { IsProposed = true }, s_tells).Question.ShouldBe("Tell of inference/llm-b-0, and change nothing?");
    }

    [Fact]
    public void ResolutionThatHasToAskAfterAll_AsksWhoeverApprovedTheMitigation()
    {
        var gate = Make(With(Given.Approval() with { OnTimeout = OnTimeout.Escalate }), phase: Phase.Resolution, difference: "The ticket is another.");

        (gate.Id, gate.Question, gate.OnTimeout, gate.Difference).ShouldBe(("resolution-1", "Run the resolution on inference/llm-b-0?", OnTimeout.Abort, "The ticket is another."));
        gate.Approvers.ShouldBe(["oncall"]);
        Make(s_heals, phase: Phase.Resolution, difference: "The ticket is another.").Question.ShouldBe("Run this self-healing runbook on inference/llm-b-0?");
    }

    /// <summary>To tell needs nobody's yes, unless nobody who answers for it started it.</summary>
    [Theory]
    [InlineData("nothing", false, false)]
    [InlineData("what it did before", false, false)]
    [InlineData("an assistant proposed it", true, true)]
    [InlineData("the checks say too little", true, false)]
    [InlineData("the checks say too little of the sender's word", true, false)]
    [InlineData("the checks agree with the sender while it flaps", false, false)]
    [InlineData("what the steps need is not there", true, false)]
    [InlineData("the plan is another", true, false)]
    [InlineData("a person said no before", true, false)]
    [InlineData("the same failed lately", true, false)]
    [InlineData("the same failed lately, and a person had it tried again", false, false)]
    [InlineData("the system asks always", true, false)]
    [InlineData("a guardrail asks", true, false)]
    [InlineData("a person holds everything", true, false)]
    public void RunbookThatHealsByItself_AsksWhereSomethingSpeaksAgainstIt(string what, bool asks, bool asksToTell)
    {
        Of(s_plan).Outcome.ShouldBe(asks ? GateOutcome.Pending : GateOutcome.Approved);
        Of(s_tells).Outcome.ShouldBe(asksToTell ? GateOutcome.Pending : GateOutcome.Approved);

        Gate Of(Plan plan) => what switch
        {
            "an assistant proposed it" => Make(s_heals, s_incident with { IsProposed = true }, plan),
            "the checks say too little" => Make(s_heals, plan: plan, unclear: true),
            "the checks say too little of the sender's word" => Make(s_heals, Over(RecoveryAnswer.Unclear), plan),
            "the checks agree with the sender while it flaps" => Make(s_heals, Over(RecoveryAnswer.StillFailing), plan),
            "what the steps need is not there" => Make(s_heals with { Mitigation = s_heals.Mitigation with { Needs = ["full"] } }, s_incident with { Findings = [Answer("full", Verdict.Unknown)] }, plan),
            "the plan is another" => Make(s_heals, plan: plan, difference: "Another pod."),
            "a person said no before" => Make(s_heals, s_incident with { EarlierNo = new("i-0", "ada", "rejected", Given.Night, null) }, plan),
            "the same failed lately" => Make(s_heals, s_incident with { Tried = s_tried }, plan),
            "the same failed lately, and a person had it tried again" => Make(s_heals, s_incident with { Tried = s_tried, RetryOf = "i-0" }, plan),
            "the system asks always" => Make(s_heals, s_incident with { Mode = RunMode.ApproveAll }, plan),
            "a guardrail asks" => Make(s_heals, plan: plan, violations: [s_record, s_warning]),
            "a person holds everything" => Make(s_heals, plan: plan, violations: [s_record, s_pause]),
            "what it did before" => Make(s_heals, s_incident with { Follows = "i-0" }, plan, violations: [s_record]),
            _ => Make(s_heals, plan: plan),
        };
    }

    [Fact]
    public void Warnings_AreAllThatSpeaksAgainstIt()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { Needs = ["spare"] } };
        var incident = s_incident with
        {
            IsProposed = true,
            Alert = s_incident.Alert with { Source = "manual", Summary = new string('x', 600) },
            EarlierNo = new("i-0", "ada", "rejected", Given.Night, null),
            Follows = "i-1",
            Tried = s_tried with { Left = ["fix: Add two pods.", "flag: Set it"] },
            Findings = [Answer("stuck", Verdict.Unknown), Answer("spare", Verdict.Failing)],
            Steps = [Step("say", tells: true), Step("fix"), Step("done") with { FinishedAt = s_now }],
        };
        var gate = Make(
            runbook with { Mitigation = runbook.Mitigation with { When = new(Quantifier.Any, ["stuck"]) } }, incident, s_plan with { LaterBlocker = "The ticket has no project." }, unclear: true,
            violations: [s_record, s_warning, s_pause]);

        gate.Warnings.ShouldBe([
            $"No alert opened this. {new string('x', 499)}…",
            "The last decision on this target was a no: incident i-0 was rejected by ada on 2026-11-23 at 03:00:00 UTC.",
            "The last fix did not hold: incident i-1 on this target was resolved before this.",
            "Incident i-0 tried the same on this target and failed. It had left in place: fix: Add two pods. flag: Set it.",
            "Look out.",
            "What the steps rely on does not pass. spare: failing (It is so.)",
            "Step 'fix' has begun, and may be half done.",
            "Not every check could be answered, and none of the answered ones failed.",
            "The ticket has no project."]);
        gate.AllWarnings[0].ShouldBe("When this was last looked at, nothing could run, and no yes is taken while that lasts: Everything is paused.");
        gate.TrackRecord.ShouldBe("Worked in 1 of 1 run.");
        gate.Overrules.ShouldBe(["window"]);
    }

    [Fact]
    public void Warnings_NameNothingThatIsNotSo()
    {
        Make(s_asks, s_incident with { IsProposed = true }).Warnings.ShouldBeEmpty("an alert opened it");
        Make(s_asks, s_incident with { Alert = s_incident.Alert with { Source = "manual" } }).Warnings.ShouldBeEmpty("a person started it");
        Make(s_asks, s_incident with { IsProposed = true, Alert = s_incident.Alert with { Source = "manual", Summary = null } }).Warnings.ShouldBe(["No alert opened this. "]);
        Make(s_asks, s_incident with { Findings = [Answer("stuck", Verdict.Failing)] }, unclear: true).Warnings.ShouldBeEmpty("the checks were asked again and call for it");
        Make(s_asks, s_incident with { Findings = [Answer("stuck", Verdict.Unknown)] }).Warnings.ShouldBeEmpty("it was asked about this before");
        Make(s_asks, plan: s_tells, violations: [s_warning, s_pause]).Warnings.ShouldBeEmpty("to tell is not to act");
    }

    /// <summary>Silence overrules no warning; to tell, none speaks against it.</summary>
    [Theory]
    [InlineData(OnTimeout.ProceedIfReversible, false, false, false, OnTimeout.ProceedIfReversible)]
    [InlineData(OnTimeout.ProceedIfReversible, true, false, false, OnTimeout.Abort)]
    [InlineData(OnTimeout.ProceedIfReversible, false, true, false, OnTimeout.Abort)]
    [InlineData(OnTimeout.ProceedIfReversible, true, false, true, OnTimeout.ProceedIfReversible)]
    [InlineData(OnTimeout.ProceedIfReversible, false, true, true, OnTimeout.ProceedIfReversible)]
    [InlineData(OnTimeout.Escalate, true, true, false, OnTimeout.Escalate)]
    public void SilenceIsAYes_OnlyWhereNothingSpeaksAgainstIt(OnTimeout says, bool follows, bool differs, bool tells, OnTimeout expected) =>
        Make(With(Given.Approval() with { OnTimeout = says }), s_incident with { Follows = follows ? "i-0" : null }, tells ? s_tells : s_plan, difference: differs ? "Another pod." : null).OnTimeout.ShouldBe(expected);

    [Fact]
    public void LongQuestion_IsCut() => Make(With(Given.Approval() with { Ask = new string('x', 400) })).Question.Length.ShouldBe(300);

    /// <summary>The strictest counts, and not what a person lifts again.</summary>
    [Theory]
    [InlineData(GuardrailSeverity.Tell, GateOutcome.Pending)]
    [InlineData(GuardrailSeverity.AskFirst, GateOutcome.Pending)]
    [InlineData(GuardrailSeverity.DiagnoseOnly, GateOutcome.DiagnosedOnly)]
    [InlineData(GuardrailSeverity.Suppress, GateOutcome.Suppressed)]
    [InlineData(GuardrailSeverity.Forbid, GateOutcome.Refused)]
    public void WhatForbidsIt_ClosesTheQuestionFromTheStart(GuardrailSeverity severity, GateOutcome outcome)
    {
        var gate = Make(s_asks, violations: [s_record, s_pause, new("limits", "Too often.", severity), s_warning]);

        (gate.Outcome, gate.ClosedBy, gate.ClosedAt).ShouldBe(outcome == GateOutcome.Pending ? (outcome, null, null) : (outcome, "Too often.", s_now));
    }

    [Fact]
    public void WhoIsToldTooOften_IsNotAskedWhetherTheyWantToHearItAgain()
    {
        GuardrailViolation often = new("limits", "Too often.", GuardrailSeverity.AskFirst);
        var gate = Make(s_asks, plan: s_tells, violations: [s_warning, often]);

        (gate.Outcome, gate.ClosedBy).ShouldBe((GateOutcome.Suppressed, "Too often."));
        Make(s_asks, plan: s_tells, violations: [s_warning]).Outcome.ShouldBe(GateOutcome.Pending);
        Make(s_asks, violations: [often]).Outcome.ShouldBe(GateOutcome.Pending);
    }

    [Fact]
    public void PlanThatCannotRun_IsRefused() =>
        Make(s_asks, plan: s_plan with { Blocker = "There is no pod." }).ShouldSatisfyAllConditions(
            gate => gate.Outcome.ShouldBe(GateOutcome.Refused),
            gate => gate.ClosedBy.ShouldBe("It cannot run as things are. There is no pod."));

    [Fact]
    public void WhatIsOver_IsAskedOfNobody()
    {
        var over = Over(RecoveryAnswer.Confirmed);

        Make(s_asks, over, violations: [new("limits", "Too often.", GuardrailSeverity.Forbid)]).ShouldSatisfyAllConditions(
            gate => gate.Outcome.ShouldBe(GateOutcome.SelfRecovered),
            gate => gate.ClosedBy.ShouldBe("The alert was resolved before anybody was asked, and the checks no longer call for the mitigation."));
        Make(s_asks, over with { Stop = new("ada", "enough", s_now) }).ShouldSatisfyAllConditions(
            gate => gate.Outcome.ShouldBe(GateOutcome.Cancelled),
            gate => gate.ClosedBy.ShouldBe("ada stopped the incident: enough"));
    }

    /// <summary>Asked again since what was approved had grown old, and by then the checks call for nothing.</summary>
    [Theory]
    [InlineData("as it is", true)]
    [InlineData("people are asked anyway", false)]
    [InlineData("first round", false)]
    [InlineData("resolution", false)]
    [InlineData("not asked again", false)]
    [InlineData("acted", false)]
    [InlineData("no checks", false)]
    [InlineData("a person spoke", false)]
    [InlineData("checks fail", false)]
    [InlineData("measured before the alert", false)]
    public void ChecksThatWereAskedAgainAndCallForNothing_EndIt(string what, bool ends)
    {
        var before = Make(s_heals) with { Outcome = GateOutcome.Approved };
        var again = s_incident with { Findings = [Answer("stuck", Verdict.Passing)], ConfirmedAt = s_now, Gates = [before, before with { Id = "other" }] };
        var gate = what switch
        {
            "people are asked anyway" => Make(s_asks, again, round: 2, difference: "They pass."),
            "first round" => Make(s_heals, again),
            "resolution" => Make(s_heals, again, phase: Phase.Resolution, round: 2, difference: "Another."),
            "not asked again" => Make(s_heals, again with { ConfirmedAt = null }, round: 2),
            "acted" => Make(s_heals, again with { Steps = [Step("fix")] }, round: 2),
            "no checks" => Make(s_heals, again with { Findings = [] }, round: 2),
            "a person spoke" => Make(s_heals, again with { Gates = [before, before with { Id = "other", Decisions = [new(DecisionVerb.Approve, "ada", "api", s_now)] }] }, round: 2),
            "checks fail" => Make(s_heals, again with { Findings = [Answer("stuck", Verdict.Failing)] }, round: 2),
            "measured before the alert" => Make(s_heals, again with { Findings = [Answer("stuck", Verdict.Passing, measured: Given.Night.AddMinutes(-1))] }, round: 2),
            _ => Make(s_heals, again, round: 2),
        };

        gate.Outcome.ShouldBe(ends ? GateOutcome.SelfRecovered : what is "people are asked anyway" or "resolution" ? GateOutcome.Pending : GateOutcome.Approved);
        (gate.ClosedBy?.StartsWith("Before anything was done the checks were asked again, and they no longer call for it. The sender has not said", StringComparison.Ordinal) == true).ShouldBe(ends);
    }

    [Theory]
    [InlineData(Phase.Mitigation, 2, null, true)]
    [InlineData(Phase.Resolution, 1, null, true)]
    [InlineData(Phase.Mitigation, 2, "fix", false)]
    [InlineData(Phase.Mitigation, 2, "refused", true)]
    [InlineData(Phase.Mitigation, 2, "tell", true)]
    [InlineData(Phase.Resolution, 1, "tell", false)]
    [InlineData(Phase.Mitigation, 1, null, false)]
    public void QuestionThatIsAskedAgain_KnowsWhetherAnythingWasDone(Phase phase, int round, string? step, bool isBefore) =>
        Make(s_asks, s_incident with { Steps = step is null ? [] : [Step(step, tells: step == "tell") with { Phase = phase, NothingDone = step == "refused" }] }, phase: phase, round: round, difference: round > 1 || phase == Phase.Resolution ? "They pass." : null)
            .IsBeforeFirstStep.ShouldBe(isBefore);

    [Theory]
    [InlineData(false, "This runbook heals by itself; nobody had to be asked.", "act")]
    [InlineData(false, "This runbook heals by itself; nobody had to be asked.")]
    [InlineData(false, "This runbook heals by itself; nobody had to be asked.", "act", "person")]
    [InlineData(false, "This runbook only tells; nobody had to be asked.", "tell")]
    [InlineData(false, "Its steps are done by people, who are asked for each; nobody had to be asked before.", "person")]
    [InlineData(false, "Its steps are done by people, who are asked for each; nobody had to be asked before.", "tell", "person")]
    [InlineData(true, "Nobody has to be asked about the mitigation; the resolution asks for itself.", "act")]
    [InlineData(true, "Nothing is done before the resolution; the resolution asks for itself.")]
    public void WhyNobodyWasAsked_IsSaid(bool resolutionAsks, string why, params string[] steps)
    {
        var plan = new Plan("plan-1", [.. steps.Select(step => Planned(step == "person" ? BuiltInSteps.Person : "script.act") with { TellsOnly = step == "tell" })]);

        var gate = Make(s_heals with { Resolution = s_heals.Resolution with { Approval = resolutionAsks ? Given.Approval() : null } }, plan: plan);

        (gate.Outcome, gate.ClosedBy).ShouldBe((GateOutcome.Approved, why));
    }

    [Fact]
    public void ResolutionOfASelfHealingRunbook_IsSaidToHealByItself() =>
        Make(s_heals, phase: Phase.Resolution).ClosedBy.ShouldBe("This runbook heals by itself; nobody had to be asked.");

    private static Gate Make(
        Runbook runbook, Incident? incident = null, Plan? plan = null, Phase phase = Phase.Mitigation, int round = 1, bool unclear = false, string? difference = null, params GuardrailViolation[] violations) =>
        ApprovalGateFactory.Make(incident ?? s_incident, runbook, new(s_incident.Id, phase, round, [], unclear, difference, "wake-1"), plan ?? s_plan, violations, s_now);

    private static Runbook With(Approval? approval) => s_asks with { Mitigation = s_asks.Mitigation with { Approval = approval } };

    /// <summary>The sender says that it is over, and the checks were asked about that.</summary>
    private static Incident Over(RecoveryAnswer answer) => s_incident with { AlertResolvedAt = s_now, Recovery = new(s_now, s_now, answer) };

    private static PlannedStep Planned(string action = "script.act") => new(Phase.Mitigation, "fix", action, JsonSerializer.SerializeToElement(new { }), "Do fix.", "Undo fix.", null);

    private static Finding Answer(string name, Verdict verdict, DateTimeOffset? measured = null) => new(name, "Is it so?", new(verdict, "It is so.") { MeasuredAt = measured }, s_now, TimeSpan.Zero);

    private static StepRecord Step(string name, bool tells = false) => new()
    {
        Phase = Phase.Mitigation, Name = name, Action = "script.act", GateId = "mitigation-1", StartedAt = s_now, Preparation = new() { PlannedEffect = "Do fix.", TellsOnly = tells },
    };
}
