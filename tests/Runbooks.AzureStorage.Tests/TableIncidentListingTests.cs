using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using static Runbooks.AzureStorage.Tests.DyingHost;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.AzureStorage.Tests;

/// <summary>What stands in the rows of the indexes: that it saves requests, and never says what is no longer so.</summary>
public sealed class TableIncidentListingTests(Azurite azurite)
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EndedIncidents_AreListedWithoutReadingEachAgain()
    {
        const int Ended = 40;
        var account = new AzureAccount(azurite);
        var healthy = account.Incidents();
        foreach (var n in Enumerable.Range(0, Ended))
        {
            await Open(healthy, New($"{n}", minute: n, target: $"{n}").Closed(n));
        }

        var network = new FaultyNetwork();
        var store = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6)), network);
        (await store.ListAsync(new IncidentQuery(Open: false), Now)).Items.Count.ShouldBe(Ended);
        var before = network.Requests;
        var listed = await store.ListAsync(new IncidentQuery(Open: false), Now);
        (network.Requests - before).ShouldBe(1);
        listed.Items.Select(item => item.Id).ShouldBe(Enumerable.Range(0, Ended).Reverse().Select(n => $"{n}"));
        listed.Items[0].ShouldBeEquivalentTo(IncidentSummary.Of(await healthy.GetAsync("39", Now)));

        // Whatever changes one of them, the next listing knows; only that one is read, and filled in again.
        await store.UpdateAsync("7", i => i with { AlertCount = 12 }, Now);
        before = network.Requests;
        (await store.ListAsync(new IncidentQuery(Open: false), Now)).Items.Single(item => item.Id == "7").AlertCount.ShouldBe(12);
        (network.Requests - before).ShouldBe(4);
    }

    [Fact]
    public async Task OpenIncidentsThatNothingHappensTo_AreListedWithoutReadingEachAgain()
    {
        const int Waiting = 40;
        var account = new AzureAccount(azurite);
        var healthy = account.Incidents();
        foreach (var n in Enumerable.Range(0, Waiting))
        {
            await Open(healthy, New($"{n}", minute: n, target: $"{n}") with { State = IncidentState.AwaitingApproval });
        }

        var network = new FaultyNetwork();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6));
        var store = account.Incidents(time, network);
        (await store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Count.ShouldBe(Waiting);
        (await RequestsAsync(() => store.ListAsync(new IncidentQuery(IncidentState.AwaitingApproval), Now))).ShouldBe(1);

        // A change is known to the next listing, at the cost of a write more; so is the end.
        (await RequestsAsync(() => healthy.UpdateAsync("7", i => i with { AlertCount = 12 }, Now))).ShouldBe(0, "another host changes it");
        (await store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Single(item => item.Id == "7").AlertCount.ShouldBe(12);
        await healthy.UpdateAsync("8", i => i.Closed(50), Now);
        (await store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Select(item => item.Id).ShouldNotContain("8");
        (await RequestsAsync(() => store.ListAsync(new IncidentQuery(Open: true), Now))).ShouldBe(1);

        // Something changes it without knowing of its row: a host that died in between.
        await ChangeRowOnlyAsync(account, "9");
        time.Advance(TimeSpan.FromMinutes(61));
        (await store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Single(item => item.Id == "9").Title.ShouldBe("Changed");

        async Task<int> RequestsAsync(Func<Task> work)
        {
            var before = network.Requests;
            await work();
            return network.Requests - before;
        }
    }

    /// <summary>Writes the incident's own row and no other.</summary>
    private static async Task ChangeRowOnlyAsync(AzureAccount account, string id)
    {
        var rows = account.IncidentRows();
        var found = (await rows.FindAsync(TableKeys.Hash(id), Now))!;
        (await rows.ReplaceAsync(found, found.Value with { Title = "Changed" }, Now)).ShouldBeTrue();
    }

    [Fact]
    public async Task StateThatIncidentsEndedIn_IsListedAndCountedWithOneRequestEach()
    {
        var account = new AzureAccount(azurite);
        await OpenEndedAsync(account, 30);
        await Open(account.Incidents(), New("open", minute: 50, target: "open"));
        var network = new FaultyNetwork();
        var store = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6)), network);
        (await store.ListAsync(new IncidentQuery(Open: false), Now)).Items.Count.ShouldBe(30);

        var before = network.Requests;
        (await store.ListAsync(new IncidentQuery(IncidentState.Failed), Now)).Items.Select(item => item.Id).ShouldBe(["20", "10", "0"]);
        (network.Requests - before).ShouldBe(1);
        var first = await store.ListAsync(new IncidentQuery(IncidentState.Failed, Limit: 2), Now);
        (await store.ListAsync(new IncidentQuery(IncidentState.Failed, Limit: 2, After: first.Next), Now)).Items.ShouldHaveSingleItem().Id.ShouldBe("0");

        before = network.Requests;
        (await store.CountAsync(Now))!.ShouldBe([new(IncidentState.Failed, 3), new(IncidentState.Resolved, 27), new(IncidentState.Diagnosing, 1)], ignoreOrder: true);
        (network.Requests - before).ShouldBe(5, "one counts what has ended; the open one is listed, read, and listed with what it says from then on");

        before = network.Requests;
        await store.CountAsync(Now);
        (network.Requests - before).ShouldBe(1, "what has ended was counted a moment ago");
    }

    private static async Task OpenEndedAsync(AzureAccount account, int ended)
    {
        var store = account.Incidents();
        foreach (var n in Enumerable.Range(0, ended))
        {
            await Open(store, New($"{n}", minute: n, target: $"{n}").Closed(n) with { State = n % 10 == 0 ? IncidentState.Failed : IncidentState.Resolved });
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HostThatDiesAtAnyWriteOfAListingOrAChange_LeavesNoRowThatSaysOtherwise(bool ended)
    {
        var died = true;
        for (var write = 1; died; write++)
        {
            var account = new AzureAccount(azurite);
            await Open(account.Incidents(), ended ? New("a").Closed(5) : New("a"));
            var later = new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6));
            var listing = new FaultyNetwork { DiesAtWrite = write };
            await Ignore(account.Incidents(later, listing).ListAsync(new IncidentQuery(), Now));

            var network = new FaultyNetwork { DiesAtWrite = write };
            await Ignore(account.Incidents(network).UpdateAsync("a", i => i with { AlertCount = 12 }, Now));
            died = network.Died || listing.Died;

            var stored = await account.Incidents().GetAsync("a", Now);
            (await account.Incidents(later).ListAsync(new IncidentQuery(), Now)).Items.ShouldHaveSingleItem().AlertCount.ShouldBe(stored.AlertCount);
        }
    }

    [Fact]
    public async Task ListingWhileAChangeIsHalfWritten_LeavesNoRowThatSaysOtherwise()
    {
        var account = new AzureAccount(azurite);
        await Open(account.Incidents(), New("a"));
        await account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(6))).ListAsync(new IncidentQuery(), Now);

        // The row is blanked; before the incident is written, a listing much later fills the row in again.
        var muchLater = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(20)));
        var network = new FaultyNetwork { BeforeWrite = number => number == 3 ? muchLater.ListAsync(new IncidentQuery(), Now) : Task.CompletedTask };
        await account.Incidents(network).UpdateAsync("a", i => i with { AlertCount = i.AlertCount + 11 }, Now);

        (await muchLater.ListAsync(new IncidentQuery(), Now)).Items.ShouldHaveSingleItem().AlertCount.ShouldBe(12);
    }

    /// <summary>Between the write after which nobody has anything to do with it and the end of its row, another host leaves it to people again.</summary>
    [Fact]
    public async Task LeftToPeopleAgainBeforeItsRowIsGone_IsListedStill()
    {
        var account = new AzureAccount(azurite);
        var other = account.Incidents();
        await Open(other, New("a"));
        await other.UpdateAsync("a", i => i.End(IncidentState.Failed, "so", Start), Now);
        var again = false;
        var network = new FaultyNetwork
        {
            BeforeWrite = async _ =>
            {
                if (!again && !(await other.GetAsync("a", Now)).NeedsPerson)
                {
                    again = true;
                    await other.UpdateAsync("a", i => i with { IsEndUnfinished = true }, Now);
                }
            },
        };

        await account.Incidents(network).UpdateAsync("a", i => i.Acknowledge("ada", null, Start), Now);

        again.ShouldBeTrue();
        (await other.ListAsync(new IncidentQuery(Unfinished: true), Now)).Items.ShouldHaveSingleItem().Id.ShouldBe("a");
    }

    /// <summary>A row that a dead host left is found to be stale just when somebody closes the incident by hand, which needs it.</summary>
    [Fact]
    public async Task StaleRowThatIsPutAnewMeanwhile_Stays()
    {
        var account = new AzureAccount(azurite);
        var healthy = account.Incidents();
        await Open(healthy, New("a").End(IncidentState.Failed, "so", Start));
        await healthy.UpdateAsync("a", i => i.Acknowledge("ada", null, Start), Now);
        await new IncidentIndex(account.IncidentRowsOf()).PutLeftAsync(IncidentSummary.Of(await healthy.GetAsync("a", Now)), Now);

        var closes = new Queue<Func<Task>>();
        var network = new FaultyNetwork { BeforeWrite = _ => closes.TryDequeue(out var close) ? close() : Task.CompletedTask };
        var later = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(61)), network);
        await later.ListAsync(new IncidentQuery(Open: true), Now);
        closes.Enqueue(() => healthy.UpdateAsync("a", i => i.CloseByHand("ada", "done", Start).BeginClosing(), Now));
        await later.ListAsync(new IncidentQuery(Unfinished: true), Now);

        closes.ShouldBeEmpty();
        (await healthy.ListAsync(new IncidentQuery(Unfinished: true), Now)).Items.ShouldHaveSingleItem().Id.ShouldBe("a");
    }
}
