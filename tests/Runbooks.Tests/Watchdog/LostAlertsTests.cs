using Runbooks.Watchdog;

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
        card.Sections[0].Lines[0].ShouldContain("3 alerts");
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

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task LoseAsync(string sender) => _world.Get<LostAlerts>().RecordAsync(sender, 3, "the reason", CancellationToken.None);

    private Task WatchAsync() => _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
}
