using Azure.Data.Tables;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using static Runbooks.AzureStorage.Tests.DyingHost;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.AzureStorage.Tests;

public sealed class TableIncidentStoreTests(Azurite azurite)
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HostThatDiesAtAnyWriteOfAnOpening_LeavesOneWholeIncidentOrNone(bool follows)
    {
        var died = true;
        for (var write = 1; died; write++)
        {
            var account = new AzureAccount(azurite);
            var healthy = account.Incidents();
            await healthy.CheckHealthAsync(Now);
            if (follows)
            {
                await Open(healthy, New("before").Closed());
            }

            var network = new FaultyNetwork { DiesAtWrite = write };
            await Ignore(Open(account.Incidents(network), New("lost", minute: 1)));
            died = network.Died;

            // Whether a listing or the next alert comes first must not matter.
            var listed = write % 2 == 0 ? (await healthy.ListAsync(new IncidentQuery(Open: true), Now)).Items : [];
            var next = await Open(healthy, New("next", minute: 2));
            listed.ShouldAllBe(i => i.Id == next.Incident.Id);
            next.Opened.ShouldBe(next.Incident.Id == "next");
            (await healthy.GetAsync(next.Incident.Id, Now)).Target.ShouldBe(next.Incident.Target);
            (await healthy.ListAsync(new IncidentQuery(Open: true), Now)).Items.Select(i => i.Id).ShouldBe([next.Incident.Id]);
            (await healthy.FindLatestAsync("hanged-gpu", "inference/llm-b-0", Now))!.Id.ShouldBe(next.Incident.Id);
        }
    }

    [Fact]
    public async Task HostThatDiesAtAnyWriteOfAClosing_LeavesTheIncidentListedOnceAsItIs()
    {
        var died = true;
        for (var write = 1; died; write++)
        {
            var account = new AzureAccount(azurite);
            var healthy = account.Incidents();
            await Open(healthy, New("a"));
            var network = new FaultyNetwork { DiesAtWrite = write };
            await Ignore(account.Incidents(network).UpdateAsync("a", i => i.Closed(5), Now));
            died = network.Died;

            var state = (await healthy.GetAsync("a", Now)).State;
            (await healthy.ListAsync(new IncidentQuery(), Now)).Items.Select(i => i.State).ShouldBe([state]);
            (await healthy.ListAsync(new IncidentQuery(Open: true), Now)).Items.Count.ShouldBe(state.IsFinal() ? 0 : 1);
            (await healthy.ListAsync(new IncidentQuery(Open: false), Now)).Items.Count.ShouldBe(state.IsFinal() ? 1 : 0);
        }
    }

    [Fact]
    public async Task HostThatDiesAtAnyWriteOfAPurge_LeavesNothingThatComesBack()
    {
        var died = true;
        for (var write = 1; died; write++)
        {
            var account = new AzureAccount(azurite);
            var healthy = account.Incidents();
            await Open(healthy, New("a").Closed());
            var network = new FaultyNetwork { DiesAtWrite = write };
            var purging = account.Incidents(network).PurgeAsync(Start.AddHours(1), Now);
            await Ignore(purging);
            died = network.Died;

            // Told again of what it was in the middle of, so that evidence and history go too.
            var purged = await healthy.PurgeAsync(Start.AddHours(1), Now);
            purged.ShouldBe(died ? ["a"] : []);
            (await healthy.FindAsync("a", Now)).ShouldBeNull();
            (await healthy.FindLatestAsync("hanged-gpu", "inference/llm-b-0", Now)).ShouldBeNull();
            (await healthy.ListAsync(new IncidentQuery(), Now)).Items.ShouldBeEmpty();
            (await Open(healthy, New("b"))).Opened.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task RecordThatCannotBeRead_KeepsNoOtherFromBeingRemoved()
    {
        var account = new AzureAccount(azurite);
        var store = account.Incidents();
        foreach (var (id, minute) in (IEnumerable<(string, int)>)[("old", 0), ("strange", 1), ("damaged", 2), ("young", 3)])
        {
            await Open(store, New(id, target: id, minute: minute).Closed(minute));
        }

        await account.WriteOverAsync("strange", "Document0", PackedJson.Pack(new { State = "ofANewerVersion" }));
        await account.WriteOverAsync("damaged", "Document0", [1, 2, 3]);

        (await account.Incidents().PurgeAsync(Start.AddHours(1), Now)).ShouldBe(["old", "young"], ignoreOrder: true);
    }

    /// <summary>Only the newest are looked at, so those of openings that failed would hide it.</summary>
    [Fact]
    public async Task RowsOfFailedOpenings_HideNoIncidentFromItsAlert()
    {
        var account = new AzureAccount(azurite);
        var alert = New("any").Alert;
        await Open(account.Incidents(), New("real").Attach(alert, Start));
        for (var n = 1; n <= 20; n++)
        {
            await account.IncidentTable().AddEntityAsync(
                new TableEntity($"alert-{TableKeys.Hash(AlertIdentity.Of(alert))}", TableKeys.Moment(Start.AddMinutes(n), TableKeys.Hash($"failed-{n}"))), Now);
        }

        var store = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(61)));
        await store.FindByAlertAsync(AlertIdentity.Of(alert), Now);

        (await store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).ShouldHaveSingleItem().Id.ShouldBe("real");
    }

    /// <summary>An alert that flaps for months leaves more alerts than its incidents list.</summary>
    [Fact]
    public async Task RowsOfAlertsThatAnIncidentListsNoLonger_GoWithIt()
    {
        var account = new AzureAccount(azurite);
        var alert = New("any").Alert;
        await Open(account.Incidents(), New("gone", target: "one").Attach(alert with { Fingerprint = "dropped" }, Start));
        await account.Incidents().UpdateAsync("gone", i => (i with { Alerts = [] }).Attach(alert, Start).Closed(), Now);
        await Open(account.Incidents(), New("open", target: "two").Attach(alert with { Fingerprint = "other" }, Start));
        await Open(account.Incidents(), New("young", target: "three", minute: 90).Attach(alert with { Fingerprint = "young" }, Start));

        await account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(61))).PurgeAsync(Start.AddHours(1), Now);

        var left = new List<string>();
        await foreach (var row in account.IncidentTable().QueryAsync<TableEntity>("PartitionKey ge 'alert-' and PartitionKey lt 'alert.'", cancellationToken: Now))
        {
            left.Add(row.RowKey);
        }

        left.ShouldBe([TableKeys.Moment(Start, TableKeys.Hash("open")), TableKeys.Moment(Start.AddMinutes(90), TableKeys.Hash("young"))], ignoreOrder: true);
    }

    /// <summary>The rows of an opening that broke off look old by the time somebody writes the incident after all.</summary>
    [Fact]
    public async Task OpeningThatIsFinishedByAnotherHostLater_IsKnownByItsAlert()
    {
        var written = 0;
        for (var write = 1; write <= 8; write++)
        {
            var account = new AzureAccount(azurite);
            var alert = New("any").Alert;
            var candidate = New("late").Attach(alert, Start);
            await Ignore(Open(account.Incidents(new FaultyNetwork { DiesAtWrite = write }), candidate));
            var store = account.Incidents(new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(61)));
            await store.FindByAlertAsync(AlertIdentity.Of(alert), Now);

            if (await store.FindLatestAsync(candidate.RunbookId, candidate.TargetKey, Now) is not null)
            {
                written++;
                (await store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(found => found.Id).ShouldBe(["late"], $"died at write {write}");
            }
        }

        written.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task RecordThatCannotBeRead_HidesNoOther()
    {
        var account = new AzureAccount(azurite);
        var store = account.Incidents();
        var alert = New("any").Alert;
        foreach (var id in (string[])["a", "strange", "damaged", "b"])
        {
            await Open(store, New(id, target: id).Attach(alert, Start));
        }

        await account.WriteOverAsync("strange", "Summary0", PackedJson.Pack(new { State = "ofANewerVersion" }));
        await account.WriteOverAsync("damaged", "Summary0", [1, 2, 3]);

        (await store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Select(item => item.Id).ShouldBe(["a", "b"], ignoreOrder: true);
        (await store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(item => item.Id).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(2, 0)]
    public async Task IndexRowOfAnOpeningThatCameToNothing_IsDroppedAfterAnHour(int hours, int readsForIt)
    {
        var account = new AzureAccount(azurite);
        await account.Incidents().CheckHealthAsync(Now);
        await Ignore(Open(account.Incidents(new FaultyNetwork { DiesAtWrite = 4 }), New("lost")));

        var later = new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(hours));
        (await account.Incidents(later).ListAsync(new IncidentQuery(), Now)).Items.ShouldBeEmpty();

        var network = new FaultyNetwork();
        var store = account.Incidents(network);
        await store.FindAsync("none", Now);
        var before = network.Requests;
        await store.ListAsync(new IncidentQuery(), Now);
        (network.Requests - before).ShouldBe(2 + readsForIt);
    }

    [Fact]
    public async Task AnswersThatGetLost_CountNothingTwice()
    {
        var account = new AzureAccount(azurite);
        var store = account.Incidents(new FaultyNetwork { LosesAnswers = true });
        (await Open(store, New("a"))).Opened.ShouldBeTrue();
        (await Open(store, New("b"))).Incident.AlertCount.ShouldBe(2);
        await store.UpdateAsync("a", i => i.Note(Start, TimelineKind.Step, "x", "once"), Now);

        var stored = await account.Incidents().GetAsync("a", Now);
        (stored.AlertCount, stored.Timeline.Count).ShouldBe((2, 1));
    }

    [Fact]
    public async Task RecordTooLargeForARow_IsKeptWholeAndItsBlobsGoWithIt()
    {
        var account = new AzureAccount(azurite);
        var store = account.Incidents();
        await Open(store, New("a").OfSize(2_500_000));
        (await store.GetAsync("a", Now)).Timeline.Count.ShouldBeGreaterThan(1_200);
        var grown = await store.UpdateAsync("a", i => i.Note(Start, TimelineKind.Step, "x", "more"), Now);
        (await account.Incidents().GetAsync("a", Now)).Timeline.Count.ShouldBe(grown.Timeline.Count);
        await store.UpdateAsync("a", i => i.Closed(), Now);
        await store.PurgeAsync(Start.AddHours(1), Now);
        (await store.FindAsync("a", Now)).ShouldBeNull();
    }

    [Fact]
    public async Task WhatAnIncidentCosts_StaysWhatOperationsSays()
    {
        var network = new FaultyNetwork();
        var store = new AzureAccount(azurite).Incidents(network);
        await Open(store, New("warm", target: "other"));

        (await Cost(() => Open(store, New("a")))).ShouldBe(4);
        (await Cost(() => Open(store, New("b")))).ShouldBe(2);
        (await Cost(() => store.UpdateAsync("a", i => i with { AlertCount = 5 }, Now))).ShouldBe(1);
        (await Cost(() => store.UpdateAsync("a", i => i, Now))).ShouldBe(1);
        (await Cost(() => store.GetAsync("a", Now))).ShouldBe(1);
        (await Cost(() => store.ListAsync(new IncidentQuery(Open: true), Now))).ShouldBe(1 + 2);
        (await Cost(() => store.UpdateAsync("a", i => i.Closed(), Now))).ShouldBe(3);
        (await Cost(() => store.ListAsync(new IncidentQuery(), Now))).ShouldBe(2 + 2);
        (await Cost(() => store.PurgeAsync(Start.AddHours(1), Now))).ShouldBe(1 + 7 + 1);

        async Task<int> Cost(Func<Task> work)
        {
            var before = network.Requests;
            await work();
            return network.Requests - before;
        }
    }
}
