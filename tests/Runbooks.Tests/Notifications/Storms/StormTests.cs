using Runbooks.Notifications.Storms;
using Some = TestKit.Incidents.Some;

namespace Runbooks.Tests.Notifications.Storms;

public sealed class StormTests
{
    private static readonly Storm s_storm = new("storm-1", Some.Night, Some.Night);

    [Fact]
    public void WhereMuchWaits_TheNextWhoAsksLetsTheHostRest_ButEndsAreTold()
    {
        var storm = s_storm.TakeTurn(Some.Night, toAsk: true).ShouldNotBeNull().EndTurn(Some.Night, read: 100_000);

        storm.TakeTurn(Some.Night.AddMinutes(4), toAsk: true).ShouldBeNull();
        storm.TakeTurn(Some.Night, toAsk: false).ShouldNotBeNull().EndTurn(Some.Night, read: 0).TakeTurn(Some.Night.AddMinutes(4), toAsk: true).ShouldBeNull();
        storm.TakeTurn(Some.Night.AddMinutes(5), toAsk: true).ShouldNotBeNull();
    }

    [Fact]
    public void WhereLittleWaits_TheNextAsksAtOnce() =>
        s_storm.TakeTurn(Some.Night, toAsk: true).ShouldNotBeNull().EndTurn(Some.Night, read: 500).TakeTurn(Some.Night, toAsk: true).ShouldNotBeNull();
}
