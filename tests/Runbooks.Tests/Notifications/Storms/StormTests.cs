using Runbooks.Model.Incidents;
using Runbooks.Notifications.Storms;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications.Storms;

public sealed class StormTests
{
    private static readonly Storm s_storm = new("storm-1", Given.Night, Given.Night);

    [Fact]
    public void WhereMuchWaits_TheNextWhoAsksLetsTheHostRest_ButEndsAreTold()
    {
        var storm = s_storm.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull().EndTurn(Given.Night, read: 100_000);

        storm.TakeTurn(Given.Night.AddMinutes(4), toAsk: true).ShouldBeNull();
        storm.TakeTurn(Given.Night, toAsk: false).ShouldNotBeNull().EndTurn(Given.Night, read: 0).TakeTurn(Given.Night.AddMinutes(4), toAsk: true).ShouldBeNull();
        storm.TakeTurn(Given.Night.AddMinutes(5), toAsk: true).ShouldNotBeNull();
    }

    [Fact]
    public void TurnAndRestOfAClockThatWasAhead_KeepNobodyWaiting()
    {
        var sending = s_storm.TakeTurn(Given.Night.AddDays(1), toAsk: true).ShouldNotBeNull();
        var resting = sending.EndTurn(Given.Night.AddDays(1), read: 5_000);

        sending.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull();
        resting.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull();
        resting.LookAgain("261128-0112-v8d9waze", Given.Night, Given.Night.AddSeconds(5)).ShouldBeLessThan(Given.Night.AddMinutes(5));
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(100_000)]
    public void HoweverManyWait_SomeThirtyLookAgainInASecond(int waiting)
    {
        var storm = s_storm.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull().EndTurn(Given.Night, read: waiting);
        var looks = Enumerable.Range(0, waiting).Select(i => storm.LookAgain($"261128-0112-{i * 7919:x8}", Given.Night, Given.Night.AddMinutes(1))).ToList();

        looks.Count(at => at <= Given.Night.AddMinutes(1)).ShouldBeLessThan(2_000);
        looks.Min().ShouldBeGreaterThanOrEqualTo(storm.RestsUntil!.Value);
        (waiting / (looks.Max() - looks.Min()).TotalSeconds).ShouldBeLessThan(50);
    }

    /// <summary>What a sender was about to open when it died is ended with the rest: questions once they are answered, all of it with the storm.</summary>
    [Fact]
    public void AlertsOfASenderThatDied_AreTakenOver()
    {
        var (question, page) = (Call("storm:261128-0112:mitigation-1:0:ada@pager"), Call("page:lease:261128-0112:ada@pager"));
        var died = s_storm.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull() with { Expected = [question, page] };

        var next = died.TakeTurn(Given.Night.AddMinutes(4), toAsk: false).ShouldNotBeNull();

        next.Asking.ShouldBe([question]);
        next.Alerts.ShouldBe([page]);
        (next with { Expected = [question] }).EndTurn(Given.Night, read: 0).Ringing.ShouldBe([question, page], "it is known");

        static Delivery Call(string key) => new(key, "ada", "pager", Given.Night, null, key) { IsPerhaps = true };
    }

    [Fact]
    public void WhereFewWait_TheyLookAgainAsUsual() =>
        s_storm.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull().EndTurn(Given.Night, read: 500).LookAgain("261128-0112-v8d9waze", Given.Night, Given.Night.AddSeconds(5)).ShouldBe(Given.Night.AddSeconds(5));

    [Fact]
    public void WhereLittleWaits_TheNextAsksAtOnce() =>
        s_storm.TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull().EndTurn(Given.Night, read: 500).TakeTurn(Given.Night, toAsk: true).ShouldNotBeNull();
}
