using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Watchdog;

public sealed class HealthMonitorTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task EngineThatDoesNotAnswer_IsPagedOnceAndItsReturnIsTold()
    {
        _world.Engine.Illness = "The task hub does not answer.";

        for (var look = 0; look < 5; look++)
        {
            (await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None)).ShouldBeFalse();
        }

        _world.Paged.ShouldBe([ContactBook.Fallback]);
        _world.Engine.Illness = null;
        (await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None)).ShouldBeTrue();
        _world.Sent.Last().Card.Title.ShouldContain("works again");
        _world.Sent.First().Card.Sections[0].Lines.ShouldBe(["The task hub does not answer. Until it works again no incident goes on, and alerts may be refused: watch them at their senders. /healthz says what is wrong, and docs/troubleshooting.md what to do."]);
    }

    /// <summary>On a channel that calls somebody up, an alert that was acknowledged calls nobody again: each trouble is one of its own, and ends with it.</summary>
    [Fact]
    public async Task EachTrouble_IsAnAlertOfItsOwnThatEndsWithIt()
    {
        _world.Rings = true;
        await BreakAndMendAsync();
        _world.Time.Advance(TimeSpan.FromDays(4));

        await BreakAndMendAsync();

        var keys = _world.Sent.Select(sent => sent.Card.Key).ToList();
        keys.Count.ShouldBe(2, "the end of an alert is no other one");
        keys.Distinct().Count().ShouldBe(2);
        _world.Changed.Select(changed => changed.Key).ShouldBe(keys);
        _world.Changed.ShouldAllBe(changed => changed.Card.Kind == CardKind.Closed && changed.Card.Title == "The runbook service works again");

        async Task BreakAndMendAsync()
        {
            _world.Engine.Illness = "gone";
            await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
            await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
            _world.Engine.Illness = null;
            await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
        }
    }

    /// <summary>On a disk that hangs nothing fails. It is asked once, however long that takes: each further question would hang there too.</summary>
    [Fact]
    public async Task EngineThatNeverAnswers_IsPagedOnceAndItsReturnIsTold()
    {
        var disk = new TaskCompletionSource();
        _world.Engine.BeforeHealth = disk.Task;

        for (var look = 0; look < 3; look++)
        {
            var check = _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
            await _world.Time.UntilDoneAsync(check);
            (await check).ShouldBeFalse();
        }

        _world.Paged.ShouldBe([ContactBook.Fallback]);
        _world.Sent.First().Card.Links.ShouldHaveSingleItem().Url.ShouldBe("http://localhost:7071/");
        _world.Sent.First().Card.Sections[0].Lines[0].ShouldStartWith("The task hub does not answer: its disk hangs, or the network to it. Until it works again");
        _world.Engine.HealthChecks.ShouldBe(1);
        disk.SetResult();
        (await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None)).ShouldBeTrue();
        _world.Sent.Last().Card.Title.ShouldContain("works again");
    }

    /// <summary>What goes on in a damaged database has to be watched: a workflow that fails is told of by nobody else.</summary>
    [Fact]
    public async Task DamagedDatabase_IsToldOnceAsWhatItIsAndWatchedOn()
    {
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Failed);
        _world.Store.Damage = "The database is damaged: page 7 is never used. Put a backup in its place.";

        var incident = await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.Failed);
        _world.Sent.Count(sent => sent.Card.Title == "The database is damaged").ShouldBe(1);
        _world.Sent.ShouldNotContain(sent => sent.Card.Title.Contains("does not work"));
    }

    /// <summary>One part of the watch that cannot do its work keeps no other from it.</summary>
    [Fact]
    public async Task SharedStateThatCannotBeRead_DoesNotHideIncidents()
    {
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Failed);
        _world.State.Fault = () => new InvalidDataException("no JSON");

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));

        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task SingleHiccup_IsNotPaged()
    {
        _world.Engine.Illness = "busy";
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
        _world.Engine.Illness = null;
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);

        _world.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task PageThatReachedNobody_IsTriedAtTheNextLook()
    {
        (_world.Engine.Illness, _world.ChannelIsDown) = ("gone", true);
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
        _world.ChannelIsDown = false;

        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);

        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task ChannelThatHangs_DoesNotHoldUpTheWatch()
    {
        (_world.Engine.Illness, _world.ChannelHangs) = ("gone", true);
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);

        var look = _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);

        await _world.Time.UntilDoneAsync(look);
        (_world.Now - Some.Time).ShouldBeLessThan(TimeSpan.FromSeconds(20));
        _world.ChannelHangs = false;
        await _world.Get<HealthMonitor>().CheckAsync(CancellationToken.None);
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task WithoutAnEngine_NoIncidentIsJudged()
    {
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Failed);
        _world.Engine.Illness = "gone";

        var incident = await _world.CheckAsync(id, TimeSpan.FromHours(1));

        incident.Deliveries.ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
