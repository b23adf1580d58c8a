using System.Collections.Concurrent;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

/// <summary>One record, many views: what cards that were sent say after something happened.</summary>
public sealed class CardViewTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Decision_ChangesEveryCardThatAsked()
    {
        var office = await AskAsync(Some.Gate());

        await office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Approve, "ada", "slack", "seen it"), Cancel);

        office.Channel.Shown.Count.ShouldBe(2);
        foreach (var card in office.Channel.Shown.Values)
        {
            card.Kind.ShouldBe(CardKind.Decided);
            card.GateId.ShouldBeNull();
            card.Title.ShouldBe("Approved: Recycle pod llm-b-0?");
            card.Sections[0].Lines.ShouldBe(["ada approved this at 03:12:00 UTC.", "Reason: seen it"]);
            card.Links.ShouldAllBe(link => !link.Url.Contains("/decide"));
        }
    }

    /// <summary>What somebody has taken over is theirs; what is decided calls nobody again, however long it goes on.</summary>
    [Theory]
    [InlineData(DecisionVerb.Approve, false)]
    [InlineData(DecisionVerb.Reject, false)]
    [InlineData(DecisionVerb.TakeOver, true)]
    public async Task Decision_IsSeenToOnlyWhereSomebodyTookItOver(DecisionVerb verb, bool isSeenTo)
    {
        var office = await AskAsync(Some.Gate());

        await office.Approvals.DecideAsync(Id, null, new DecisionRequest(verb, "ada", "slack"), Cancel);

        office.Channel.Shown.Values.ShouldAllBe(card => card.IsSeenTo == isSeenTo);
    }

    [Fact]
    public async Task FirstOfTwoApprovals_IsShownAndTheCardsStillAsk()
    {
        var office = await AskAsync(Some.Gate() with { Required = 2 });

        await office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Approve, "ada", "slack"), Cancel);

        string[] waits = ["2 different people have to approve. So far: ada."];
        var (hers, other) = (office.Channel.Shown.Values.Single(card => card.GateId is null), office.Channel.Shown.Values.Single(card => card.GateId is not null));
        Who(hers).ShouldBe(waits, "on a pager it may be somebody else who reads it");
        (hers.PlanHash, hers.Links[0].Text).ShouldBe((null, "Look and decide"));
        Who(other).ShouldBe(waits);
    }

    /// <summary>Whoever reads there could be both of them. A room's link names nobody.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task LinksOfTwoPeopleInOnePlace_AreNoneWherePeopleAreCounted(int required, bool links)
    {
        var office = new ApprovalOffice(new ContactBook([new("oncall", [At("ada"), At("grace"), At("ops-room") with { IsRoom = true, Members = ["ada", "grace"] }])]));
        var gate = Some.Gate() with { Required = required };
        var incident = Some.Waiting(gate: gate);
        await office.Store.OpenAsync(incident, Some.Runbook(), _ => null, Cancel);

        incident = (await office.Notifier.SendAsync(incident, new("mitigation-1:0", ["oncall"], to => office.Cards.Approval(incident, Some.Runbook(), gate, to.Name, CardKind.ApprovalRequest)), Cancel)).Incident;
        office.Channel.Sent.Where(sent => HasLink(sent.Card)).Select(sent => sent.To.Recipient).ShouldBe(links ? ["ada", "grace", "ops-room"] : ["ops-room"], ignoreOrder: true);

        await office.Updater.ShowGateAsync(incident, gate.Id, Cancel);
        office.Channel.Shown.Values.Count(HasLink).ShouldBe(links ? 3 : 1, "a card that is brought up to date");

        static bool HasLink(Card card) => card.Links.Any(link => link.Url.Contains("/decide"));

        static Recipient At(string name) => new(name, [new("test", "team", name)]);
    }

    [Fact]
    public async Task WhoeverMayNotApproveWhatTheyStarted_IsToldSoAndGetsNoButton()
    {
        var office = await AskAsync(Some.Gate() with { SeparationOfDuties = true, Starter = "ada" });

        var sent = office.Channel.Sent.ToDictionary(one => one.To.Recipient, one => one.Card);
        sent["ada"].GateId.ShouldBeNull();
        Who(sent["ada"]).ShouldBe(["ada started this and may not approve it. So far: nobody."], "on a pager it may be somebody else who reads it");
        sent["grace"].GateId.ShouldBe("mitigation-1");
        sent["grace"].Yes.ShouldBe("The steps run as shown, unless something stops them first.");
    }

    private static IReadOnlyList<string> Who(Card card) => card.Sections.Single(section => section.Heading == "Who has to approve").Lines;

    /// <summary>A page that said that a person is needed is over once somebody closed the incident; what was handed to somebody stays theirs, and a report a report.</summary>
    [Fact]
    public async Task EndOfAnIncident_EndsItsPagesButNotWhatWasHandedToSomebody()
    {
        var office = await AskAsync(Some.Gate());
        Incident incident = await office.Store.GetAsync(Id, Cancel);
        foreach (var key in new[] { "page:lease", "closed", "report", $"{NotificationUpdater.HandedOver}:notify:step" })
        {
            incident = (await office.Notifier.SendAsync(incident, new(key, ["oncall"], _ => office.Cards.Page(incident, Some.Runbook(), "It is held too long.", Some.Time) with { Title = key }), Cancel)).Incident;
        }

        var sent = office.Channel.Shown.ToDictionary(shown => shown.Key, shown => shown.Value.Title);
        await office.Updater.ShowEndAsync(incident, office.Cards.Closed(incident, Some.Runbook()), Cancel);
        Kinds("page:lease").ShouldBe([CardKind.Closed, CardKind.Closed]);
        Kinds("closed").ShouldBe([CardKind.Page, CardKind.Page], "it told of this end");

        await office.Updater.ShowClosedAsync(incident, Cancel);

        Kinds("closed").ShouldBe([CardKind.Closed, CardKind.Closed]);
        foreach (var kept in new[] { "report", $"{NotificationUpdater.HandedOver}:notify:step" })
        {
            sent.Where(one => one.Value == kept).Select(one => office.Channel.Shown[one.Key].Title).ShouldBe([kept, kept]);
        }

        IEnumerable<CardKind> Kinds(string title) => sent.Where(one => one.Value == title).Select(one => office.Channel.Shown[one.Key].Kind);
    }

    /// <summary>PagerDuty calls the next one while an alert is not acknowledged.</summary>
    [Fact]
    public async Task WhoeverSeesToIt_IsShownOnWhatCalledForAPerson()
    {
        var office = await AskAsync(Some.Gate());
        Incident incident = await office.Store.UpdateAsync(Id, i => i.End(IncidentState.Failed, "It broke.", Some.Time), Cancel);
        foreach (var key in new[] { "page:ended", "closed", $"{NotificationUpdater.HandedOver}notify:step" })
        {
            incident = (await office.Notifier.SendAsync(incident, new(key, ["oncall"], _ => office.Cards.Page(incident, Some.Runbook(), "It broke.", Some.Time) with { Title = key }), Cancel)).Incident;
        }

        var sent = office.Channel.Shown.ToDictionary(shown => shown.Key, shown => shown.Value.Title);
        await office.Verbs.AcknowledgeAsync(Id, "grace", "driving in", Cancel);

        Shown("page:ended").ShouldEach(card => card.Kind == CardKind.Decided && card.IsSeenTo);
        Shown("closed").ShouldEach(card => card.Kind == CardKind.Decided && card.Title.StartsWith("grace sees to it: ") && card.Sections[0].Lines[0] == "driving in");
        Shown($"{NotificationUpdater.HandedOver}notify:step").ShouldEach(card => card.Kind == CardKind.Page);

        List<Card> Shown(string title) => [.. sent.Where(one => one.Value == title).Select(one => office.Channel.Shown[one.Key])];
    }

    /// <summary>Each approval shows what it recorded; the change that was sent first may be the last to arrive.</summary>
    [Fact]
    public async Task TwoApprovalsWithinASecond_AreShownAsApprovedWhicheverComesLast()
    {
        var channel = new FirstChangesAreSlow();
        var office = await AskAsync(Some.Gate() with { Required = 2 }, channel);

        var first = office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Approve, "ada", "api"), Cancel);
        await channel.Begun.Task;
        await office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Approve, "grace", "api"), Cancel);
        channel.Go.SetResult();
        await first;

        channel.Shown.Values.ShouldEach(card => card.Title.StartsWith("Approved"));
    }

    /// <summary>The change that shows the decision was sent first, and is the last to arrive.</summary>
    [Theory]
    [InlineData(IncidentState.Failed)]
    [InlineData(IncidentState.Resolved)]
    public async Task EndThatOvertakesTheDecision_IsWhatTheCardsSay(IncidentState state)
    {
        var channel = new FirstChangesAreSlow();
        var office = await AskAsync(Some.Gate(), channel);

        var deciding = office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Approve, "ada", "api"), Cancel);
        await channel.Begun.Task;
        Incident ended = await office.Store.UpdateAsync(Id, i => i.End(state, "So it ended.", Some.Time), Cancel);
        var end = office.Cards.End(ended, Some.Runbook(), Some.Time);
        await office.Updater.ShowEndAsync(ended, end, Cancel);
        channel.Go.SetResult();
        await deciding;

        channel.Shown.Values.ShouldEach(card => card.Title == end.Title && card.CallsNobody);
    }

    private sealed class FirstChangesAreSlow : INotifier
    {
        private int _changes;

        public string Channel => "test";

        public TaskCompletionSource Begun { get; } = new();

        public TaskCompletionSource Go { get; } = new();

        public ConcurrentDictionary<string, Card> Shown { get; } = new();

        public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken) => Task.FromResult<Receipt>(to.To);

        public async Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _changes) is <= 2 and var change)
            {
                if (change == 2)
                {
                    Begun.SetResult();
                }

                await Go.Task;
            }

            Shown[reference] = card;
        }
    }

    [Fact]
    public async Task ChannelThatCannotChangeItsCard_DoesNotHarmTheDecision()
    {
        var broken = new Broken();
        var office = await AskAsync(Some.Gate(), broken);

        var receipt = await office.Approvals.DecideAsync(Id, null, new DecisionRequest(DecisionVerb.Reject, "ada", "api"), Cancel);

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        broken.Updates.ShouldBe(2);
    }

    private const string Id = "261123-0312-k7m2p9wd";

    private static async Task<ApprovalOffice> AskAsync(Gate gate, INotifier? channel = null)
    {
        var office = channel is null ? new ApprovalOffice(People.Book) : new ApprovalOffice(People.Book, channel);
        var incident = Some.Waiting(gate: gate);
        await office.Store.OpenAsync(incident, Some.Runbook(), _ => null, Cancel);
        await office.Notifier.SendAsync(
            incident,
            new("mitigation-1:0", ["oncall"], to => office.Cards.Approval(incident, Some.Runbook(), gate, to.Name, CardKind.ApprovalRequest)),
            Cancel);
        return office;
    }

    private sealed class Broken : INotifier
    {
        public int Updates { get; private set; }

        public string Channel => "test";

        public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken) => Task.FromResult<Receipt>(to.To);

        public Task UpdateAsync(string reference, Card card, CancellationToken cancellationToken)
        {
            Updates++;
            throw new InvalidOperationException("gone");
        }
    }
}
