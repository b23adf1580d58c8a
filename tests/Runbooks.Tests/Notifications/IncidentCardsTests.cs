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
}
