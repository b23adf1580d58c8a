using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>A contact that is a schedule: who is asked, who may decide, and what stands in the record.</summary>
public sealed class OnCallStoryTests : OnCallWorld
{
    [Fact]
    public async Task Question_GoesToWhoeverIsOnCallAndSaysHowThatIsKnown()
    {
        _rota.Put("ada", until: Given.Night.AddHours(5));

        var incident = await OpenAsync();

        var sent = _chat.Sent.ShouldHaveSingleItem();
        sent.To.Recipient.ShouldBe("ada");
        sent.Card.Sections.Single(section => section.Heading == "Who is on call").Lines.ShouldBe(["ada is on call by rota schedule R1 until 2026-11-23 08:00:00 UTC."]);
        incident.OpenGate!.OnCall.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            record => record.People.ShouldBe(["ada"]),
            record => record.Source.ShouldBe("rota schedule R1"),
            record => record.Until.ShouldBe(Given.Night.AddHours(5)),
            record => record.At.ShouldBe(Given.Night));
        incident.Timeline.ShouldContain(entry => entry.What == "oncall: ada is on call by rota schedule R1 until 2026-11-23 08:00:00 UTC.");
    }

    [Theory]
    [InlineData("ada", DecisionStatus.Decided)]
    [InlineData("grace", DecisionStatus.Decided)]
    [InlineData("carol", DecisionStatus.NotAllowed)]
    [InlineData("ben", DecisionStatus.NotAllowed)]
    public async Task ChangeOfShift_TheReminderGoesToTheNextAndBothMayDecide(string person, DecisionStatus status)
    {
        _rota.Put("ada");
        var id = (await OpenAsync()).Id;
        _rota.Put("grace");
        await _world!.AdvanceAsync(id, TimeSpan.FromMinutes(6));
        _chat.Sent.Select(sent => (sent.To.Recipient, sent.Card.Kind)).ShouldBe([("ada", CardKind.ApprovalRequest), ("grace", CardKind.Reminder)]);

        (await DecideAsync(id, person)).Result.Status.ShouldBe(status);
    }

    [Fact]
    public async Task WhoeverIsOnCallAtTheMoment_MayDecideWithoutHavingBeenAsked()
    {
        _rota.Put("ada");
        var id = (await OpenAsync()).Id;
        _rota.Put("grace");
        _world!.Time.Advance(TimeSpan.FromMinutes(3));

        (await DecideAsync(id, "grace")).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    /// <summary>Grace was on call when she said yes, and nobody had asked her.</summary>
    [Fact]
    public async Task ShiftIsOverBeforeTheSecondYes_TheFirstStillCounts()
    {
        _rota.Put("ada");
        var id = (await OpenAsync(runbook: Asking(Given.Approval() with { Required = 2 }))).Id;
        _rota.Put("grace");
        _world!.Time.Advance(TimeSpan.FromMinutes(3));
        (await DecideAsync(id, "grace")).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        _rota.Put("carol");
        await _world.AdvanceAsync(id, TimeSpan.FromMinutes(10));

        (await DecideAsync(id, "ada")).Result.Status.ShouldBe(DecisionStatus.Decided);

        _world.Script.Deeds.ShouldContain("do fix");
    }

    [Fact]
    public async Task WhoeverWasAskedAndHasLeftTheContacts_MayNotDecide()
    {
        _rota.Put("ada");
        var id = (await OpenAsync()).Id;
        _rota.Put("grace");
        _world!.Time.Advance(TimeSpan.FromMinutes(3));
        _world.Get<CurrentContacts>().Replace(Book(people: [s_grace, s_ben, s_linus]));

        (await DecideAsync(id, "ada")).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    [Fact]
    public async Task CrashAfterTheRecord_AsksTheSamePeopleAgainAndNotTheSchedule()
    {
        _rota.Put("ada");
        var incident = await OpenAsync();
        var gate = incident.OpenGate!;

        // As if the host had died before the delivery was on record.
        await _world!.Store.UpdateAsync(incident.Id, i => i with { Deliveries = [] }, Cancel);
        _rota.Put("grace");
        _world.Time.Advance(TimeSpan.FromMinutes(3));
        var asked = _rota.Asked;
        await _world.Get<ApprovalGateService>().OpenAsync(new(incident.Id, Phase.Mitigation, 1, incident.Findings, false, null, incident.WakeEvent!), Cancel);

        _chat.Sent.Select(sent => sent.To.Recipient).ShouldBe(["ada", "ada"]);
        _rota.Asked.ShouldBe(asked);
        (await _world.Store.GetAsync(incident.Id, Cancel)).OpenGate!.OnCall.ShouldHaveSingleItem().ShouldBe(gate.OnCall[0]);
    }

    [Theory]
    [InlineData(false, "Rota schedule R1 could not be asked: it answered 429. ben is the named fallback.")]
    [InlineData(true, "Nobody is on call by rota schedule R1. ben is the named fallback.")]
    public async Task ScheduleWithoutAnAnswer_LeadsToTheNamedFallback(bool empty, string words)
    {
        _rota.Fault = empty ? null : "it answered 429.";

        var incident = await OpenAsync();

        _chat.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("ben");
        incident.OpenGate!.OnCallLines.ShouldBe([words]);
        incident.OpenGate.OnCall[0].From.ShouldBe(OnCallFrom.NamedFallback);
        (await DecideAsync(incident.Id, "ben")).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task NeitherScheduleNorFallback_CountsForNobodyAndTheFallbackContactIsAsked()
    {
        var incident = await OpenAsync(Book(fallback: []));

        _chat.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("linus");
        incident.OpenGate!.OnCallLines.ShouldBe(["Nobody is on call by rota schedule R1. No fallback is named for it, so the contact 'fallback' is asked: linus."]);
        incident.Deliveries.ShouldContain(delivery => delivery.Contact == "oncall" && !delivery.Reached);
        (await DecideAsync(incident.Id, "linus")).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    /// <summary>The contacts know the address, and not whom of two it means.</summary>
    [Fact]
    public async Task AddressOfTwoNames_MeansNeitherAndSaysSo()
    {
        _rota.Put("ada@example.com");
        Recipient[] people = [s_ada with { MailAddresses = ["ada@example.com"] }, s_grace with { MailAddresses = ["ada@example.com"] }, s_ben, s_linus];

        var incident = await OpenAsync(Book(mailUnknown: true, people: people));

        incident.OpenGate!.OnCallLines.ShouldBe(["ada@example.com is on call by rota schedule R1, but in the contacts under several names. ben is the named fallback. ada@example.com is sent an e-mail, and may not decide."]);
        _mail.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldEndWith("have you under several names, so that nobody can tell which is meant.");
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task SomebodyUnknownOnCall_IsToldIfTheContactSaysSoAndDecidesNothing(bool wanted, bool mailServer)
    {
        _rota.Put("zed@elsewhere.example");
        _mail.ConfigurationError = mailServer ? null : "no mail server is set up.";
        var mails = wanted && mailServer;

        var incident = await OpenAsync(Book(mailUnknown: wanted));

        _chat.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("ben");
        _mail.Sent.Count.ShouldBe(mails ? 1 : 0);
        incident.OpenGate!.OnCallLines.ShouldBe([$"zed@elsewhere.example is on call by rota schedule R1, but not in the contacts. ben is the named fallback.{(mails ? " zed@elsewhere.example is sent an e-mail, and may not decide." : "")}"]);
        if (mails)
        {
            var (to, card) = _mail.Sent.Single();
            to.To.ShouldBe("zed@elsewhere.example");
            (card.GateId, card.PlanHash, card.Asks).ShouldBe((null, null, false));
            card.Links.ShouldAllBe(link => !link.Url.Contains("/decide"));
            card.Sections[0].Lines.ShouldBe(["You are on call by rota schedule R1, and the contacts of this host do not know you.", "You cannot decide this; it goes to those who can."]);
        }

        foreach (var request in new DecisionRequest[]
        {
            new(DecisionVerb.Approve, "zed@elsewhere.example", "api"),
            new(DecisionVerb.Reject, "zed@elsewhere.example", "link") { LinkOf = "zed@elsewhere.example" },
            new(DecisionVerb.Approve, "zed", "slack"),
        })
        {
            (await _world!.Get<ApprovalService>().DecideAsync(incident.Id, null, request, Cancel)).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        }
    }

    [Fact]
    public async Task StrangerOnTheScheduleThatIsLastInLine_IsNotAmongThoseWhoAreAsked()
    {
        _other.Put("zed@elsewhere.example");

        var incident = await OpenAsync(WithScheduleAsFallback(fallback: []));

        _mail.Sent.ShouldHaveSingleItem();
        incident.OpenGate!.OnCall.ShouldHaveSingleItem().People.ShouldBe(["linus"]);
    }

    /// <summary>The schedule calls somebody by a name of the contacts, with an address that is not theirs.</summary>
    [Fact]
    public async Task StrangerUnderSomebodysAddress_GivesNobodyAVoice()
    {
        _rota.Shifts.Add(new(new("ada", ["ada@evil.example"], "ada@evil.example"), null, null));

        var incident = await OpenAsync(Book(mailUnknown: true));

        (await DecideAsync(incident.Id, "ada")).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    /// <summary>Told by mail only, nobody could have answered: silence is no yes.</summary>
    [Fact]
    public async Task OnlyAStrangerReached_IsNobodyReached()
    {
        _rota.Put("zed@elsewhere.example");
        _chat.Before = ScriptedChannel.Fail;
        var incident = Given.Incident(Given.Runbook());
        _world = World(Book(mailUnknown: true));

        await _world.Time.UntilDoneAsync(_world.OpenAsync(Asking(Given.Approval()), incident));

        var now = await _world.Store.GetAsync(incident.Id, Cancel);
        _mail.Sent.ShouldNotBeEmpty();
        now.ReachedNobody(now.OpenGate!).ShouldBeTrue();
        now.OpenGate!.Approvers.ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task TwoSchedulesThatNameOnePerson_AreOnePerson()
    {
        _rota.Put("ada");
        _other.Put("ada");
        var incident = await OpenAsync(runbook: Asking(Given.Approval() with { From = ["oncall", "second"], Required = 2 }));
        _chat.Sent.ShouldHaveSingleItem();

        (await DecideAsync(incident.Id, "ada")).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(incident.Id, "ada")).Result.Status.ShouldBe(DecisionStatus.AlreadyCounted);
        _rota.Put("grace");
        _world!.Time.Advance(TimeSpan.FromMinutes(3));
        (await DecideAsync(incident.Id, "grace")).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task WhoeverStartedIt_MayNotApproveItAloneBecauseTheScheduleNamesThem()
    {
        _rota.Put("ada");
        var runbook = Asking(Given.Approval() with { SeparationOfDuties = true });
        var incident = await OpenAsync(runbook: runbook, incident: Given.Incident(runbook) with { StartedBy = "ada" });

        (await DecideAsync(incident.Id, "ada")).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    [Fact]
    public async Task End_IsToldToWhoeverDecidedAndToWhoeverIsOnCallThen()
    {
        _rota.Put("ada");
        var id = (await OpenAsync()).Id;
        await DecideAsync(id, "ada");
        await _world!.AdvanceAsync(id, TimeSpan.FromMinutes(3));
        _rota.Put("grace");
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        (await _world.AdvanceAsync(id, TimeSpan.FromMinutes(6))).State.ShouldBe(IncidentState.Resolved);

        _chat.Sent.Where(sent => sent.Card.Kind == CardKind.Closed).Select(sent => sent.To.Recipient).Order().ShouldBe(["ada", "grace"]);
    }

    /// <summary>What was decided stays decided, whoever is on call later and whatever becomes of the schedule.</summary>
    [Fact]
    public async Task Decided_StaysDecided()
    {
        _rota.Put("ada");
        var id = (await OpenAsync()).Id;
        await DecideAsync(id, "ada");
        (_rota.Fault, _world!.Script.Verdicts["stuck"]) = ("it is gone.", Verdict.Passing);

        var incident = await _world.AdvanceAsync(id, TimeSpan.FromHours(1));

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Gates[0].OnCall.ShouldHaveSingleItem().People.ShouldBe(["ada"]);
    }
}
