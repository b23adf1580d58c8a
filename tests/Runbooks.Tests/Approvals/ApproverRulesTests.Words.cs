using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.People;
using Some = TestKit.Some;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

/// <content>What somebody reads whose decision does not count.</content>
public sealed partial class ApproverRulesTests
{
    private const string SignInHint = " Only signing in shows who is in a group: sign in and decide on the page.";
    private const string NobodyWeKnow = " It has to be a person named in the contacts.";

    [Theory]
    [InlineData("oncall", "linus", false, "linus is not among those who were asked: oncall.")]
    [InlineData("oncall", "nobody", false, "nobody is not among those who were asked: oncall." + NobodyWeKnow)]
    [InlineData("oncall", "linus", true, "linus by name is not among those who were asked: oncall.")]
    [InlineData("oncall", "nobody", true, "nobody by name is not among those who were asked: oncall." + NobodyWeKnow)]
    [InlineData("oncall mixed", "linus", false, "linus is not among those who were asked: oncall, mixed." + SignInHint)]
    [InlineData("oncall mixed", "nobody", false, "nobody is not among those who were asked: oncall, mixed." + NobodyWeKnow + SignInHint)]
    [InlineData("oncall mixed", "linus", true, "linus by name is not among those who were asked: oncall, mixed.")]
    public async Task WhoeverWasNotAsked_ReadsWhoWasAndWhatWouldShowWhoTheyAre(string asked, string person, bool signedIn, string message)
    {
        var office = await OpenAsync(Some.Gate() with { Approvers = asked.Split(' ') });
        office.Contacts.Replace(People.Book.With([new("mixed", [People.Grace, People.Group])]));
        var request = signedIn ? By(People.SignedIn(person)) : new(DecisionVerb.Approve, person, "api");

        (await DecideAsync(office, request)).Result.Message.ShouldBe(message);

        if (signedIn)
        {
            // The page says so before they press.
            office.Rules.WhyNoYes(office.Store.All[0].OpenGate!, null, request.SignedIn, office.Contacts.Book).ShouldBe(message);
        }
    }

    [Theory]
    [InlineData("group:ml", null, "This link was sent to group:ml, and only signing in shows who is in that group. Nobody signs in here, so it cannot approve.")]
    [InlineData("ops-room", null, "This link was sent to ops-room and does not show who you are, but this approval has to count people. Decide from a message of your own, or from a Slack button where the message has one.")]
    [InlineData("ops-room", "linus", "This link was sent to ops-room, and you are signed in as linus by name. Decide from a message of your own.")]
    public void LinkOfARoomThatCannotApprove_SaysWhyBefore(string recipient, string? signedIn, string message) =>
        new ApprovalOffice(People.Book).Rules.WhyNoYes(
            Some.Gate() with { Approvers = ["room", "group:ml"], Required = 2 }, recipient, signedIn is null ? null : People.SignedIn(signedIn), People.Book).ShouldBe(message);

    [Fact]
    public void WhoeverHasApproved_ReadsHowManyMoreAreNeeded() =>
        new ApprovalOffice(People.Book).Rules.WhyNoYes(
            Some.Gate() with { Required = 2, Decisions = [new(DecisionVerb.Approve, "ada", "link", Some.Time)] }, "ada", null, People.Book).ShouldBe("You have approved; 1 more needed.");

    [Fact]
    public async Task WithoutContacts_SaysWhatToAdd()
    {
        var office = await OpenAsync(Some.Gate());
        office.Contacts.Replace(ContactBook.NobodyBut("outbox"));

        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "ada", "api"))).Result.Message
            .ShouldBe("There are no contacts, so nobody may decide. Add contacts.yaml; docs/contacts.md says how.");
    }

    /// <summary>What is done by hand is said by a person: a room's link takes a typed name for it, and for nothing else.</summary>
    [Theory]
    [InlineData("ops-room", true, true)]
    [InlineData("ops-room", false, false)]
    [InlineData("ada", true, false)]
    [InlineData("group:ml", true, false)]
    public void LinkToWorkByHand_NeedsANameWhereItIsARooms(string recipient, bool byHand, bool needed)
    {
        var gate = Some.Gate() with { Approvers = ["both", "group:ml"], Task = byHand ? new("swap", "Swap the card.", []) : null };

        new ApprovalOffice(People.Book).Rules.NeedsName(gate, recipient).ShouldBe(needed);
        new ApprovalOffice().Rules.NeedsName(gate, recipient).ShouldBeFalse("in practice whoever says a name is believed");
    }

    [Theory]
    [InlineData("ops-room", "This link was sent to ops-room. Type your name: what is done by hand is said by a person.")]
    [InlineData("linus", "linus is not one of the people in ops-room.")]
    [InlineData("grace", null)]
    public void NameUnderARoomsLink_IsThatOfAMember(string typed, string? message)
    {
        var gate = Some.Gate() with { Approvers = ["room"], Task = new("swap", "Swap the card.", []) };
        var rules = new ApprovalOffice(People.Book).Rules;

        (rules.WhyNotCounted(gate, new(DecisionVerb.Approve, typed, "link") { LinkOf = "ops-room" }, People.Book)?.Message).ShouldBe(message);
        rules.WhyNoYes(gate, "ops-room", null, People.Book).ShouldBeNull("the page asks for the name, and has none to refuse yet");
    }
}
