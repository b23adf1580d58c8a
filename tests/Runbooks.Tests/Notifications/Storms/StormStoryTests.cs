using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Some = TestKit.Incidents.Some;
using Storm = Runbooks.Notifications.Storms.StormRegistry;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>So much breaks at once that one message has to do for all of it.</summary>
public sealed class StormStoryTests : IAsyncDisposable
{
    private const int Many = 200;
    private static readonly TimeSpan s_gathered = TimeSpan.FromSeconds(20);

    private readonly ScriptedChannel _chat = new("chat");
    private readonly ScriptedChannel _pager = new("pager");
    private readonly Runbook _runbook = Some.Runbook();
    private readonly IncidentWorld _world;

    public StormStoryTests() => _world = new(new WorldHubOptions { ReplayEveryTurn = false }, services => services
        .AddSingleton(new ContactBook(
        [
            new("oncall", [new("ada", [new("chat", "ada", "ada")])]),
            new("platform-lead", [new("linus", [new("chat", "linus", "linus")])]),
            new(ContactBook.Fallback, [new("duty", [new("pager", "duty", "duty")])]),
        ]))
        .AddSingleton<INotifier>(_chat)
        .AddSingleton<INotifier>(_pager)
        .AddWatchdog());

    [Fact]
    public async Task TwoHundredAtOnce_AreAskedAboutInOneMessageThatListsThemAll()
    {
        await OpenAsync(Many);
        _chat.Sent.ShouldBeEmpty();

        await AdvanceAsync(s_gathered);

        var card = _chat.Sent.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("200 incidents of 'Broken thing' ask you at once");
        var targets = string.Join(", ", card.Sections.Single(section => section.Heading == "Targets").Lines).Split(", ");
        targets.ShouldBe(_world.Store.All.Select(incident => incident.Target), ignoreOrder: true);
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.AwaitingApproval && incident.InStorm);
        _world.Store.All.ShouldAllBe(incident => incident.Timeline.Count(entry => entry.What == "Told ada by chat, in one message about 200 incidents.") == 1);
    }

    [Fact]
    public async Task AsManyAsMayAskAlone_AskAlone()
    {
        await OpenAsync(50);

        _chat.Sent.Count.ShouldBe(50);
        _world.Store.All.ShouldAllBe(incident => !incident.InStorm);
    }

    [Fact]
    public async Task ManyOverALongerTime_AskAlone()
    {
        for (var i = 0; i < 5; i++)
        {
            await OpenAsync(30);
            _world.Time.Advance(TimeSpan.FromSeconds(61));
        }

        _chat.Sent.Count.ShouldBe(150);
    }

    [Fact]
    public async Task NobodyAnswers_IsRemindedEscalatedAndEndedInOneMessageEach()
    {
        await OpenAsync(60);

        await AdvanceAsync(TimeSpan.FromMinutes(21));
        await WatchAsync();

        var kinds = _chat.Sent.Where(sent => sent.To.Recipient == "ada").Select(sent => sent.Card.Title).ToList();
        kinds.ShouldBe(
        [
            "60 incidents of 'Broken thing' ask you at once",
            "Still waiting: 60 incidents of 'Broken thing' ask you at once",
            "Still waiting: 60 incidents of 'Broken thing' ask you at once",
            "Still waiting: 60 incidents of 'Broken thing' ask you at once",
            "A person is needed: 60 of 60 incidents of 'Broken thing' were not solved",
        ]);
        _chat.Sent.Count(sent => sent.To.Recipient == "linus").ShouldBe(3);
        _pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Expired);
    }

    [Fact]
    public async Task ApprovedAndSolved_AreToldInOneMessage()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync(60);
        await AdvanceAsync(s_gathered);
        foreach (var incident in _world.Store.All)
        {
            await _world.DecideAsync(incident.Id, DecisionVerb.Approve, "ada");
        }

        await WatchAsync();
        await WatchAsync();

        _chat.Sent.Select(sent => sent.Card.Title).ShouldBe(
            ["60 incidents of 'Broken thing' ask you at once", "60 incidents of 'Broken thing' have ended"]);
        _chat.Sent.Last().Card.Sections[0].Lines.ShouldBe(["60 × Resolved"]);
    }

    [Fact]
    public async Task ChannelDown_AsksTheFallbackOnceForAll()
    {
        _chat.Before = ScriptedChannel.Fail;
        await OpenAsync(60);

        await PassAsync(s_gathered + s_gathered);

        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("60 incidents of 'Broken thing' ask you at once");
        _world.Store.All.ShouldAllBe(incident => incident.OpenGate!.Approvers.Contains(ContactBook.Fallback));
    }

    [Fact]
    public async Task EverythingDown_IsAskedAgainAndEndsAreToldWhenALineIsBack()
    {
        (_chat.Before, _pager.Before) = (ScriptedChannel.Fail, ScriptedChannel.Fail);
        await OpenAsync(60);
        await PassAsync(TimeSpan.FromMinutes(25));
        await WatchAsync();
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Expired);

        _pager.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();

        _pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
        _pager.Attempts.ShouldBeGreaterThan(4);
        _world.Store.All.ShouldAllBe(incident => incident.Deliveries.Count < 30);
    }

    [Fact]
    public async Task SenderThatDied_IsFollowedByAnother()
    {
        await OpenAsync(60);
        (await _world.Get<Storm>().TakeTurnAsync(_runbook.Id, Cancel)).ShouldNotBeNull();

        await AdvanceAsync(TimeSpan.FromMinutes(2));
        _chat.Sent.ShouldBeEmpty();
        await AdvanceAsync(TimeSpan.FromMinutes(2));

        _chat.Sent.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task StormThatIsOver_IsForgotten()
    {
        await OpenAsync(60);
        await AdvanceAsync(TimeSpan.FromMinutes(25));
        await WatchAsync();

        (await _world.Get<Storm>().ListAsync(Cancel)).ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>They open together, and then run.</summary>
    private async Task OpenAsync(int count)
    {
        var before = _world.Store.All.Count;
        var incidents = Enumerable.Range(before, count).Select(i => Some.Incident(_runbook, $"261123-0300-{i:000000}") with
        {
            Target = $"inference/llm-b-{i}",
            OpenedAt = _world.Time.GetUtcNow(),
        }).ToList();
        foreach (var incident in incidents)
        {
            await _world.Store.OpenAsync(incident, _runbook, _ => null, Cancel);
        }

        foreach (var incident in incidents)
        {
            await _world.Engine.OpenAsync(IncidentInput.Of(incident.Id, _runbook));
        }

        await _world.Engine.SettleAsync();
    }

    private Task AdvanceAsync(TimeSpan by) => _world.AdvanceAsync(_world.Store.All[0].Id, by);

    /// <summary>While channels pause between their attempts, time has to pass inside an activity.</summary>
    private Task PassAsync(TimeSpan by) => _world.Time.PassAsync(by, _world.Engine.SettleAsync);

    private async Task WatchAsync()
    {
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        await _world.Time.UntilDoneAsync(_world.Get<IncidentWatchdog>().CheckAsync(Cancel));
    }
}
