using Runbooks.Guardrails;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Watchdog;

/// <content>Windows that are changed while they suppress.</content>
public sealed partial class MaintenanceEndsTests
{
    [Fact]
    public async Task WindowThatWasMadeLonger_SuppressesItAgainAndLooksWhenThatEnds()
    {
        await TakeAsync();
        _options.Windows[0].Duration = "3h";

        await WatchAsync(TimeSpan.FromMinutes(61));
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.NotNeeded);
        await WatchAsync(TimeSpan.FromMinutes(60));

        _world.Store.All.Count(incident => incident.State == IncidentState.AwaitingApproval).ShouldBe(1);
    }

    [Theory]
    [InlineData("taken away")]
    [InlineData("made shorter")]
    [InlineData("of other runbooks by now")]
    public async Task WindowThatIsOverBeforeItsTime_IsFollowedByALookWithinAMinute(string how)
    {
        var before = await TakeAsync();
        await WatchAsync(TimeSpan.FromMinutes(10));
        _world.Store.All.ShouldHaveSingleItem();

        switch (how)
        {
            case "taken away":
                _options.Windows.Clear();
                break;
            case "made shorter":
                _options.Windows[0].Duration = "65m";
                break;
            default:
                _options.Windows[0].Runbooks.Add("other-*");
                break;
        }

        await WatchAsync(TimeSpan.FromMinutes(1));

        LookedAt(before).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task WindowThatSuppressesNoLonger_TellsWhatIsFoundAndLooksAtItsEnd()
    {
        var before = await TakeAsync();
        _options.Windows[0].Effect = MaintenanceEffect.DiagnoseOnly;

        await WatchAsync(TimeSpan.FromMinutes(1));
        await WatchAsync(TimeSpan.FromMinutes(10));
        LookedAt(before).State.ShouldBe(IncidentState.NotNeeded);
        _world.Notifier.Sent.Count.ShouldBe(1);

        await WatchAsync(TimeSpan.FromMinutes(49));
        _world.Store.All.Count(incident => incident.State == IncidentState.AwaitingApproval).ShouldBe(1);
    }
}
