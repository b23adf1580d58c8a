using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.People;
using Patience = TestKit.Patience;
using Some = TestKit.Some;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

public sealed partial class ApproverRulesTests
{
    [Theory]
    [InlineData("ada", DecisionStatus.Decided)]
    [InlineData("ADA", DecisionStatus.Decided)]
    [InlineData("ada@example.com", DecisionStatus.Decided)]
    [InlineData("linus", DecisionStatus.NotAllowed)]
    [InlineData("nobody", DecisionStatus.NotAllowed)]
    public async Task WhoeverWasAsked_MayDecide(string person, DecisionStatus status) =>
        (await DecideAsync(Some.Gate(), new DecisionRequest(DecisionVerb.Approve, person, "api"))).Result.Status.ShouldBe(status);

    [Theory]
    [InlineData(DecisionVerb.Approve)]
    [InlineData(DecisionVerb.Reject)]
    [InlineData(DecisionVerb.TakeOver)]
    public async Task SomebodyWhoWasNotAsked_ChangesNothing(DecisionVerb verb)
    {
        var receipt = await DecideAsync(Some.Gate(), new DecisionRequest(verb, "linus", "slack"));

        receipt.Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        receipt.Result.Message.ShouldContain("oncall");
        receipt.Incident!.LatestGate!.Decisions.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(DecisionVerb.Approve)]
    [InlineData(DecisionVerb.Reject)]
    public async Task SomebodyWhoWasNotAsked_ChangesNothingAfterTheTimeEither(DecisionVerb verb)
    {
        var office = await OpenAsync(Some.Gate());
        office.Time.Advance(TimeSpan.FromHours(1));

        (await DecideAsync(office, new DecisionRequest(verb, "linus", "api"))).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    /// <summary>Its time is up while the schedule is asked who is on call.</summary>
    [Theory]
    [InlineData(DecisionVerb.Approve, GateOutcome.Approved)]
    [InlineData(DecisionVerb.Reject, GateOutcome.Rejected)]
    public async Task AnswerThatCameInTime_CountsHoweverLongItTakesToSeeWhoIsOnCall(DecisionVerb verb, GateOutcome outcome)
    {
        var gate = Some.Gate();
        var office = new ApprovalOffice(new ContactBook([new("oncall", []) { Schedule = new("rota", "s1", [People.Ada]) }], [People.Ada]));
        await office.Store.OpenAsync(Some.Waiting(gate: gate), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        office.Rota.Hangs = true;
        office.Time.Advance(gate.ExpiresAt - office.Time.GetUtcNow() - TimeSpan.FromSeconds(5));

        var deciding = DecideAsync(office, new DecisionRequest(verb, "ada", "api"));

        await office.Time.UntilDoneAsync(deciding);
        office.Time.GetUtcNow().ShouldBeGreaterThan(gate.ExpiresAt);
        (await deciding).Incident!.LatestGate!.Outcome.ShouldBe(outcome);
    }

    /// <summary>Somebody else answers it, and the next is asked, while the schedule is asked who is on call.</summary>
    [Theory]
    [InlineData(DecisionVerb.Approve)]
    [InlineData(DecisionVerb.Reject)]
    public async Task AnswerThatNamesNoQuestion_IsAboutTheOneThatWasOpenWhenItCame(DecisionVerb verb)
    {
        var office = new ApprovalOffice(new ContactBook([new("oncall", []) { Schedule = new("rota", "s1", [People.Ada]) }], [People.Ada]));
        await office.Store.OpenAsync(Some.Waiting(), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        office.Rota.Hangs = true;
        var deciding = DecideAsync(office, new DecisionRequest(verb, "ada", "api"));
        await Patience.UntilAsync(() => Task.FromResult(office.Rota.Asked > 0), () => "The schedule was not asked.");

        var approval = new Decision(DecisionVerb.Approve, "grace", "link", Some.Time);
        await office.Store.UpdateAsync(office.Store.All[0].Id, i => i.Decide("mitigation-1", approval).Incident.AddGate(Some.Gate(2), Some.Time), TestContext.Current.CancellationToken);

        await office.Time.UntilDoneAsync(deciding);
        var receipt = await deciding;
        (receipt.Result.Status, receipt.Gate!.Id).ShouldBe((DecisionStatus.AlreadyClosed, "mitigation-1"));
        receipt.Result.Message.ShouldContain("grace approved this");
        receipt.Incident!.OpenGate!.Id.ShouldBe("mitigation-2");
    }

    [Fact]
    public async Task WhoeverAnEscalationAsks_MayDecide() =>
        (await DecideAsync(Some.Gate() with { Approvers = ["oncall", "platform-lead"] }, new DecisionRequest(DecisionVerb.Approve, "linus", "api"))).Result.Status.ShouldBe(DecisionStatus.Decided);

    [Theory]
    [InlineData("grace", DecisionStatus.Decided)]
    [InlineData("linus", DecisionStatus.NotAllowed)]
    public async Task MemberOfARoom_MayDecideForIt(string person, DecisionStatus status) =>
        (await DecideAsync(Some.Gate() with { Approvers = ["room"] }, new DecisionRequest(DecisionVerb.Approve, person, "slack"))).Result.Status.ShouldBe(status);

    [Fact]
    public async Task ForwardedLink_CarriesTheNameOfItsRecipient()
    {
        var receipt = await DecideAsync(Some.Gate(), new DecisionRequest(DecisionVerb.Approve, "ada", "link") { LinkOf = "ada" });

        receipt.Incident!.LatestGate!.Decisions.ShouldHaveSingleItem().Person.ShouldBe("ada");
    }

    [Theory]
    [InlineData("ada", "ada", DecisionStatus.Decided)]
    [InlineData("ada", "grace", DecisionStatus.NotAllowed)]
    [InlineData("ada", "stranger", DecisionStatus.NotAllowed)]
    [InlineData("ops-room", "grace", DecisionStatus.Decided)]
    [InlineData("ops-room", "linus", DecisionStatus.NotAllowed)]
    public async Task SignedIn_HasToBeWhomTheLinkWasMadeFor(string recipient, string signedIn, DecisionStatus status) =>
        (await DecideAsync(Some.Gate() with { Approvers = ["both"] }, By(People.SignedIn(signedIn), recipient))).Result.Status.ShouldBe(status);

    [Fact]
    public async Task SignedInUnderSomebodyElsesName_IsNotThem()
    {
        var impostor = new SignedInPerson("11111111-2222-3333-4444-555555555555/evil", "ada");

        (await DecideAsync(Some.Gate(), By(impostor, "ada"))).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        (await DecideAsync(Some.Gate(), By(impostor with { Name = "ada@example.com" }))).Result.Status.ShouldBe(DecisionStatus.NotAllowed);

        // As a member of a group they may decide, and the record does not take them for her.
        var member = await DecideAsync(Some.Gate() with { Approvers = ["group:ml"] }, By(impostor with { Groups = [People.GroupId] }));
        member.Incident!.LatestGate!.Decisions.ShouldHaveSingleItem().Person.ShouldBe($"ada ({impostor.Id})");
    }

    [Fact]
    public async Task MemberOfAGroup_MayDecideOnlyWhileTheSignInSaysSo()
    {
        var gate = Some.Gate() with { Approvers = ["group:ml"] };

        var member = await DecideAsync(gate, By(People.SignedIn("kay", People.GroupId), "group:ml"));
        member.Result.Status.ShouldBe(DecisionStatus.Decided);
        var decision = member.Incident!.LatestGate!.Decisions.ShouldHaveSingleItem();
        decision.Identity.ShouldBe(People.SignedIn("kay").Id);
        decision.Person.ShouldBe("kay by name");

        foreach (var door in (DecisionRequest[])[
            By(People.SignedIn("kay", "bbbbbbbb-0000-0000-0000-00000000ffff"), "group:ml"), By(People.SignedIn("ada")),
            new(DecisionVerb.Approve, "ada", "slack"), new(DecisionVerb.Approve, "group:ml", "api"), new(DecisionVerb.Approve, "group:ml", "link") { LinkOf = "group:ml" }])
        {
            (await DecideAsync(gate, door)).Result.Status.ShouldBe(DecisionStatus.NotAllowed, door.ToString());
        }
    }

    /// <summary>The record has the names of those whom the team's schedule meant. Who is called so now may be of another team.</summary>
    [Theory]
    [InlineData("grace", true)]
    [InlineData("grace", false)]
    [InlineData("room", false)]
    public async Task WhomTheTeamsScheduleMeant_IsNobodyOfAnotherTeam(string name, bool isStillThere)
    {
        const string Room = "room: { members: [grace], reach: [{ chat: room }] }";
        var grace = $"people: {{ grace: {{ reach: [{{ chat: grace }}] }} }}\nrooms: {{ {Room} }}\n";
        var others = "people: { gwen: { reach: [{ chat: gwen }] } }\n";
        var reader = new ContactsFile([new ScriptedChannel("chat")], [new ScriptedSchedule()], ApprovalOffice.Secrets());
        var book = reader.Read(new ContactFiles(
            new("contacts.yaml", "people: { linus: { reach: [{ chat: linus }] } }\ncontacts: { fallback: linus }"),
            [File("ml", $"{(isStillThere ? grace : others)}contacts: {{ duty: {{ rota: R1, fallback: {(isStillThere ? "grace" : "gwen")} }} }}"), File("web", $"{(isStillThere ? others : grace)}contacts: {{ primary: [{(isStillThere ? "gwen" : "grace, room")}] }}")])).Book.ShouldNotBeNull();
        var gate = Some.Gate() with { Approvers = ["ml.duty"], OnCall = [new("ml.duty", "m", [name], "", Some.Time)] };

        ApproverRules.IsAsked(gate, name, book).ShouldBe(isStillThere);

        static Runbooks.Catalog.TeamFiles File(string team, string contacts) => new(team, new($"{team}/team.yaml", ""), new($"{team}/contacts.yaml", contacts));
    }

    /// <summary>The record still has whom a schedule meant, and the contacts have people in its place, or nothing.</summary>
    [Theory]
    [InlineData("oncall")]
    [InlineData("gone")]
    public void WhomAScheduleMeantThatIsNoneAnyMore_IsNotAsked(string contact) =>
        ApproverRules.IsAsked(Some.Gate() with { Approvers = [contact, "oncall"], OnCall = [new(contact, "m", ["linus"], "", Some.Time)] }, "linus", People.Book.With([new(ContactBook.Fallback, [People.Ada])])).ShouldBeFalse();

    [Theory]
    [InlineData("api")]
    [InlineData("console")]
    [InlineData("slack")]
    public async Task NameOfARoomOrOfAContact_IsNoPerson(string via)
    {
        var gate = Some.Gate() with { Approvers = ["room", "oncall"], Required = 2 };
        foreach (var name in (string[])["ops-room", "room", "oncall", "the API key's holder"])
        {
            var receipt = await DecideAsync(gate, new DecisionRequest(DecisionVerb.Approve, name, via));
            receipt.Result.Status.ShouldBe(DecisionStatus.NotAllowed, name);
            receipt.Result.Message.ShouldContain("a person named in the contacts");
            receipt.Incident!.OpenGate!.Decisions.ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("ada")]
    [InlineData("ops-room")]
    public async Task LinkOfSomebodyWhoMayDecideNoLonger_DecidesNothing(string recipient)
    {
        // Since the link was sent, the contacts changed: once they are gone, once they are known and not on call.
        foreach (var book in (ContactBook[])[new([new("oncall", [People.Grace]), new(ContactBook.Fallback, [People.Linus])]),
            new([new("oncall", [People.Grace]), new("others", [People.Ada, People.Room]), new(ContactBook.Fallback, [People.Linus])])])
        {
            var office = await OpenAsync(Some.Gate());
            office.Contacts.Replace(book);
            foreach (var verb in Enum.GetValues<DecisionVerb>())
            {
                var receipt = await DecideAsync(office, new DecisionRequest(verb, recipient, "link") { LinkOf = recipient });
                receipt.Result.Status.ShouldBe(DecisionStatus.NotAllowed);
                receipt.Result.Message.ShouldContain("may not decide this any more");
            }
        }
    }

    [Fact]
    public async Task NoContactsOutsidePractice_NobodyIsBelieved()
    {
        var office = await OpenAsync(Some.Gate());
        office.Contacts.Replace(ContactBook.NobodyBut("outbox"));
        DecisionRequest[] doors =
        [
            new(DecisionVerb.Approve, "ada", "api"),
            new(DecisionVerb.Approve, "oncall", "console"),
            new(DecisionVerb.Approve, "oncall", "link") { LinkOf = "oncall" },
            By(People.SignedIn("ada"), "oncall"),
        ];

        foreach (var door in doors)
        {
            (await DecideAsync(office, door)).Result.Status.ShouldBe(DecisionStatus.NotAllowed, door.Via);
        }

        office.Contacts.Book.RecipientsOf(["oncall"]).ShouldHaveSingleItem("messages still have a place");
        office.Store.All[0].OpenGate!.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task SomebodyWhoMayNotDecide_IsStillToldWhoDid()
    {
        var office = await OpenAsync(Some.Gate());
        await DecideAsync(office, new DecisionRequest(DecisionVerb.Reject, "ada", "slack"));

        (await DecideAsync(office, new DecisionRequest(DecisionVerb.Approve, "linus", "slack"))).Result.Message.ShouldContain("ada rejected this");
    }

    [Fact]
    public async Task TwoApproversRacingAHundredTimes_GiveOneDecisionEachTime()
    {
        for (var round = 0; round < 100; round++)
        {
            var office = await OpenAsync(Some.Gate());
            using var start = new Barrier(2);
            var receipts = await Task.WhenAll(new[] { "ada", "grace" }.Select(person => Task.Run(async () =>
            {
                start.SignalAndWait(TestContext.Current.CancellationToken);
                return await DecideAsync(office, new DecisionRequest(person == "ada" ? DecisionVerb.Approve : DecisionVerb.Reject, person, "slack"));
            })));

            receipts.Count(receipt => receipt.Result.Status == DecisionStatus.Decided).ShouldBe(1);
            office.Store.All[0].LatestGate!.Decisions.Count.ShouldBe(1);
            office.Engine.Woken.Count.ShouldBe(1);
        }
    }

    private static DecisionRequest By(SignedInPerson person, string? linkOf = null) =>
        new(DecisionVerb.Approve, person.Name, linkOf is null ? "console" : "link") { SignedIn = person, LinkOf = linkOf };

    private static async Task<ApprovalOffice> OpenAsync(Gate gate, string? startedBy = null)
    {
        var office = new ApprovalOffice(People.Book);
        await office.Store.OpenAsync(Some.Waiting(gate: gate) with { StartedBy = startedBy }, Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        return office;
    }

    private static async Task<DecisionReceipt> DecideAsync(Gate gate, DecisionRequest request) => await DecideAsync(await OpenAsync(gate), request);

    private static Task<DecisionReceipt> DecideAsync(ApprovalOffice office, DecisionRequest request) =>
        office.Approvals.DecideAsync(office.Store.All[0].Id, null, request, TestContext.Current.CancellationToken);
}
