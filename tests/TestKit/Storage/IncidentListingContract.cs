using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Shouldly;
using Xunit;
using static TestKit.Storage.StoredIncidents;

namespace TestKit.Storage;

/// <summary>Listing and purging, as every <see cref="IIncidentStore"/> has to do them.</summary>
public abstract partial class IncidentListingContract
{
    /// <inheritdoc cref="IncidentStoreContract.Store"/>
    protected abstract IIncidentStore Store { get; }

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Listing_IsNewestFirst()
    {
        await OpenAll(0, 5);
        (await Ids(new IncidentQuery())).ShouldBe(["i4", "i3", "i2", "i1", "i0"]);
    }

    [Fact]
    public async Task Listing_SaysWhatTheIncidentSays()
    {
        await OpenAll(0, 1);
        var changed = await Store.UpdateAsync("i0", i => i with { Reason = "waits <b>here</b>", AlertCount = 9, State = IncidentState.Holding }, Now);
        (await Store.ListAsync(new IncidentQuery(), Now)).Items.Single().ShouldBe(IncidentSummary.Of(changed));
        (await Store.ListAsync(new IncidentQuery(State: IncidentState.Holding), Now)).Items.Single().ShouldBe(IncidentSummary.Of(changed));
        (await Store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Single().ShouldBe(IncidentSummary.Of(changed));
    }

    [Fact]
    public async Task Filters_HoldAloneAndTogether()
    {
        await OpenAll(0, 6, i => i % 2 == 0 ? "hanged-gpu" : "disk-full");
        await Store.UpdateAsync("i1", i => i.Closed(10), Now);
        await Store.UpdateAsync("i2", i => i.Closed(10), Now);
        await Store.UpdateAsync("i3", i => i with { State = IncidentState.AwaitingApproval }, Now);
        await Store.UpdateAsync("i4", i => i with { State = IncidentState.Mitigating }, Now);
        await Store.UpdateAsync("i4", i => i with { State = IncidentState.AwaitingApproval }, Now);

        (await Ids(new(Open: true))).ShouldBe(["i5", "i4", "i3", "i0"]);
        (await Ids(new(Open: false))).ShouldBe(["i2", "i1"]);
        (await Ids(new(State: IncidentState.AwaitingApproval))).ShouldBe(["i4", "i3"]);
        (await Ids(new(State: IncidentState.Mitigating))).ShouldBeEmpty();
        (await Ids(new(State: IncidentState.Resolved))).ShouldBe(["i2", "i1"]);
        (await Ids(new(RunbookId: "disk-full"))).ShouldBe(["i5", "i3", "i1"]);
        (await Ids(new(RunbookId: "disk-full", Open: true))).ShouldBe(["i5", "i3"]);
        (await Ids(new(RunbookId: "disk-full", State: IncidentState.Resolved))).ShouldBe(["i1"]);
        (await Ids(new(State: IncidentState.Resolved, Open: true))).ShouldBeEmpty();
        (await Ids(new(RunbookId: "none"))).ShouldBeEmpty();
    }

    [Fact]
    public async Task LeftToPeople_ListsWhatHasEndedAndIsNotOver()
    {
        await OpenAll(0, 6, i => i % 2 == 0 ? "hanged-gpu" : "disk-full");
        foreach (var (id, state) in new[] { ("i0", IncidentState.Failed), ("i1", IncidentState.TakenOver), ("i2", IncidentState.Resolved), ("i3", IncidentState.Expired) })
        {
            await Store.UpdateAsync(id, i => i.End(state, "so", Start.AddMinutes(10)), Now);
        }

        (await Ids(new(LeftToPeople: true))).ShouldBe(["i3", "i1", "i0"]);
        (await Ids(new(LeftToPeople: true, RunbookId: "hanged-gpu"))).ShouldBe(["i0"]);
        (await Ids(new(LeftToPeople: true, State: IncidentState.Expired))).ShouldBe(["i3"]);
        (await Ids(new(Open: false))).ShouldBe(["i3", "i2", "i1", "i0"]);
        var first = await Store.ListAsync(new IncidentQuery(LeftToPeople: true, Limit: 2), Now);
        (await Ids(new(LeftToPeople: true, After: first.Next))).ShouldBe(["i0"]);

        await Store.UpdateAsync("i3", i => i.Acknowledge("ada", null, Start.AddMinutes(11)), Now);
        await Store.UpdateAsync("i1", i => i.CloseByHand("ada", "done", Start.AddMinutes(11)), Now);
        (await Ids(new(LeftToPeople: true))).ShouldBe(["i0"]);

        await Store.PurgeAsync(Start.AddDays(1), Now);
        (await Ids(new(LeftToPeople: true))).ShouldBeEmpty();
    }

    /// <summary>Seeing to it takes nothing back.</summary>
    [Fact]
    public async Task Unfinished_ListsAlsoWhatSomebodySeesToWhileItsChangeIsInPlace()
    {
        await OpenAll(0, 3);
        foreach (var id in new[] { "i0", "i1" })
        {
            await Store.UpdateAsync(id, i => (id == "i0" ? i.WithChange(StepStatus.Kept) : i).End(IncidentState.Failed, "so", Start.AddMinutes(10)), Now);
        }

        (await Ids(new(Unfinished: true))).ShouldBe(["i1", "i0"]);
        foreach (var id in new[] { "i0", "i1" })
        {
            await Store.UpdateAsync(id, i => i.Acknowledge("ada", null, Start.AddMinutes(11)), Now);
        }

        (await Ids(new(LeftToPeople: true))).ShouldBeEmpty();
        var listed = (await Store.ListAsync(new IncidentQuery(Unfinished: true), Now)).Items.ShouldHaveSingleItem();
        (listed.Id, listed.Changes!.Count).ShouldBe(("i0", 1));

        await Store.UpdateAsync("i0", i => i.CloseByHand("ada", "taken back", Start.AddMinutes(12)), Now);
        (await Ids(new(Unfinished: true))).ShouldBeEmpty();
    }

    /// <summary>Whoever closed it may die before others are told of it: the watch finds it here.</summary>
    [Fact]
    public async Task Unfinished_ListsACloseByHandUntilAllIsDoneThatFollowsIt()
    {
        await OpenAll(0, 2);
        foreach (var id in new[] { "i0", "i1" })
        {
            await Store.UpdateAsync(id, i => i.End(IncidentState.Failed, "so", Start.AddMinutes(10)), Now);
        }

        await Store.UpdateAsync("i1", i => i.Acknowledge("ada", null, Start.AddMinutes(11)), Now);
        foreach (var id in new[] { "i0", "i1" })
        {
            await Store.UpdateAsync(id, i => i.CloseByHand("ada", "done", Start.AddMinutes(12)).BeginClosing(), Now);
        }

        (await Ids(new(Unfinished: true))).ShouldBe(["i1", "i0"]);
        (await Ids(new(LeftToPeople: true))).ShouldBeEmpty();
        await Store.UpdateAsync("i0", i => i.FinishClosing(), Now);
        (await Ids(new(Unfinished: true))).ShouldBe(["i1"]);
    }

    /// <summary>Whoever acknowledged it may die before its cards say so.</summary>
    [Fact]
    public async Task Unfinished_ListsAnAcknowledgementUntilItIsShown()
    {
        await OpenAll(0, 1);
        await Store.UpdateAsync("i0", i => i.End(IncidentState.Failed, "so", Start.AddMinutes(10)), Now);
        await Store.UpdateAsync("i0", i => i.Acknowledge("ada", null, Start.AddMinutes(11)).BeginShowing(), Now);

        (await Ids(new(Unfinished: true))).ShouldBe(["i0"]);
        (await Ids(new(LeftToPeople: true))).ShouldBeEmpty();
        await Store.UpdateAsync("i0", i => i.FinishShowing(), Now);
        (await Ids(new(Unfinished: true))).ShouldBeEmpty();
    }

    [Fact]
    public async Task Since_LeavesOutWhatOpenedBefore()
    {
        await OpenAll(0, 6, i => i % 2 == 0 ? "hanged-gpu" : "disk-full");
        await Store.UpdateAsync("i4", i => i.Closed(10), Now);

        (await Ids(new(Since: Start.AddMinutes(3)))).ShouldBe(["i5", "i4", "i3"]);
        (await Ids(new(Since: Start.AddMinutes(3).AddTicks(1)))).ShouldBe(["i5", "i4"]);
        (await Ids(new(Since: Start.AddMinutes(2), RunbookId: "hanged-gpu", Open: true))).ShouldBe(["i2"]);
        (await Ids(new(Since: Start.AddDays(-40)))).ShouldBe(["i5", "i4", "i3", "i2", "i1", "i0"]);
        (await Ids(new(Since: Start.AddDays(40)))).ShouldBeEmpty();
        var first = await Store.ListAsync(new IncidentQuery(Since: Start.AddMinutes(2), Limit: 2), Now);
        (await Ids(new(Since: Start.AddMinutes(2), After: first.Next))).ShouldBe(["i3", "i2"]);
    }

    [Fact]
    public async Task Words_AreFoundInIdTitleTargetAndRunbookWhateverTheirCase()
    {
        await OpenAll(0, 12, i => i % 2 == 0 ? "hanged-gpu" : "disk-full");
        await Store.OpenAsync(New("umlaut", target: "büro/50%_'x'", minute: 20), Runbook(), _ => null, Now);

        (await Ids(new(Text: "T11"))).ShouldBe(["i11"]);
        (await Ids(new(Text: "gpu DISK"))).ShouldBe(["i11", "i9", "i7", "i5", "i3", "i1"]);
        (await Ids(new(Text: "BÜRO 50%_'x'"))).ShouldBe(["umlaut"]);
        (await Ids(new(Text: "state"))).ShouldBeEmpty();
        var first = await Store.ListAsync(new IncidentQuery(Text: "disk-full", Limit: 4), Now);
        first.Items.Select(i => i.Id).ShouldBe(["i11", "i9", "i7", "i5"]);
        (await Ids(new(Text: "disk-full", After: first.Next))).ShouldBe(["i3", "i1"]);
    }

    [Fact]
    public async Task Counts_AreThoseOfEachStateOrNone()
    {
        await OpenAll(0, 5);
        await CloseAll(0, 2);

        if (await Store.CountAsync(Now) is { } counts)
        {
            counts.Where(count => count.Value > 0).ShouldBe(
                [new(IncidentState.Diagnosing, 3), new(IncidentState.Resolved, 2)], ignoreOrder: true);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PagesWhileIncidentsArrive_ShowEachOldOneOnce(bool? open)
    {
        await OpenAll(0, 7);
        if (open == false)
        {
            await CloseAll(0, 7);
        }

        var seen = new List<string>();
        string? after = null;
        var arrivals = 7;
        do
        {
            var page = await Store.ListAsync(new IncidentQuery(Open: open, Limit: 3, After: after), Now);
            page.Items.Count.ShouldBeLessThanOrEqualTo(3);
            seen.AddRange(page.Items.Select(i => i.Id));
            after = page.Next;
            await OpenAll(arrivals, arrivals + 2);
            arrivals += 2;
        }
        while (after is not null);

        seen.ShouldBe(["i6", "i5", "i4", "i3", "i2", "i1", "i0"]);
    }

    [Fact]
    public async Task IncidentsOfTheSameMoment_AreEachShownOnce()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await Store.OpenAsync(New($"i{i}", target: $"t{i}"), Runbook(), _ => null, Now);
        }

        var first = await Store.ListAsync(new IncidentQuery(Limit: 2), Now);
        var second = await Store.ListAsync(new IncidentQuery(Limit: 2, After: first.Next), Now);
        var third = await Store.ListAsync(new IncidentQuery(Limit: 2, After: second.Next), Now);
        first.Items.Concat(second.Items).Concat(third.Items).Select(i => i.Id).Order().ShouldBe(["i0", "i1", "i2", "i3", "i4"]);
        third.Next.ShouldBeNull();
    }

    [Fact]
    public async Task LastPageThatIsExactlyFull_HasNoNext()
    {
        await OpenAll(0, 3);
        (await Store.ListAsync(new IncidentQuery(Limit: 3), Now)).Next.ShouldBeNull();
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("' OR 1=1")]
    [InlineData("😀")]
    public async Task CursorThatIsNotOurs_IsRefused(string cursor) =>
        await Store.ListAsync(new IncidentQuery(After: cursor), Now).ShouldThrowAsync<FormatException>();

    protected async Task OpenAll(int from, int to, Func<int, string>? runbook = null)
    {
        for (var i = from; i < to; i++)
        {
            var incident = New($"i{i}", target: $"t{i}", runbook: runbook?.Invoke(i) ?? "hanged-gpu", minute: i);
            await Store.OpenAsync(incident, Runbook(incident.RunbookId), _ => null, Now);
        }
    }

    private async Task CloseAll(int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            await Store.UpdateAsync($"i{i}", incident => incident.Closed(100), Now);
        }
    }

    private async Task<IEnumerable<string>> Ids(IncidentQuery query) => (await Store.ListAsync(query, Now)).Items.Select(i => i.Id);
}
