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
