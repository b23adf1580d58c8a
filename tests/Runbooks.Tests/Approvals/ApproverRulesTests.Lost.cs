using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
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

    /// <summary>A group or a schedule that was asked as well says nothing about somebody who was asked by name.</summary>
    [Theory]
    [InlineData("group:ml")]
    [InlineData("shift")]
    public async Task ApprovalOfSomebodyTakenOutOfTheirContact_IsNotKeptByAnother(string other)
    {
        var gate = Some.Gate() with { Approvers = ["platform-lead", other], Required = 2 };
        var office = new ApprovalOffice(With(People.Linus));
        await office.Store.OpenAsync(Some.Waiting(gate: gate), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        var approval = (await DecideAsync(office, By(People.SignedIn("linus")))).Incident!.LatestGate!.Decisions.ShouldHaveSingleItem();

        ApproverRules.AsOfNow(gate, approval, With(People.Linus)).ShouldBe(approval);
        ApproverRules.AsOfNow(gate, approval, With(People.Grace)).ShouldBeNull();

        ContactBook With(Recipient lead) => new(
            [new("platform-lead", [lead]), new("group:ml", [People.Group]), new("shift", []) { Schedule = new("scripted", "s1", []) }, new(ContactBook.Fallback, [People.Ada])],
            other == "shift" ? [People.Linus] : []);
    }

    [Theory]
    [InlineData("group:ml", "stranger")]
    [InlineData("shift", "grace")]
    public async Task ApprovalByAGroupOrAShift_CountsWhileThatIsAsked(string contact, string person)
    {
        var gate = Some.Gate() with { Approvers = ["platform-lead", contact], Required = 2, OnCall = [new("shift", "m", ["grace"], "grace is on call.", Some.Time)] };
        var office = new ApprovalOffice(With(contact));
        await office.Store.OpenAsync(Some.Waiting(gate: gate), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        var approval = (await DecideAsync(office, By(People.SignedIn(person, People.GroupId)))).Incident!.LatestGate!.Decisions.ShouldHaveSingleItem();

        ApproverRules.AsOfNow(gate with { OnCall = [] }, approval, With(contact)).ShouldBe(approval);
        ApproverRules.AsOfNow(gate with { OnCall = [] }, approval, With("another")).ShouldBeNull();

        static ContactBook With(string asked) => new(
            [new("platform-lead", [People.Linus]), asked == "shift" ? new(asked, []) { Schedule = new("scripted", "s1", []) } : asked == "group:ml" ? new(asked, [People.Group]) : new(asked, []), new(ContactBook.Fallback, [People.Ada])], [People.Grace]);
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
