using Microsoft.Extensions.DependencyInjection;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

public sealed class LostAlertsTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task BurstOfLosses_PagesTheFallbackOnce()
    {
        for (var post = 0; post < 5; post++)
        {
            await LoseAsync("alertmanager");
            _world.Time.Advance(TimeSpan.FromMinutes(2));
            await WatchAsync();
        }

        _world.Paged.ShouldBe(["fallback"]);
        var card = _world.Sent.ShouldHaveSingleItem().Card;
        card.Sections[0].Lines[0].ShouldContain("A post from alertmanager");
        card.Sections[0].Lines[0].ShouldContain("at least 3 in all");
        card.Sections[0].Lines[0].ShouldContain("the reason");
    }

    [Fact]
    public async Task NextBurst_AndAnotherSender_PageAgain()
    {
        await LoseAsync("alertmanager");
        await LoseAsync("grafana");
        _world.Time.Advance(TimeSpan.FromMinutes(31));
        await LoseAsync("alertmanager");

        _world.Paged.Count.ShouldBe(3);
    }

    [Fact]
    public async Task LossThatGoesOnForDays_PagesOnceADay()
    {
        for (var minutes = 0; minutes < 2 * 24 * 60; minutes += 20)
        {
            await LoseAsync("alertmanager");
            _world.Time.Advance(TimeSpan.FromMinutes(20));
        }

        _world.Paged.Count.ShouldBe(2);
    }

    [Fact]
    public async Task PageThatReachedNobody_IsTriedAgainByTheWatchdogOfAnyHost()
    {
        _world.ChannelIsDown = true;
        await LoseAsync("alertmanager");
        _world.Paged.ShouldBeEmpty();

        _world.ChannelIsDown = false;
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        await WatchAsync();
        await WatchAsync();

        _world.Paged.ShouldBe(["fallback"]);
    }

    /// <summary>A day ahead for a while, then set right.</summary>
    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task PageOfAClockThatWasAhead_HoldsBackNoOther(bool reachedNobody, int pages)
    {
        (_world.ChannelIsDown, var right) = (reachedNobody, _world.Now);
        _world.Time.AdjustTime(right.AddDays(1));
        await LoseAsync("alertmanager");
        _world.Time.AdjustTime(right);
        _world.ChannelIsDown = false;

        await (reachedNobody ? WatchAsync() : LoseAsync("alertmanager"));

        _world.Paged.Count.ShouldBe(pages);
    }

    [Fact]
    public async Task SenderThatIsBrokenForDays_HidesNoOtherLossOfItsKind()
    {
        for (var minutes = 0; minutes < 120; minutes += 5)
        {
            await LoseAsync("generic", $"$.alerts[{minutes}]: no object");
            _world.Time.Advance(TimeSpan.FromMinutes(5));
        }

        await LoseAsync("generic", "It names the runbook 'database-down', which is not loaded.");

        _world.Paged.Count.ShouldBe(2);
        _world.Sent.Last().Card.Sections[0].Lines[0].ShouldSatisfyAllConditions(line => line.ShouldStartWith("A post from generic at "), line => line.ShouldContain("database-down"));
    }

    [Fact]
    public async Task EverNewReasons_PageForSoManyAndThenOnceForTheRest()
    {
        for (var n = 0; n < 200; n++)
        {
            await LoseAsync("generic", $"It names the runbook '{new string('x', n + 1)}', which is not loaded.");
        }

        _world.Paged.Count.ShouldBe(21);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task LoseAsync(string sender, string why = "the reason") => _world.Get<LostAlerts>().RecordAsync(sender, 3, why, CancellationToken.None);

    private Task WatchAsync() => _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
}

/// <summary>After a minute of errors Azure Monitor sends nothing for 15 minutes, and what fires then is lost: somebody has to look there.</summary>
public sealed class AzureMonitorSilenceTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task OutageOfMinutes_IsToldOnceWhenAzureMonitorCallsAgain()
    {
        await TakeAsync("azure-monitor");
        await BreakForAsync(minutes: 3);

        await WatchAsync(minutes: 15);
        Told.ShouldBeEmpty();
        await WatchAsync(minutes: 30);

        var (from, until) = (Some.Time, Some.Time.AddMinutes(4));
        Told.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldSatisfyAllConditions(
            line => line.ShouldStartWith($"Alerts could not be taken here from {from:yyyy-MM-dd HH:mm} to {until:HH:mm} UTC."),
            line => line.ShouldContain($"what fired from {from:HH:mm} to {until.AddMinutes(15):HH:mm} UTC may never have come"));
        Told.Single().To.ShouldBe("fallback");
    }

    [Fact]
    public async Task OutageOfDays_SaysOnWhichDayItEnded()
    {
        await TakeAsync("azure-monitor");
        await BreakForAsync(minutes: 1_500);

        await WatchAsync(minutes: 30);

        Told.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain($"to {Some.Time.AddMinutes(1_501):yyyy-MM-dd HH:mm} UTC. After");
    }

    [Fact]
    public async Task EachOutage_IsToldOnce()
    {
        await TakeAsync("azure-monitor");
        for (var outage = 0; outage < 2; outage++)
        {
            await BreakForAsync(minutes: 3);
            await WatchAsync(minutes: 60);
        }

        Told.Count.ShouldBe(2);
        Told.Select(told => told.Card.Key).ShouldBeUnique();
    }

    [Theory]
    [InlineData("alertmanager", 3)]
    // It gives up after more than a minute, and one failed look is none.
    [InlineData("azure-monitor", 1)]
    public async Task WhereAzureMonitorDidNotGiveUp_NobodyIsTold(string sender, int minutes)
    {
        await TakeAsync(sender);
        await BreakForAsync(minutes);

        await WatchAsync(minutes: 60);

        Told.ShouldBeEmpty();
    }

    [Fact]
    public async Task OutageThatSeveralProcessesSaw_IsToldOnce()
    {
        var other = ActivatorUtilities.CreateInstance<HealthMonitor>(_world.Get<IServiceProvider>());
        await TakeAsync("azure-monitor");
        await BreakForAsync(minutes: 3, other);
        _world.Time.Advance(TimeSpan.FromSeconds(30));
        await other.CheckAsync(CancellationToken.None);

        await WatchAsync(minutes: 60);

        Told.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task StoreThatTakesTheEndOfTheOutageOnlyLater_LosesNothing()
    {
        await TakeAsync("azure-monitor");
        _world.State.Fault = () => new IOException("not yet");
        await BreakForAsync(minutes: 3);
        await BreakForAsync(minutes: 1);
        _world.State.Fault = null;

        await WatchAsync(minutes: 60);

        Told.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task PageThatReachedNobody_IsTriedAgain()
    {
        await TakeAsync("azure-monitor");
        await BreakForAsync(minutes: 3);
        _world.ChannelIsDown = true;
        await WatchAsync(minutes: 20);
        _world.ChannelIsDown = false;

        await WatchAsync(minutes: 20);

        Told.ShouldHaveSingleItem();
    }

    private IReadOnlyList<(string To, Card Card)> Told => [.. _world.Sent.Where(sent => sent.Card.Title == "Alerts of Azure Monitor may be missing")];

    private Task TakeAsync(string sender) => _world.Get<AzureMonitorSilence>().NoteAsync([Some.Alert() with { Source = sender }], CancellationToken.None);

    /// <summary>One look finds it broken each minute, and the next that it works.</summary>
    private async Task BreakForAsync(int minutes, HealthMonitor? other = null)
    {
        _world.Engine.Illness = "no network";
        for (var look = 0; look < minutes; look++)
        {
            await WatchAsync(minutes: 1);
            await (other?.CheckAsync(CancellationToken.None) ?? Task.CompletedTask);
        }

        _world.Engine.Illness = null;
        await WatchAsync(minutes: 1);
    }

    private async Task WatchAsync(int minutes)
    {
        for (var minute = 0; minute < minutes; minute++)
        {
            _world.Time.Advance(TimeSpan.FromMinutes(1));
            await _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        }
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
