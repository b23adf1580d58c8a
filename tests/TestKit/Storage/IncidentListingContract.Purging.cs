using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Shouldly;
using Xunit;
using static TestKit.Storage.StoredIncidents;

namespace TestKit.Storage;

/// <content>What is purged, and what stays.</content>
public abstract partial class IncidentListingContract
{
    [Fact]
    public async Task Purge_RemovesWhatEndedBeforeAndLetsItsTargetOpenAnew()
    {
        await OpenAll(0, 4);
        await Store.UpdateAsync("i0", i => i.Closed(10), Now);
        await Store.UpdateAsync("i1", i => i.Closed(20), Now);
        await Store.UpdateAsync("i2", i => i.Closed(30), Now);

        (await Store.PurgeAsync(Start.AddMinutes(20), Now)).ShouldBe(["i0"]);
        (await Store.PurgeAsync(Start.AddMinutes(25), Now)).ShouldBe(["i1"]);
        (await Store.PurgeAsync(Start.AddMinutes(25), Now)).ShouldBeEmpty();

        (await Ids(new IncidentQuery())).ShouldBe(["i3", "i2"]);
        (await Store.FindAsync("i0", Now)).ShouldBeNull();
        (await Store.FindLatestAsync("hanged-gpu", "t0", Now)).ShouldBeNull();
        var anew = await Store.OpenAsync(New("again", target: "t0", minute: 60), Runbook(), latest => latest, Now);
        anew.Opened.ShouldBeTrue();
    }

    /// <summary>The decision is as old as the close, however long ago the end was.</summary>
    [Fact]
    public async Task PurgeOfWhatWasClosedByHand_CountsFromTheClose()
    {
        await OpenAll(0, 1);
        await Store.UpdateAsync("i0", i => i.End(IncidentState.Failed, "so", Start), Now);
        await Store.UpdateAsync("i0", i => i.CloseByHand("ada", "reverted by hand", Start.AddDays(10)), Now);

        (await Store.PurgeAsync(Start.AddDays(5), Now)).ShouldBeEmpty();
        (await Store.FindAsync("i0", Now)).ShouldNotBeNull();
        (await Store.PurgeAsync(Start.AddDays(11), Now)).ShouldBe(["i0"]);
    }

    [Fact]
    public async Task PurgeWhoseRestStays_KeepsTheRecordAndGoesOnWithTheOthers()
    {
        await Store.OpenAsync(New("a", target: "ta").Closed(1), Runbook(), _ => null, Now);
        await Store.OpenAsync(New("b", target: "tb", minute: 1).Closed(1), Runbook(), _ => null, Now);

        (await Store.PurgeAsync(Start.AddHours(1), async (id, token) =>
        {
            (await Store.FindAsync(id, token)).ShouldNotBeNull("the record goes last");
            return id != "a";
        }, Now)).ShouldBe(["b"]);

        (await Store.FindAsync("a", Now)).ShouldNotBeNull();
        (await Store.PurgeAsync(Start.AddHours(1), Now)).ShouldBe(["a"]);
    }

    [Fact]
    public async Task PurgeOfAnOlderIncident_LeavesTheClaimOfTheNewerOne()
    {
        await Store.OpenAsync(New("old").Closed(1), Runbook(), _ => null, Now);
        await Store.OpenAsync(New("new", minute: 5), Runbook(), _ => null, Now);

        (await Store.PurgeAsync(Start.AddHours(1), Now)).ShouldBe(["old"]);
        (await Store.FindLatestAsync("hanged-gpu", "inference/llm-b-0", Now))!.Id.ShouldBe("new");
    }
}
