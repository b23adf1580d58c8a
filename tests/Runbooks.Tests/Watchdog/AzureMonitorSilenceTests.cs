using Microsoft.Extensions.DependencyInjection;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

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
