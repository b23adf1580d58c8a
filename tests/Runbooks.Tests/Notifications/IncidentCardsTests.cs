using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Notifications;

/// <summary>A question shows how things are now, and not how they were before the mitigation.</summary>
public sealed class IncidentCardsTests
{
    [Fact]
    public void QuestionAboutTheResolution_ShowsWhatWasDoneAndWhatTheChecksSaidLast()
    {
        var gate = Some.Gate() with { Id = "resolution-1", Phase = Phase.Resolution, OpenedAt = Some.Time.AddMinutes(5) };
        var incident = Some.Waiting(gate: gate) with
        {
            Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "x", GateId = "mitigation-1", Status = StepStatus.Done, Outcome = "Deleted pod llm-b-0.", Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = Some.Time }],
            Verification = [Some.Finding(verdict: Verdict.Passing) with { Result = CheckResult.Passing("GPU memory is at 41 %."), At = Some.Time.AddMinutes(4) }],
        };

        var card = new ApprovalOffice().Cards.Approval(incident, Some.Runbook(), gate, "ada", CardKind.ApprovalRequest);

        card.Sections.Single(section => section.Heading == "What was done so far").Lines.ShouldBe(["recycle: Deleted pod llm-b-0."]);
        card.Sections.Single(section => section.Heading == "What was found first, at 03:12:00 UTC").Lines.ShouldBe(["✗ Is the GPU memory full? GPU memory is at 98 %."]);
        card.Sections.Single(section => section.Heading == "What the checks said last, at 03:16:00 UTC").Lines.ShouldBe(["✓ Is the GPU memory full? GPU memory is at 41 %."]);
    }

    /// <summary>Whoever is woken is not told that users fail who were helped an hour ago.</summary>
    [Fact]
    public void PageAfterAVerifiedFix_SaysWhatItMeantBefore()
    {
        var fixedOne = Some.Incident() with
        {
            State = IncidentState.Failed,
            Findings = [Some.Finding()],
            Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "x", GateId = "mitigation-1", Status = StepStatus.Done, Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = Some.Time }],
            Verification = [Some.Finding(verdict: Verdict.Passing)],
            VerificationRounds = [new(IncidentState.Verifying, Some.Time.AddMinutes(4), new Dictionary<string, Verdict> { [Some.Finding().Name] = Verdict.Passing }, 1)],
        };

        Headings(fixedOne).ShouldContain("What it meant before the fix");
        Headings(fixedOne).ShouldNotContain("What it means");
        Headings(fixedOne with { Verification = [Some.Finding()] }).ShouldContain("What it means");
        Headings(fixedOne with { Steps = [fixedOne.Steps[0] with { Status = StepStatus.Undone, UndoneFrom = StepStatus.Done }] }).ShouldContain("What it means");

        IEnumerable<string> Headings(Incident incident) =>
            new ApprovalOffice().Cards.Page(incident, Some.Runbook(), "It did not finish.", Some.Time).Sections.Select(section => section.Heading);
    }

    /// <summary>An instruction is a paragraph, and the end of the work would stand behind its last sentence.</summary>
    [Fact]
    public void PageAfterWorkByHand_NamesItsStep()
    {
        var gate = Some.Gate() with { Id = "mitigation-inspect", Question = "Look at the node. When one does not ho…", Task = new("inspect", "Look at the node.", []) };
        var incident = Some.Waiting(gate: gate)
            .RecordDeliveries([new($"{gate.MessageKey}:ada", "ada", "test", Some.Time, null)])
            .Decide(gate.Id, new(DecisionVerb.Reject, "ben", "link", Some.Time, "no spare node")).Incident;

        new ApprovalOffice().Cards.Page(incident, Some.Runbook(), "It failed.", Some.Time).Sections.Single(section => section.Heading == "What was tried").Lines[0]
            .ShouldBe("Asked oncall: Do 'inspect' by hand. ben could not do this at 03:12:00 UTC.");
    }

    /// <summary>On a locked phone it would look like the first question, which somebody may have answered.</summary>
    [Fact]
    public void QuestionThatIsAskedAgain_SaysSoAndWhyFirst()
    {
        var before = Some.Gate() with { Outcome = GateOutcome.Approved, ClosedAt = Some.Time.AddMinutes(1) };
        var card = Again(before);

        card.Title.ShouldBe("Asked again: Recycle pod llm-b-0?");
        (card.Sections[0].Heading, card.Sections[0].Lines.ShouldHaveSingleItem()).ShouldBe(("Why it is asked now", "The checks no longer call for it."));

        Again(before with { ClosedAt = before.OpenedAt }).Title.ShouldBe("Recycle pod llm-b-0?", "nobody was asked before");
        Again(before with { Phase = Phase.Resolution }).Title.ShouldBe("Recycle pod llm-b-0?", "that was another question");
        Again(before with { Task = new("inspect", "Look.", []) }).Title.ShouldBe("Recycle pod llm-b-0?", "that was work by hand");

        static Card Again(Gate before)
        {
            var gate = Some.Gate(round: 2) with { Difference = "The checks no longer call for it." };
            return new ApprovalOffice().Cards.Approval(Some.Incident() with { Gates = [before, gate] }, Some.Runbook(), gate, "ben", CardKind.ApprovalRequest);
        }
    }

    /// <summary>Whoever is woken by an escalation wants to know whether anybody is on it.</summary>
    [Theory]
    [InlineData(CardKind.ApprovalRequest, null)]
    [InlineData(CardKind.Reminder, "Asked: oncall, platform-lead; first at 03:12:00 UTC. Nobody has answered yet.")]
    [InlineData(CardKind.Escalation, "Asked: oncall, platform-lead; first at 03:12:00 UTC. Nobody has answered yet.")]
    public void LaterMessage_SaysWhoIsAskedSinceWhen(CardKind kind, string? said) =>
        (Approval(Some.Gate() with { Approvers = ["oncall", "platform-lead"] }, kind).Sections.SingleOrDefault(section => section.Heading == "Who is asked")?.Lines[0]).ShouldBe(said);

    /// <summary>Whoever is asked in place of others has to know that the others have not heard of it.</summary>
    [Theory]
    [InlineData(CardKind.Reminder, false)]
    [InlineData(CardKind.Escalation, false)]
    [InlineData(CardKind.Escalation, true)]
    public void LaterMessage_SaysThatNobodyWasReached(CardKind kind, bool byHand)
    {
        var gate = Some.Gate() with { Approvers = ["oncall", "fallback"], Task = byHand ? new("inspect", "Look at the node.", []) : null };
        var unheard = Some.Waiting(gate: gate).RecordDeliveries([new($"{gate.MessageKey}:oncall", "oncall", null, Some.Time, "It is down.")]);
        Asked(unheard).ShouldBe(["No message about this question has reached anybody so far."]);

        var heard = unheard.RecordDeliveries([new($"{gate.MessageKey}:fallback", "fallback", "test", Some.Time, null)]);
        Asked(heard).ShouldBe(["Asked: oncall, fallback; first at 03:12:00 UTC. Nobody has answered yet."]);

        IReadOnlyList<string> Asked(Incident incident) =>
            new ApprovalOffice().Cards.Approval(incident, Some.Runbook(), gate, "ben", kind).Sections.Single(section => section.Heading == "Who is asked").Lines;
    }

    private static Card Approval(Gate gate, CardKind kind) => new ApprovalOffice().Cards.Approval(Some.Waiting(gate: gate), Some.Runbook(), gate, "ben", kind);

    [Fact]
    public void YesThatWasNotTaken_IsOnTheCardThenAndWhenItIsAskedAgain()
    {
        const string Why = "The kill switch is on.";
        var gate = Some.Gate() with { Reminders = [new(Some.Time.AddMinutes(10), [])] };
        var held = Some.Waiting(gate: gate).NoteHeldBack(gate.Id, "ada", Why, until: null, Some.Time.AddMinutes(2));
        Lines(held, "Warning").ShouldBe([$"When this was last looked at, nothing could run, and no yes is taken while that lasts: {Why}"]);
        Lines(held, "Why it is asked now").ShouldBeEmpty();

        var (released, due) = Some.Advance(held, gate.Id, Some.Time.AddMinutes(3));
        due.ShouldBe(CardKind.Reminder);
        var again = ApprovalSchedule.NoteWhetherItRuns(released, gate.Id, why: null, Some.Time.AddMinutes(3));

        Lines(again, "Warning").ShouldBeEmpty();
        Lines(again, "Why it is asked now").ShouldBe(
            ["Nothing could run for a time; now something can. ada's yes of 03:14:00 UTC was not taken and has to be given again."]);

        Lines(Some.Advance(again, gate.Id, Some.Time.AddMinutes(10)).Incident, "Why it is asked now").ShouldBe(
            ["ada's yes of 03:14:00 UTC was not taken and has to be given again."], "a later reminder has no more to tell");

        static IReadOnlyList<string> Lines(Incident incident, string heading) =>
            new ApprovalOffice().Cards.Approval(incident, Some.Runbook(), incident.OpenGate!, "ben", CardKind.Reminder).Sections
                .FirstOrDefault(section => section.Heading == heading)?.Lines ?? [];
    }

    [Fact]
    public void CardAsText_IsItsKindAndTitle() =>
        $"{new ApprovalOffice().Cards.Approval(Some.Waiting(), Some.Runbook(), Some.Gate(), "ada", CardKind.ApprovalRequest) with { Title = "Fix it?" }}".ShouldBe("ApprovalRequest: Fix it?");

    /// <summary>Whoever is asked has to know that no alert opened it, who did, and why.</summary>
    [Fact]
    public void QuestionOfAStartByHand_SaysWhoStartedItAndWhy()
    {
        var gate = Some.Gate();
        var byHand = Some.Waiting(gate: gate) with { StartedBy = "ada", Alert = Some.Alert() with { Source = "manual", Summary = "Started by ada: customers report it" } };
        var again = (Some.Incident() with { StartedBy = "grace" }).TryAgain(Some.Incident("261123-0311-aaaaaaaa"), true, "grace", "the node is back", Some.Time);

        Began(byHand).ShouldBe(["Started by ada: customers report it"]);
        Began(again).ShouldBe(["grace had incident 261123-0311-aaaaaaaa tried again: the node is back"]);
        Began(Some.Waiting(gate: gate)).ShouldBeEmpty();

        IReadOnlyList<string> Began(Incident incident) => new ApprovalOffice().Cards.Approval(incident, Some.Runbook(), gate, "ada", CardKind.ApprovalRequest).Sections.FirstOrDefault(section => section.Heading == "How it began")?.Lines ?? [];
    }

    [Fact]
    public void QuestionThatAnAssistantProposed_WarnsOfItWithItsReason()
    {
        var runbook = TestKit.Incidents.Given.Runbook();
        var incident = TestKit.Incidents.Given.Incident(runbook) with { IsProposed = true, StartedBy = "bot", Alert = Some.Alert() with { Source = "manual", Summary = "Proposed by bot: the log says so" } };

        var gate = Make(incident);

        gate.Warnings.ShouldBe(["No alert opened this. Proposed by bot: the log says so"]);
        new ApprovalOffice().Cards.Approval(incident, runbook, gate, "ada", CardKind.ApprovalRequest).Sections.Single(section => section.Heading == "Warning").Lines.ShouldBe(gate.Warnings);
        Make(incident with { Alert = Some.Alert() }).Warnings.ShouldBeEmpty("an alert fires by now");

        Gate Make(Incident about) => ApprovalGateFactory.Make(
            about, runbook, new OpenGateRequest(about.Id, Phase.Mitigation, 1, [], Unclear: false, Difference: null, "wake-1"), Some.Gate().Plan, [], Some.Time);
    }
}
