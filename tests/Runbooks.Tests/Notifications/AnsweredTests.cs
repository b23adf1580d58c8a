using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Orchestration;
using Runbooks.Tests.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>Who has answered, and what was answered, calls nobody up any more.</summary>
public sealed class AnsweredTests
{
    private const string Id = "261123-0300-aaaaaa";
    private static readonly Approval s_approval = Given.Approval() with { Timeout = TimeSpan.FromHours(2), Escalate = [] };
    private readonly ScriptedChannel _chat = new("chat");
    private readonly ScriptedChannel _phone = new("phone");
    private readonly ScriptedChannel _pager = new("pager");

    /// <summary>Ada answers while her colleague's line is still being tried.</summary>
    [Fact]
    public async Task AnsweredWhileAnotherChannelIsTried_CallsNobodyElse()
    {
        await using var world = World();
        _phone.Before = async (_, _) =>
        {
            await world.Store.UpdateAsync(Id, i => i.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", world.Time.GetUtcNow())), Cancel);
            throw new DeliveryException("answered 400.");
        };

        await world.Time.UntilDoneAsync(world.OpenAsync(Asking(s_approval with { RemindAfter = null, From = ["oncall", "sre"] })));

        _pager.Sent.ShouldBeEmpty();
        (await world.Store.GetAsync(Id, Cancel)).FindGate("mitigation-1")!.Approvers.ShouldBe(["oncall", "sre"]);
    }

    /// <summary>Ada approves while her colleague's line is still being tried, and a second yes is needed.</summary>
    [Fact]
    public async Task FirstOfTwoApprovalsWhileTheQuestionIsBeingSent_IsShownOnIt()
    {
        await using var world = World();
        _phone.Before = async (_, _) => await world.Store.UpdateAsync(Id, i => i.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", world.Time.GetUtcNow())), Cancel);

        await world.OpenAsync(Asking(s_approval with { RemindAfter = null, From = ["oncall", "sre"], Required = 2 }));

        var (hers, other) = (_chat.Shown.Values.Single(), _phone.Shown.Values.Single());
        (hers.GateId, other.GateId).ShouldBe((null, "mitigation-1"));
        other.Sections.Single(section => section.Heading == "Who has to approve").Lines.ShouldBe(["2 different people have to approve. So far: ada."]);
    }

    /// <summary>Ada sees to it, or closes it, while her colleague's line is still being tried.</summary>
    [Theory]
    [InlineData(false, CardKind.Decided)]
    [InlineData(true, CardKind.Closed)]
    public async Task EndThatSomebodySeesToWhileItIsTold_CallsNobodyElseAndIsShownSo(bool closed, CardKind shown)
    {
        await using var world = World();
        var runbook = TestKit.Some.Runbook() with { Fallback = "sre" };
        var asked = TestKit.Some.Waiting(Id) with { Deliveries = [new Delivery("mitigation-1:0:ada@chat", "ada", "chat", TestKit.Some.Time, null, "asked")] };
        var ended = asked.End(IncidentState.Failed, "It broke.", TestKit.Some.Time);
        await world.Store.OpenAsync(ended, runbook, _ => null, Cancel);
        _phone.Before = async (_, _) =>
        {
            await world.Store.UpdateAsync(Id, i => closed ? i.CloseByHand("ada", "done", world.Time.GetUtcNow()) : i.Acknowledge("ada", null, world.Time.GetUtcNow()), Cancel);
            throw new DeliveryException("answered 400.");
        };

        await world.Time.UntilDoneAsync(world.Get<EndFinisher>().FinishAsync(ended, runbook, isTold: false, Cancel));

        _chat.Sent.ShouldHaveSingleItem();
        _chat.Shown.Values.Select(card => card.Kind).ShouldBe([shown, shown], "the question, and what told of the end");
        _pager.Sent.ShouldBeEmpty();
    }

    /// <summary>She can say no more than yes; grace, whose yes is missing, is reminded.</summary>
    [Fact]
    public async Task WhoHasSaidYes_IsNotRemindedWhileItWaitsForOthers()
    {
        await using var world = World();
        await world.OpenAsync(Asking(s_approval with { From = ["oncall", "sre"], Required = 2 }));
        var (approved, _) = await world.DecideAsync(Id, DecisionVerb.Approve, "ada");
        await world.Get<NotificationUpdater>().ShowGateAsync(approved, "mitigation-1", Cancel);
        (_chat.Shown.Values.Single().IsAnswered, _phone.Shown.Values.Single().IsAnswered).ShouldBe((true, false));

        await world.AdvanceAsync(Id, TimeSpan.FromMinutes(12));

        _chat.Sent.ShouldHaveSingleItem();
        _phone.Sent.Count(sent => sent.Card.Kind == CardKind.Reminder).ShouldBe(2);
        _pager.Sent.ShouldBeEmpty("both have been reached");
    }

    /// <summary>A team has one key, and so one alert: it goes on calling whoever has not answered.</summary>
    [Fact]
    public async Task AlertThatTwoShare_IsAnsweredOnceBothAre()
    {
        var shared = new ScriptedChannel("key") { ReferenceOf = (_, _) => "alert" };
        await using var world = new IncidentWorld(configure: services => services
            .AddSingleton(new ContactBook([new("oncall", [Person("ada", "key"), Person("grace", "key"), Person("linus", "phone")])]))
            .AddSingleton<INotifier>(_phone)
            .AddSingleton<INotifier>(shared));
        await world.OpenAsync(Asking(s_approval with { From = ["oncall"], Required = 3 }));

        List<bool> answered = [];
        foreach (var name in new[] { "ada", "grace" })
        {
            var (approved, _) = await world.DecideAsync(Id, DecisionVerb.Approve, name);
            await world.Get<NotificationUpdater>().ShowGateAsync(approved, "mitigation-1", Cancel);
            answered.Add(shared.Shown["alert"].IsAnswered);
        }

        answered.ShouldBe([false, true]);
    }

    /// <summary>Its page is about the question: once that is decided it calls nobody.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PageAboutAQuestionThatReachedNobody_EndsWithTheQuestion(bool decided)
    {
        await using var world = new WatchdogWorld();
        var incident = TestKit.Some.Waiting() with { Deliveries = [new Delivery($"page:unheard-mitigation-1:{ContactBook.Fallback}", ContactBook.Fallback, "test", TestKit.Some.Time, null, "page-1")] };
        incident = decided ? incident.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", TestKit.Some.Time)).Incident : incident;
        await world.OpenAsync(incident);

        await world.Get<NotificationUpdater>().ShowGateAsync(incident, "mitigation-1", Cancel);

        world.Changed.Select(changed => changed.Key).ShouldBe(decided ? ["page-1"] : []);
    }

    [Fact]
    public async Task QuestionThatIsAnsweredWhileAPersonIsPagedAboutIt_EndsThePage()
    {
        await using var world = new WatchdogWorld();
        var id = await world.OpenAsync(TestKit.Some.Waiting());
        world.WhileSending = () => world.Store.UpdateAsync(id, i => i.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", world.Now)), Cancel);

        await world.Get<IncidentPager>().PageOnceAsync(await world.Store.GetAsync(id, Cancel), NotificationUpdater.UnheardOf("mitigation-1"), "Nobody has it.", Cancel);

        var page = world.Sent.ShouldHaveSingleItem().Card.Key;
        world.Changed.ShouldHaveSingleItem().Key.ShouldBe(page);
    }

    /// <summary>A page about something else has to come to somebody all the same.</summary>
    [Theory]
    [InlineData("unheard-mitigation-1", false)]
    [InlineData("lease", true)]
    public async Task QuestionThatIsAnsweredWhileAPageIsTried_CallsTheLastInLineOnlyAboutSomethingElse(string trouble, bool called)
    {
        await using var world = World();
        await world.Store.OpenAsync(TestKit.Some.Waiting(Id), TestKit.Some.Runbook() with { Fallback = "sre" }, _ => null, Cancel);
        _phone.Before = async (_, _) =>
        {
            await world.Store.UpdateAsync(Id, i => i.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", world.Time.GetUtcNow())), Cancel);
            throw new DeliveryException("answered 400.");
        };

        await world.Time.UntilDoneAsync(world.Get<IncidentPager>().RequestPageAsync(new PageRequest(Id, trouble, "Nobody has it."), Cancel));

        _pager.Sent.Count.ShouldBe(called ? 1 : 0);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Runbook Asking(Approval approval) => Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = approval } };

    private static Recipient Person(string name, string channel) => new(name, [new(channel, name, name)]);

    private IncidentWorld World() => new(configure: services => services
        .AddSingleton(new ContactBook([new("oncall", [Person("ada", "chat")]), new("sre", [Person("grace", "phone")]), new(ContactBook.Fallback, [Person("duty", "pager")])]))
        .AddSingleton<INotifier>(_chat)
        .AddSingleton<INotifier>(_phone)
        .AddSingleton<INotifier>(_pager));
}
