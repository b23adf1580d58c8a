using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <content>Ends that nobody heard of.</content>
public sealed partial class IncidentWatchdogTests
{
    [Fact]
    public async Task FailedEndThatReachedNobody_IsPagedLater()
    {
        var ended = Some.Incident() with { State = IncidentState.Failed, Reason = "The fix did not help.", ClosedAt = Some.Time, Attention = new(Some.Time, "The fix did not help.") };
        var id = await _world.OpenAsync(ended, EngineStatus.Completed);

        await _world.CheckAsync(id, s_minute * 3, s_minute, s_minute * 30);

        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task FailedEndThatSomebodyHeardOf_IsLeftAlone()
    {
        var ended = Some.Incident() with
        {
            State = IncidentState.Failed,
            ClosedAt = Some.Time,
            Attention = new(Some.Time, "The fix did not help."),
            Deliveries =
            [
                new Delivery("closed:oncall", "ada", "test", Some.Time, null) { Behind = ["oncall"] },
                // That the report did not arrive is no reason to call anybody.
                new Delivery("report:quality", "quality", null, Some.Time, "down") { Behind = ["quality"] },
            ],
        };
        var id = await _world.OpenAsync(ended, EngineStatus.Completed);

        await _world.CheckAsync(id, s_minute * 3);

        _world.Sent.ShouldBeEmpty();
    }
}
