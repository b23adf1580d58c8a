using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>A storm whose people have a pager each, which several of them may share.</summary>
public sealed class StormCallsTests : IAsyncDisposable
{
    private readonly ScriptedChannel _chat = new("chat");

    /// <summary>As of PagerDuty: what two recipients are told at once is one alert.</summary>
    private readonly ScriptedChannel _pager = new("pager") { Rings = true, ReferenceOf = (to, card) => $"{to.To}|{card.Key![..card.Key!.LastIndexOf($":{to.Recipient}@", StringComparison.Ordinal)]}" };

    private readonly Runbook _runbook = AskingBoth(Given.Runbook());
    private IncidentWorld? _world;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Thirty writes at once of the document that all storms share collide, and each keeps somebody from being called.</summary>
    [Fact]
    public async Task AlertsToSeveral_AreKeptInOneWrite()
    {
        _world = World(Pager("ada"), Pager("ben"));
        var writes = new List<int>();
        var card = new Card { Kind = CardKind.ApprovalRequest, IncidentId = "storm-1", Title = "Many" };

        await _world.Get<NotificationDispatcher>().SendToAsync([("storm:1", Pager("ada"), card), ("storm:1", Pager("ben"), card)], [], Keep, Cancel);

        writes.ShouldBe([2]);

        Task Keep(IReadOnlyList<Delivery> calls)
        {
            writes.Add(calls.Count);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task BeforeAnybodyIsCalled_AllAlertsAreOnRecord()
    {
        _world = World(Pager("ada"), Pager("ben"));
        var expected = new List<int>();
        _pager.Before = async (_, _) => expected.Add((await _world.Get<StormRegistry>().ListAsync(Cancel)).Single().Expected.Count);

        await OpenStormAsync();

        expected.ShouldBe([2, 2]);
    }

    /// <summary>The chat takes every message: nothing rang, so nothing has to be ended.</summary>
    [Fact]
    public async Task AlertsThatWereNeverOpened_AreNotEnded()
    {
        _world = World(Chat("ada"), Chat("ben"));
        var changed = 0;
        _pager.BeforeUpdate = () => Task.FromResult(changed++);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        await OpenStormAsync();
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).Single().Ringing.ShouldBeEmpty();
        foreach (var incident in _world.Store.All)
        {
            await _world.DecideAsync(incident.Id, DecisionVerb.Approve, "ada");
        }

        await _world.AdvanceAsync(_world.Store.All[0].Id, TimeSpan.FromMinutes(5));
        for (var i = 0; i < 3; i++)
        {
            _world.Time.Advance(TimeSpan.FromMinutes(1));
            await _world.Time.UntilDoneAsync(_world.Get<IncidentWatchdog>().CheckAsync(Cancel));
        }

        _world.Store.All.ShouldAllBe(incident => incident.State.IsFinal());
        _pager.Sent.ShouldBeEmpty();
        changed.ShouldBe(0);
    }

    /// <summary>One key calls up whoever of them is on call there, who is to hear of the question and that somebody has not.</summary>
    [Fact]
    public async Task LastInLineWithTheKeyOfWhoeverWasAsked_IsCalledUpAsWell()
    {
        _world = World(Pager("ada"), Chat("ben") with { Addresses = [new("chat", "ben", "ben")] });
        _chat.Before = (_, _) => throw new DeliveryException("is away.");

        await OpenStormAsync();

        _pager.Sent.Select(sent => sent.To.Recipient).ShouldBe(["ada", "duty"]);
        _pager.Shown.Count.ShouldBe(2, "each is an alert of its own");
    }

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static Runbook AskingBoth(Runbook runbook) => runbook with { Mitigation = runbook.Mitigation with { Approval = Given.Approval() with { From = ["oncall", "second"] } } };

    private static Recipient Pager(string name) => new(name, [new("pager", "key", name)]);

    private static Recipient Chat(string name) => new(name, [new("chat", name, name), new("pager", "key", name)]);

    private IncidentWorld World(Recipient first, Recipient second) => new(new WorldHubOptions { ReplayEveryTurn = false }, services => services
        .AddSingleton(new ContactBook([new("oncall", [first]), new("second", [second]), new(ContactBook.Fallback, [Pager("duty")])]))
        .AddSingleton<INotifier>(_chat)
        .AddSingleton<INotifier>(_pager)
        .AddWatchdog());

    private async Task OpenStormAsync()
    {
        for (var i = 0; i < 6; i++)
        {
            await _world!.Store.OpenAsync(Given.Incident(_runbook, $"261123-0300-{i:000000}") with { Target = $"inference/llm-b-{i}", OpenedAt = _world.Time.GetUtcNow() }, _runbook, _ => null, Cancel);
        }

        foreach (var incident in _world!.Store.All)
        {
            await _world.Engine.OpenAsync(IncidentInput.Of(incident.Id, _runbook));
        }

        await _world.Engine.SettleAsync();
        await _world.AdvanceAsync(_world.Store.All[0].Id, TimeSpan.FromSeconds(20));
    }
}
