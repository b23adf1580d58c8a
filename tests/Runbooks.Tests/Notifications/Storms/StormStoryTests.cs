using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>So much breaks at once that one message has to do for all of it.</summary>
public sealed partial class StormStoryTests : IAsyncDisposable
{
    private const int Many = 200;
    private static readonly TimeSpan s_gathered = TimeSpan.FromSeconds(20);

    private readonly ScriptedChannel _chat = new("chat");
    private readonly ScriptedChannel _pager = new("pager");
    private readonly Runbook _runbook = Given.Runbook();
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
        var targets = string.Join("; ", card.Sections.Single(section => section.Heading == "Targets").Lines).Split("; ");
        targets.ShouldBe(_world.Store.All.Select(incident => incident.Target), ignoreOrder: true);
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.AwaitingApproval && incident.InStorm);
        _world.Store.All.ShouldAllBe(incident => incident.Timeline.Count(entry => entry.What == "Told ada by chat, in one message about 200 incidents.") == 1);
    }

    [Fact]
    public async Task IncidentsWhoseChecksSeeNothingToDo_MakeNoStormOfTheOneThatAsks()
    {
        _world.Script.Verdicts["fine"] = Verdict.Passing;
        var healthy = _runbook with { Id = "fine-thing", Hash = "fine-thing", Diagnosis = [Given.Check("fine")], Mitigation = _runbook.Mitigation with { Verify = new(["fine"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)) }, Limits = new() };
        await OpenAsync([.. Enumerable.Repeat(healthy, 8)]);

        await OpenAsync(1);

        _chat.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("Fix llm-b-0?");
        _world.Store.All.ShouldAllBe(incident => !incident.InStorm);
    }

    [Fact]
    public async Task TemporaryFixesOfAStorm_AreToldOfInOneMessageWhenTheyBegin()
    {
        var leasing = _runbook with { Mitigation = _runbook.Mitigation with { HoldUntil = new(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)) } };
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync([.. Enumerable.Repeat(leasing, 8)]);
        await AdvanceAsync(s_gathered);
        await DecideAsync(_world.Store.All, DecisionVerb.Approve);

        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Holding && incident.InStorm);
        var before = _chat.Sent.Count;

        await WatchAsync();
        await WatchAsync();

        var card = _chat.Sent.Skip(before).ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("8 temporary fixes of 'Broken thing' are in place");
        card.Sections.Single(section => section.Heading == "Targets").Lines.ShouldHaveSingleItem().ShouldContain("inference/llm-b-7");
        card.Sections.Single(section => section.Heading == "What ends it").Lines[0].ShouldStartWith("It is taken back once full has passed for 5m");
        _world.Store.All.ShouldAllBe(incident => incident.HasDelivery("holding"));
    }

    [Fact]
    public async Task AsManyAsMayAskAlone_AskAlone()
    {
        await OpenAsync(4);

        _chat.Sent.Count.ShouldBe(4);
        _world.Store.All.ShouldAllBe(incident => !incident.InStorm);
    }

    [Fact]
    public async Task SeveralOverALongerTime_AskAlone()
    {
        for (var i = 0; i < 5; i++)
        {
            await OpenAsync(3);
            _world.Time.Advance(TimeSpan.FromSeconds(61));
        }

        _chat.Sent.Count.ShouldBe(15);
    }

    [Fact]
    public async Task FifthWithinAMinute_TakesInThoseThatWait()
    {
        for (var i = 0; i < 5; i++)
        {
            await OpenAsync(1);
            _world.Time.Advance(TimeSpan.FromSeconds(5));
        }

        await AdvanceAsync(s_gathered);

        _chat.Sent.Select(sent => sent.Card.Title).ShouldBe([.. Enumerable.Repeat("Fix llm-b-0?", 4), "5 incidents of 'Broken thing' ask you at once"]);
        _world.Store.All.Select(incident => incident.Storm).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
        _world.Store.All[0].Timeline.ShouldContain(entry => entry.What == "Many incidents ask at once: from now on one message tells of all of them.");

        // The first one's own question still takes an answer.
        await _world.DecideAsync(_world.Store.All[0].Id, DecisionVerb.Reject, "ada");
        _world.Store.All[0].State.ShouldBe(IncidentState.Rejected);
    }

    [Fact]
    public async Task NobodyAnswers_IsRemindedEscalatedAndEndedInOneMessageEach()
    {
        await OpenAsync(60);

        await AdvanceAsync(TimeSpan.FromMinutes(21));
        await WatchAsync();

        TitlesTo("ada").ShouldBe(
        [
            "60 incidents of 'Broken thing' ask you at once",
            "Still waiting: 60 incidents of 'Broken thing' ask you at once",
            "A person is needed: 60 of 60 incidents of 'Broken thing' were not solved",
        ]);
        TitlesTo("linus").ShouldBe(
        [
            "Escalated: 60 incidents of 'Broken thing' ask you at once",
            "A person is needed: 60 of 60 incidents of 'Broken thing' were not solved",
        ]);
        _pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Expired);
    }

    /// <summary>Whoever is woken for it is told that a yes changes nothing now, once for all of them.</summary>
    [Fact]
    public async Task KillSwitchWhileAStormIsAsked_IsToldWithItsReminder()
    {
        await OpenAsync(20);
        await AdvanceAsync(s_gathered);
        await _world.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", Cancel);

        await AdvanceAsync(TimeSpan.FromMinutes(15));

        _chat.Sent.Count(sent => sent.Card.Sections.Any(section => section.Heading == "Warning")).ShouldBe(2);
        _chat.Sent.Last().Card.Sections.Single(section => section.Heading == "Warning").Lines.ShouldHaveSingleItem().ShouldStartWith("When this was last looked at, nothing could run, and no yes is taken while that lasts: The kill switch is on");
    }

    [Fact]
    public async Task OpenedOneAfterTheOtherForMinutes_CostNobodyMoreThanSixMessages()
    {
        for (var i = 0; i < 65; i++)
        {
            await OpenAsync(1);
            await AdvanceAsync(TimeSpan.FromSeconds(4));
        }

        await AdvanceAsync(TimeSpan.FromMinutes(15));

        TitlesTo("ada").Count.ShouldBeLessThanOrEqualTo(6);
        TitlesTo("linus").Count.ShouldBeLessThanOrEqualTo(2);
        var incidents = _world.Store.All;
        incidents.ShouldAllBe(incident => incident.Deliveries.Any(delivery => delivery.Reached && delivery.Contact == "ada"));
    }

    [Fact]
    public async Task SeveralRunbooks_AreOneStormInOneMessage()
    {
        var other = Given.Runbook() with { Id = "other-thing", Title = "Other thing", Hash = "hash-2" };

        await OpenAsync([.. Enumerable.Repeat(_runbook, 6), .. Enumerable.Repeat(other, 6)]);
        await AdvanceAsync(s_gathered);

        var card = _chat.Sent.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("12 incidents ask you at once");
        card.Sections.Select(section => section.Heading).ShouldBe(
            ["What broke", "Targets: Broken thing (6 targets)", "Targets: Other thing (6 targets)", "What will be done on each: Broken thing (6 targets)", "What will be done on each: Other thing (6 targets)", "How to undo it", "If nobody answers"]);
    }

    [Theory]
    [InlineData("warning")]
    [InlineData(null)]
    public async Task MoreSevereThanWhatWasTold_IsToldAtOnceByItself(string? before)
    {
        await OpenAsync([.. Enumerable.Repeat(_runbook, 10)], before);
        await AdvanceAsync(s_gathered);

        await OpenAsync([.. Enumerable.Repeat(_runbook, 3)], "critical");

        TitlesTo("ada").ShouldBe(["10 incidents of 'Broken thing' ask you at once", "Fix llm-b-0?"]);
    }

    [Fact]
    public async Task MoreSevereAlertOnATargetOfTheStorm_IsToldAtOnceAndOnce()
    {
        await OpenAsync([.. Enumerable.Repeat(_runbook, 10)], "warning");
        await AdvanceAsync(s_gathered);

        foreach (var incident in _world.Store.All.Take(5))
        {
            var worse = Given.Alert() with { Name = "NodeDown", Fingerprint = $"worse-{incident.Id}", Severity = "critical", Summary = "The node is gone" };
            var (changed, _) = await _world.Store.UpdateAsync(incident.Id, i => (i.Attach(worse, _world.Time.GetUtcNow()), true), Cancel);
            await _world.Engine.RaiseAsync(changed.Id, changed.WakeEvent!);
            await _world.SettleAsync(changed.Id);
        }

        TitlesTo("ada").ShouldBe(["10 incidents of 'Broken thing' ask you at once", "News: Fix llm-b-0?"]);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private List<string> TitlesTo(string recipient) => [.. _chat.Sent.Where(sent => sent.To.Recipient == recipient).Select(sent => sent.Card.Title)];

    private Task OpenAsync(int count) => OpenAsync([.. Enumerable.Repeat(_runbook, count)]);

    /// <summary>They open together, and then run.</summary>
    private async Task OpenAsync(IReadOnlyList<Runbook> runbooks, string? severity = "critical")
    {
        var before = _world.Store.All.Count;
        var incidents = runbooks.Select((runbook, i) => (Runbook: runbook, Incident: Given.Incident(runbook, $"261123-0300-{before + i:000000}") with
        {
            Target = $"inference/llm-b-{before + i}",
            Alert = Given.Alert() with { Severity = severity },
            OpenedAt = _world.Time.GetUtcNow(),
        })).ToList();
        foreach (var (runbook, incident) in incidents)
        {
            await _world.Store.OpenAsync(incident, runbook, _ => null, Cancel);
        }

        foreach (var (runbook, incident) in incidents)
        {
            await _world.Engine.OpenAsync(IncidentInput.Of(incident.Id, runbook));
        }

        await _world.Engine.SettleAsync();
    }

    private async Task DecideAsync(IEnumerable<Incident> incidents, DecisionVerb verb, string by = "ada")
    {
        foreach (var incident in incidents)
        {
            await _world.DecideAsync(incident.Id, verb, by);
        }
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
