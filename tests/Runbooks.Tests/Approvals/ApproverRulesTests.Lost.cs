using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.People;
using Some = TestKit.Some;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

/// <content>What an approval is worth when its step is about to run.</content>
public sealed partial class ApproverRulesTests
{
    [Theory]
    [InlineData("linus", true)]
    [InlineData("ada", false)]
    public void ApprovalForTheOwner_IsOneAsLongAsWhoeverGaveItIsOfTheTeam(string person, bool still)
    {
        var gate = Some.Gate() with { Approvers = ["oncall", "platform-lead"], OwnerTeam = "platform-lead" };
        var approval = new Decision(DecisionVerb.Approve, person, "console", Some.Time) { OfOwner = true };

        ApproverRules.AsOfNow(gate, approval, People.Book).ShouldBe(approval with { OfOwner = still });
        ApproverRules.AsOfNow(gate, approval with { OfOwner = false }, People.Book).ShouldBe(approval with { OfOwner = false });
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("ada", false)]
    [InlineData("linus", true)]
    public async Task ApprovalOfSomebodyWhoMayDecideNoLonger_CarriesNothing(string? person, bool lost) =>
        (await new ApprovalOffice(People.Book).Rules.FindLostAsync(ApprovedBy(person), TestContext.Current.CancellationToken) is not null).ShouldBe(lost);

    /// <summary>What has begun may finish.</summary>
    [Theory]
    [InlineData("linus", false, true, true)]
    [InlineData("linus", true, true, false)]
    [InlineData("linus", false, false, false)]
    [InlineData("ada", false, true, false)]
    public async Task LostApproval_HoldsTheStepThatHasNotBegun(string person, bool begun, bool aboutToRun, bool held)
    {
        var gate = ApprovedBy(person);
        var step = new StepRecord { Phase = Phase.Mitigation, Name = "recycle", Action = "script.act", GateId = gate.Id, StartedAt = Some.Time, Preparation = new() { PlannedEffect = "Recycle it." } };

        var violation = await new ApproversGuardrail(new ApprovalOffice(People.Book).Rules).CheckAsync(
            new(Some.Incident() with { Steps = begun ? [step] : [] }, Some.Runbook(), Phase.Mitigation, aboutToRun, gate), TestContext.Current.CancellationToken);

        (violation?.Guardrail, violation?.Severity).ShouldBe(held ? ("approvers", GuardrailSeverity.AskFirst) : (null, null));
    }

    [Fact]
    public void WhoeverHasApprovedAndMayNoLonger_ReadsThatTheyHave() => new ApprovalOffice(People.Book).Rules.WhyNoYes(
        Some.Gate() with { Approvers = ["platform-lead"], Required = 2, Decisions = [new(DecisionVerb.Approve, "ada", "link", Some.Time)] }, "ada", null, People.Book).ShouldBe("You have approved; 1 more needed.");

    private static Gate ApprovedBy(string? person) => Some.Gate() with { Outcome = GateOutcome.Approved, Decisions = person is null ? [] : [new(DecisionVerb.Approve, person, "link", Some.Time)] };
}
