using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <summary>A page that the workflow asked for is held to the same as one of the watch.</summary>
public sealed class StoryPageTests
{
    [Theory]
    [InlineData(null, 1)]
    [InlineData("fallback", 1)]
    [InlineData("test", 0)]
    public async Task PageThatDidNotComeToWhomItIsFor_IsTriedByTheWatch(string? tried, int paged)
    {
        await using var world = new WatchdogWorld();
        var incident = Some.Incident().NotePage("lease", "It has been in place for too long.", Some.Time) with { State = IncidentState.Holding };
        incident = tried is null ? incident : incident.RecordDeliveries([new Delivery("page:lease:fallback@test", ContactBook.Fallback, tried == "test" ? tried : null, Some.Time, null) { Behind = [ContactBook.Fallback] }]);
        var id = await world.OpenAsync(incident);

        await world.CheckAsync(id, TimeSpan.FromMinutes(1));
        world.Paged.ShouldBeEmpty("it may be on its way");
        await world.CheckAsync(id, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

        world.Paged.Count.ShouldBe(paged);
    }
}
