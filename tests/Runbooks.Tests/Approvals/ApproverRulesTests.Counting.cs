using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;
using TestKit.People;
using Some = TestKit.Some;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

/// <content>Who counts as another person, where more than one has to agree.</content>
public sealed partial class ApproverRulesTests
{
    [Fact]
    public async Task MemberOfAGroup_IsOnePersonUnderANewName()
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = ["group:ml"], Required = 2 });
        var kay = People.SignedIn("kay", People.GroupId);
        await DecideAsync(office, By(kay));

        (await DecideAsync(office, By(kay with { Name = "Kay, renamed" }))).Result.Status.ShouldBe(DecisionStatus.AlreadyCounted);
        (await DecideAsync(office, By(People.SignedIn("lee", People.GroupId)))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    /// <summary>She presses in Slack, and signs in as a member of the group: the contacts cannot tell that it is one person.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MemberWhomTheContactsDoNotKnow_IsNoSecondPersonBesideOneWithoutAnObjectId(bool slackFirst)
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = ["oncall", "group:ml"], Required = 2 });
        office.Contacts.Replace(WithoutObjectIdOfAda());
        DecisionRequest[] both = [new(DecisionVerb.Approve, "ada", "slack"), By(People.SignedIn("kay", People.GroupId), "group:ml")];
        (await DecideAsync(office, both[slackFirst ? 0 : 1])).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);

        var second = await DecideAsync(office, both[slackFirst ? 1 : 0]);

        second.Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        second.Result.Message.ShouldBe(
            $"{(slackFirst ? "kay by name and ada" : "ada and kay by name")}, who has approved, may be one person: the contacts have no object id of ada, so nobody can tell."
            + " Somebody else has to approve, or ada gets an object id ('signIn') in the contacts.");
        office.Rules.WhyNoYes(office.Store.All[0].OpenGate!, "group:ml", People.SignedIn("lee", People.GroupId), office.Contacts.Book).ShouldBe(slackFirst ? second.Result.Message.Replace("kay", "lee", StringComparison.Ordinal) : null);
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "grace", "slack"))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Theory]
    [InlineData("ada", DecisionStatus.NotAllowed)]
    [InlineData("grace", DecisionStatus.Decided)]
    public async Task MemberWhomTheContactsDoNotKnow_MayBeWhoStartedIt(string starter, DecisionStatus status)
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = ["group:ml"], SeparationOfDuties = true, Starter = starter }, startedBy: starter);
        office.Contacts.Replace(WithoutObjectIdOfAda());

        var yes = await DecideAsync(office, By(People.SignedIn("kay", People.GroupId), "group:ml"));

        yes.Result.Status.ShouldBe(status);
        yes.Result.Message.Contains($"kay by name and {starter}, who started it, may be one person", StringComparison.Ordinal).ShouldBe(status == DecisionStatus.NotAllowed);
    }

    [Fact]
    public async Task MemberWhoMayBeWhoStartedIt_MaySayNo()
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = ["group:ml"], SeparationOfDuties = true, Starter = "ada" }, startedBy: "ada");
        office.Contacts.Replace(WithoutObjectIdOfAda());

        (await DecideAsync(office, By(People.SignedIn("kay", People.GroupId), "group:ml") with { Verb = DecisionVerb.Reject })).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    /// <summary>A sign-in is worth what it proved: who somebody was, and which of the groups that are asked they were in.</summary>
    [Theory]
    [InlineData("ada", true, "oncall", true)]
    [InlineData("ada", true, "platform-lead", false)]
    [InlineData("ada", false, "group:ml", false)]
    [InlineData("kay", true, "group:ml", true)]
    [InlineData("kay", false, "group:ml", false)]
    [InlineData("kay", true, "oncall", false)]
    [InlineData("kay", true, "mixed", true)]
    [InlineData("kay", true, "oncall group:ml", true)]
    public void ApprovalSinceTheContactsChanged_CountsAsLongAsTheyStillAskWhoGaveIt(string person, bool signedIn, string asked, bool counts)
    {
        var approval = new Decision(DecisionVerb.Approve, person, "console", Some.Time) { Identity = signedIn ? People.SignedIn(person).Id : null };
        var book = People.Book.With([new("mixed", [People.Grace, People.Group])]);

        ApproverRules.AsOfNow(Some.Gate() with { Approvers = asked.Split(' ') }, approval, book).ShouldBe(counts ? approval : null);
    }

    private static ContactBook WithoutObjectIdOfAda() => new(
        [new("oncall", [People.Ada with { Identities = [Identity.Slack("U0ADA")] }, People.Grace]), new("group:ml", [People.Group]), new(ContactBook.Fallback, [People.Linus])]);

    [Fact]
    public async Task OwnersTeamThatIsRequired_HasToAgreeHoweverManyOthersDo()
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = ["oncall", "platform-lead"], OwnerTeam = "platform-lead" });

        var first = await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada", "slack"));
        first.Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        first.Result.Message.ShouldContain("somebody from platform-lead");
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "grace", "slack"))).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "linus", "slack"))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Theory]
    [InlineData(2, false, DecisionVerb.Approve, DecisionStatus.NotAllowed)]
    [InlineData(1, true, DecisionVerb.Approve, DecisionStatus.NotAllowed)]
    [InlineData(1, false, DecisionVerb.Approve, DecisionStatus.Decided)]
    [InlineData(2, true, DecisionVerb.Reject, DecisionStatus.Decided)]
    public async Task LinkOfARoom_ProvesNobodyWherePeopleAreCounted(int required, bool separate, DecisionVerb verb, DecisionStatus status) =>
        (await DecideAsync(
            Some.Gate() with { Approvers = ["room"], Required = required, SeparationOfDuties = separate },
            new DecisionRequest(verb, "ops-room", "link") { LinkOf = "ops-room" })).Result.Status.ShouldBe(status);

    [Theory]
    [InlineData("the API key's holder", 2)]
    [InlineData("ops-room", 2)]
    [InlineData("ada@example.com", 1)]
    [InlineData(null, 1)]
    public void StartedBySomebodyUnknown_TakesTwoPeople(string? startedBy, int required)
    {
        var gate = new ApprovalOffice(People.Book).Rules.Separate(Some.Gate() with { SeparationOfDuties = true }, startedBy);

        gate.Required.ShouldBe(required);
        gate.Warnings.Count.ShouldBe(required - 1);
        gate.Starter.ShouldBe(startedBy is not null && required == 1 ? "ada" : null);
    }

    [Fact]
    public void StartedInPractice_WhoeverSaysANameIsAPerson()
    {
        var gate = Some.Gate() with { SeparationOfDuties = true };

        new ApprovalOffice().Rules.Separate(gate, "anybody").ShouldBe(gate with { Starter = "anybody" });
    }

    [Fact]
    public async Task StartedBySomebodyUnknown_TheQuestionThatOpensTakesTwoPeople()
    {
        await using var world = new IncidentWorld(configure: services => services.AddSingleton(People.Book));
        var runbook = TestKit.Incidents.Given.Runbook();
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = runbook.Mitigation.Approval! with { SeparationOfDuties = true } } };

        var opened = await world.OpenAsync(runbook, TestKit.Incidents.Given.Incident(runbook) with { StartedBy = "nightly-job" });

        opened.OpenGate!.Required.ShouldBe(2);
        opened.OpenGate.Warnings.ShouldContain(warning => warning.Contains("nightly-job", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OnePersonUnderTwoNames_CountsOnce()
    {
        var office = await OpenAsync(Some.Gate() with { Required = 2 });
        await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada", "link") { LinkOf = "ada" });

        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada@example.com", "api"))).Result.Status.ShouldBe(DecisionStatus.AlreadyCounted);
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "grace", "slack"))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task Starter_MayNotBeTheOnlyOneUnderAnyName()
    {
        var office = await OpenAsync(Some.Gate() with { SeparationOfDuties = true }, startedBy: "ada@example.com");

        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada", "slack"))).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "grace", "slack"))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task Starter_MayBeOneOfTwo()
    {
        var office = await OpenAsync(Some.Gate() with { SeparationOfDuties = true, Required = 2 }, startedBy: "ada");

        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada", "slack"))).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "grace", "slack"))).Result.Status.ShouldBe(DecisionStatus.Decided);
    }
}
