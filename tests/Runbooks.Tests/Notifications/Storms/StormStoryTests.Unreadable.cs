using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Tests.Notifications.Storms;

/// <content>A newer version has written one of the records, or it is damaged.</content>
public sealed partial class StormStoryTests
{
    [Fact]
    public async Task OneThatCannotBeRead_TheOthersAskAndTheirEndsAreTold()
    {
        await OpenAsync(8);
        _world.Store.Unreadable = _world.Store.All[3].Id;

        await AdvanceAsync(s_gathered);
        _chat.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("7 incidents of 'Broken thing' ask you at once");

        await DecideAsync(_world.Store.All.Where(incident => incident.Id != _world.Store.Unreadable), DecisionVerb.Reject);
        await PassAsync(TimeSpan.FromMinutes(16));
        await WatchAsync();
        TitlesTo("ada").ShouldContain("7 incidents of 'Broken thing' have ended");
    }

    [Fact]
    public async Task StormThatCannotBeTold_DoesNotKeepTheOneAfterIt()
    {
        await OpenAsync(8);
        await AdvanceAsync(s_gathered);
        await PassAsync(TimeSpan.FromMinutes(6));
        await OpenAsync(7);
        await AdvanceAsync(s_gathered);
        _world.Store.All.Select(incident => incident.Storm).Distinct().Count().ShouldBe(2);
        await DecideAsync(_world.Store.All, DecisionVerb.Reject);
        await _world.Store.UpdateAsync(_world.Store.All[0].Id, incident => incident with { RunbookHash = "gone" }, Cancel);

        await WatchAsync();
        await WatchAsync();

        TitlesTo("ada").ShouldContain("7 incidents of 'Broken thing' have ended");
    }
}
