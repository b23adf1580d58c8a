using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Notifications;

public sealed class IncidentNotifierTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SamePersonInTwoContacts_GetsOneMessage()
    {
        var office = new ApprovalOffice(People.Book);

        await SendAsync(office, "oncall", "both", "room");

        office.Channel.Sent.Select(sent => sent.To.Recipient).ShouldBe(["ada", "grace", "ops-room"], ignoreOrder: true);
    }

    [Fact]
    public async Task MessageThatWasDelivered_IsNotSentAgain()
    {
        var office = new ApprovalOffice(People.Book);
        await SendAsync(office, "oncall");

        var again = await office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", ["oncall"], _ => Card(office)), Cancel);

        again.Reached.ShouldBeTrue();
        office.Channel.Sent.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ContactThatNobodyIsBehind_GoesToTheFallbackAndIsOnTheTimeline()
    {
        var office = new ApprovalOffice(People.Book);

        var result = await SendAsync(office, "dba");

        office.Channel.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("linus");
        result.Incident.Timeline.ShouldContain(entry => entry.What == "Could not reach dba: nobody is behind this contact.");
    }

    [Fact]
    public async Task BookWithoutAFallback_SaysThatNobodyWasReached()
    {
        var office = new ApprovalOffice(new ContactBook([]));

        var result = await SendAsync(office, "dba");

        result.Reached.ShouldBeFalse();
        result.Incident.Deliveries.ShouldHaveSingleItem().Reached.ShouldBeFalse();
    }

    [Fact]
    public async Task FailingChannel_IsTriedThreeTimesThenTheNextOneTakesIt()
    {
        var (first, second) = (new ScriptedChannel("first") { Before = ScriptedChannel.Fail }, new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, first, second);

        var result = await SendAsync(office, "oncall");

        first.Attempts.ShouldBe(3);
        second.Sent.Count.ShouldBe(1);
        result.Incident.Timeline[^1].What.ShouldBe("Told ada by second, after: first: answered 500. (3 attempts)");
    }

    /// <summary>Knocking before that only adds to what the channel counts.</summary>
    [Theory]
    [InlineData(12, 3)]
    [InlineData(20, 2)] // a third attempt would be too late for whoever is to be woken
    [InlineData(31, 1)]
    public async Task ChannelThatAsksToWait_IsTriedAgainThenUnlessThatIsTooLong(int seconds, int attempts)
    {
        var (first, second) = (new ScriptedChannel("first"), new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, first, second);
        List<DateTimeOffset> tried = [];
        first.Before = (_, _) =>
        {
            tried.Add(office.Time.GetUtcNow());
            throw new DeliveryException("answered 429.", transient: true) { RetryAfter = TimeSpan.FromSeconds(seconds) };
        };

        await SendAsync(office, "oncall");

        tried.Count.ShouldBe(attempts);
        tried.Zip(tried.Skip(1)).ShouldAllBe(two => two.Second - two.First >= TimeSpan.FromSeconds(seconds));
        second.Sent.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)] // somebody may wait for the page that says what they decided
    public async Task ChangeThatIsToComeLater_IsTriedOnceMoreIfThatIsSoon(int seconds, bool shown)
    {
        var office = new ApprovalOffice(People.Book);
        var sent = await SendAsync(office, "oncall");
        var (messages, tried) = (office.Channel.Sent.Count, 0);
        office.Channel.BeforeUpdate = () => Interlocked.Increment(ref tried) <= messages
            ? throw new DeliveryException("answered 429.", transient: true) { RetryAfter = TimeSpan.FromSeconds(seconds) }
            : Task.CompletedTask;

        await office.Time.UntilDoneAsync(office.Updater.ShowGateAsync(sent.Incident, "mitigation-1", Cancel));

        office.Channel.Shown.Values.ShouldEach(card => card.Asks == shown);
    }

    /// <summary>The question of the largest outage is the longest: rather a short one than none.</summary>
    [Fact]
    public async Task ChannelThatRefusesTheFormOfACard_GetsAShortOne()
    {
        var channel = new LongCardsRefused();
        var office = new ApprovalOffice(null, channel);
        var card = new Card
        {
            Kind = CardKind.ApprovalRequest,
            IncidentId = Some.Incident().Id,
            Title = "65 incidents ask you at once",
            Sections = [new("Targets", ["a", "b"]), new("If nobody answers", ["Nothing is done."]) { IsNeeded = true }],
            Links = [new("Look at all and decide", "https://runbooks.example.com/decide?token=x")],
            GateId = "mitigation-1",
            PlanHash = "of what is not shown",
        };
        await office.Store.OpenAsync(Some.Incident(), Some.Runbook(), _ => null, CancellationToken.None);

        var result = await office.Notifier.SendAsync(Some.Incident(), new("question", ["oncall"], _ => card), CancellationToken.None);

        result.Reached.ShouldBeTrue();
        channel.Taken!.Sections.SelectMany(section => section.Lines).ShouldBe(["Nothing is done.", "This is not all: the rest is on the page."]);
        channel.Taken.Links.ShouldBe(card.Links);
        (channel.Taken.GateId, channel.Taken.PlanHash).ShouldBe((null, null));
    }

    private sealed class LongCardsRefused : INotifier
    {
        public string Channel => "test";

        public Card? Taken { get; private set; }

        public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken) => card.Sections.Any(section => section.Heading == "Targets")
            ? throw new DeliveryException("msg_blocks_too_long") { IsForm = true }
            : Task.FromResult<Receipt>((Taken = card).Title);
    }

    [Fact]
    public async Task HangingChannel_IsLeftAfterItsTimeout()
    {
        var (first, second) = (new ScriptedChannel("first") { Before = ScriptedChannel.Hang }, new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, first, second);

        var result = await SendAsync(office, "oncall");

        first.Attempts.ShouldBe(1);
        result.Reached.ShouldBeTrue();
        result.Incident.Timeline[^1].What.ShouldContain("first: no answer within 10 s.");
    }

    [Fact]
    public async Task WhatNobodyHasToActOn_GoesToAChannelThatCallsNobodyUp()
    {
        var (pager, mail) = (new ScriptedChannel("first") { Rings = true }, new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, pager, mail);

        await SendAsync(office, "oncall");

        pager.Sent.ShouldBeEmpty();
        mail.Sent.Count.ShouldBe(1);
    }

    [Fact]
    public async Task WhatNobodyHasToActOn_IsHeardWhereNothingElseTakesIt()
    {
        var (pager, mail) = (new ScriptedChannel("first") { Rings = true }, new ScriptedChannel("second") { Before = (_, _) => throw new DeliveryException("is away.") });
        var office = new ApprovalOffice(s_twoChannels, pager, mail);

        var result = await SendAsync(office, "oncall");

        result.Reached.ShouldBeTrue();
        pager.Sent.Count.ShouldBe(1);
    }

    /// <summary>What a step handed to somebody is theirs to do: the end of the incident does not end it.</summary>
    [Fact]
    public async Task EndOfTheIncident_LeavesWhatWasHandedToSomebody()
    {
        var (pager, mail) = (new ScriptedChannel("first") { Rings = true }, new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, pager, mail);
        await OpenAsync(office);
        var handed = await office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new($"{NotificationUpdater.HandedOver}:notify:step", ["oncall"], _ => Card(office) with { Kind = CardKind.Page }), Cancel);

        await office.Notifier.SendAsync(handed.Incident, new("closed", ["oncall"], _ => Card(office)), Cancel);

        pager.Shown.Values.ShouldHaveSingleItem().Kind.ShouldBe(CardKind.Page);
        mail.Sent.Count.ShouldBe(1);
    }

    /// <summary>An alert that ends calls nobody, as pagers are made: whoever said yes at night reads how it went elsewhere.</summary>
    [Fact]
    public async Task EndOfWhatSomebodyWasCalledUpFor_IsToldOnTheOtherChannel()
    {
        var (pager, mail) = (new ScriptedChannel("first") { Rings = true }, new ScriptedChannel("second"));
        var office = new ApprovalOffice(s_twoChannels, pager, mail);
        await OpenAsync(office);
        var asked = await office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", ["oncall"], _ => Card(office) with { Kind = CardKind.Page }), Cancel);

        var ended = await office.Notifier.SendAsync(asked.Incident, new("closed", ["oncall"], _ => Card(office)), Cancel);

        pager.Sent.Count.ShouldBe(1);
        mail.Sent.Count.ShouldBe(1);
        ended.Incident.Timeline[^1].What.ShouldBe("Told ada by second.");
    }

    /// <summary>Nobody is called up again to hear that all is well.</summary>
    [Theory]
    [InlineData(IncidentState.Failed, "Ended")]
    [InlineData(IncidentState.TakenOver, "Acknowledged")]
    public async Task EndOfWhatSomebodyWasCalledUpFor_EndsTheAlertWhereNothingElseTakesIt(IncidentState state, string done)
    {
        var (pager, mail) = (new ScriptedChannel("first") { Rings = true }, new ScriptedChannel("second") { Before = (_, _) => throw new DeliveryException("is away.") });
        var office = new ApprovalOffice(s_twoChannels, pager, mail);
        await OpenAsync(office);
        var asked = await office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", ["oncall"], _ => Card(office) with { Kind = CardKind.Page }), Cancel);

        var final = await office.Store.UpdateAsync(Id, i => i with { State = state }, Cancel);
        var ended = await office.Notifier.SendAsync(final, new("closed", ["oncall"], _ => Card(office)), Cancel);
        pager.Shown.Values.ShouldHaveSingleItem().Kind.ShouldBe(CardKind.Closed);
        ended.Incident.Deliveries[^1].IsHandedOver.ShouldBeTrue("nobody knows whether the pager tells of it");
        ended.Incident.Timeline[^1].What.ShouldStartWith($"{done} the alert of ada on first, after: ");

        var held = await office.Notifier.SendAsync(ended.Incident, new("holding", ["oncall"], _ => Card(office) with { Kind = CardKind.Decided, IsEnd = false }), Cancel);
        pager.Sent.Count.ShouldBe(2, "the end of an alert does not say what is in place now");
        held.Incident.Deliveries[^1].IsHandedOver.ShouldBeFalse();
    }

    [Fact]
    public async Task OneHangingRecipient_DoesNotHoldUpTheOthers()
    {
        var office = new ApprovalOffice(People.Book);
        office.Channel.Before = (to, cancel) => to.Recipient == "ada" ? ScriptedChannel.Hang(to, cancel) : Task.CompletedTask;
        await OpenAsync(office);

        var sending = office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", ["oncall"], _ => Card(office)), Cancel);

        await office.Time.UntilDoneAsync(sending);
        var told = (await sending).Incident.Deliveries.ToDictionary(delivery => delivery.Contact);
        told["grace"].At.ShouldBeLessThan(told["ada"].At);
    }

    [Fact]
    public async Task StoreThatCannotRecordADelivery_FailsNothing()
    {
        var office = new ApprovalOffice(People.Book);
        await OpenAsync(office);
        office.Channel.Before = (_, _) =>
        {
            office.Store.Fault = () => new IOException("disk is away");
            return Task.CompletedTask;
        };

        var result = await office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", ["oncall"], _ => Card(office)), Cancel);

        result.Reached.ShouldBeTrue();
        office.Channel.Sent.Count.ShouldBe(2);
    }

    /// <summary>What two people get at one place may be one message there, as on a pager.</summary>
    [Fact]
    public async Task PlaceOfSeveralPeople_IsKnownAsShared()
    {
        var book = new ContactBook([
            new("oncall", [new Recipient("ada", [new("test", "team", "ada")]), new Recipient("grace", [new("test", "grace", "grace")])]),
            new("lead", [new Recipient("linus", [new("test", "team", "linus")])])]);
        var (both, alone) = (new ApprovalOffice(book), new ApprovalOffice(book));

        await SendAsync(both, "oncall", "lead");
        await SendAsync(alone, "oncall");

        both.Channel.Sent.Where(sent => sent.To.IsShared).Select(sent => sent.To.Recipient).ShouldBe(["ada", "linus"], ignoreOrder: true);
        alone.Channel.Sent.ShouldAllBe(sent => !sent.To.IsShared);
    }

    private static readonly ContactBook s_twoChannels = new(
        [new("oncall", [new Recipient("ada", [new("first", "ada", "ada"), new("second", "ada", "ada")])])]);

    private const string Id = "261123-0312-k7m2p9wd";

    private static Card Card(ApprovalOffice office) => office.Cards.Closed(Some.Incident(), Some.Runbook());

    private static Task OpenAsync(ApprovalOffice office) => office.Store.OpenAsync(Some.Waiting(), Some.Runbook(), _ => null, Cancel);

    private static async Task<SendResult> SendAsync(ApprovalOffice office, params string[] contacts)
    {
        await OpenAsync(office);
        var sending = office.Notifier.SendAsync(await office.Store.GetAsync(Id, Cancel), new("mitigation-1:0", contacts, _ => Card(office)), Cancel);
        await office.Time.UntilDoneAsync(sending);
        return await sending;
    }
}
