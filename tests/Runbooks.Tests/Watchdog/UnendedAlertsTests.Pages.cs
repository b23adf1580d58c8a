using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Orchestration;
using Runbooks.Storage;
using Runbooks.Watchdog;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Watchdog;

/// <content>Pages: about what does not work, and about an end.</content>
public sealed partial class UnendedAlertsTests
{
    /// <summary>The page was taken, and nobody was told so: what works again ends it.</summary>
    [Fact]
    public async Task PageAboutTheSystemWhoseAnswerIsLost_EndsWithTheTrouble()
    {
        (_world.AnswersAreLost, _world.Engine.Illness) = (true, "gone");
        for (var look = 0; look < 3; look++)
        {
            await _world.Time.UntilDoneAsync(_world.Get<HealthMonitor>().CheckAsync(Cancel));
        }

        (_world.AnswersAreLost, _world.Engine.Illness) = (false, null);
        await _world.Get<HealthMonitor>().CheckAsync(Cancel);

        var paged = _world.Sent.Select(sent => sent.Card.Key).Distinct().ShouldHaveSingleItem();
        _world.Changed.ShouldHaveSingleItem().Key.ShouldBe(paged);
        _world.Changed.Single().Card.Kind.ShouldBe(CardKind.Closed);
    }

    [Fact]
    public async Task PageAboutAFileWhoseAnswerIsLost_EndsWithTheTrouble()
    {
        _world.AnswersAreLost = true;
        _world.Get<FileVersions>().Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await WatchAsync();
        await WatchAsync();
        _world.AnswersAreLost = false;
        _world.Get<FileVersions>().Use("windows.yaml", "windows: []");

        await WatchAsync();
        await WatchAsync();

        _world.Changed.ShouldHaveSingleItem().Key.ShouldBe(_world.Sent.First().Card.Key);
    }

    /// <summary>The same errors have the same alert, and what is still to be ended is the one before.</summary>
    [Fact]
    public async Task FileThatBreaksAgainInTheSameWay_GoesOnCalling()
    {
        var files = _world.Get<FileVersions>();
        files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await WatchAsync();
        _world.TakesNoChange = true;
        files.Use("windows.yaml", "windows: []");
        await WatchAsync();
        files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await WatchAsync();
        _world.TakesNoChange = false;
        _world.Time.Advance(TimeSpan.FromMinutes(5));

        await WatchAsync();

        _world.Sent.Count.ShouldBe(2);
        _world.Changed.ShouldBeEmpty();
    }

    /// <summary>The page came to the pager after the end, which had looked for it and found nothing to resolve.</summary>
    [Fact]
    public async Task PageThatIsSentWhileTheIncidentEnds_IsResolved()
    {
        var id = await _world.OpenAsync(Some.Waiting());
        _world.WhileSending = () => _world.Store.UpdateAsync(id, i => i.End(IncidentState.Resolved, "It is over.", _world.Now), Cancel);

        await _world.Get<IncidentPager>().RequestPageAsync(new PageRequest(id, "lease", "It lasts too long."), Cancel);

        _world.Changed.ShouldHaveSingleItem().Key.ShouldBe(_world.Sent.Single().Card.Key);
        _world.Changed.Single().Card.Kind.ShouldBe(CardKind.Closed);
    }

    private Task WatchAsync() => _world.Time.UntilDoneAsync(_world.Get<IncidentWatchdog>().CheckAsync(Cancel));
}
