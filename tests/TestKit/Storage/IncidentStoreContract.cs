using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Shouldly;
using Xunit;
using static TestKit.Storage.StoredIncidents;

namespace TestKit.Storage;

/// <summary>What every <see cref="IIncidentStore"/> has to keep. A test class per store derives from it.</summary>
public abstract class IncidentStoreContract
{
    /// <summary>An empty store of this test's own.</summary>
    protected abstract IIncidentStore Store { get; }

    /// <summary>How many callers are let loose at once.</summary>
    protected virtual int Crowd => 100;

    protected static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AzureTargetInAnotherCase_IsTheSameTarget()
    {
        static Incident OnAzure(string id, string target) => New(id, target: target) with { Alert = Some.Alert() with { Source = "azure-monitor" } };
        await Open(OnAzure("a", "VM-Web-01"));

        (await Open(OnAzure("b", "vm-web-01"))).Opened.ShouldBeFalse();
        (await Store.FindLatestAsync("hanged-gpu", "vm-web-01", Now))!.Target.ShouldBe("VM-Web-01");
    }

    [Fact]
    public async Task AlertThatReachedIncidents_FindsThemNewestFirstUntilTheyArePurged()
    {
        var (alert, other) = (Some.Alert(), Some.Alert("Other"));
        await Open(New("old", target: "a").Attach(alert, Some.Time).Closed());
        await Open(New("new", target: "b") with { OpenedAt = Some.Time.AddDays(1) });
        await Store.UpdateAsync("new", i => i.Attach(alert, Some.Time).Attach(other, Some.Time), Now);

        (await Store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(i => i.Id).ShouldBe(["new", "old"]);
        (await Store.FindByAlertAsync(AlertIdentity.Of(other), Now)).Select(i => i.Id).ShouldBe(["new"]);
        (await Store.FindByAlertAsync("alertmanager:none", Now)).ShouldBeEmpty();

        await Store.PurgeAsync(DateTimeOffset.MaxValue, Now);
        (await Store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(i => i.Id).ShouldBe(["new"]);
    }

    [Fact]
    public async Task ManyAlertsOnOneTargetAtOnce_OpenOneIncidentAndFoldTheRest()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, Crowd).Select(i => Task.Run(() => Open(New($"i{i}")))));

        var opened = results.Single(r => r.Opened).Incident;
        results.ShouldAllBe(r => r.Incident.Id == opened.Id);
        var stored = await Store.GetAsync(opened.Id, Now);
        stored.AlertCount.ShouldBe(Crowd);
        (await Store.ListAsync(new IncidentQuery(), Now)).Items.Select(i => (i.Id, i.AlertCount)).ShouldBe([(opened.Id, Crowd)]);
    }

    [Fact]
    public async Task AlertOnAnotherTargetOrRunbook_NeverFolds()
    {
        (await Open(New("a", target: "pod-1"))).Opened.ShouldBeTrue();
        (await Open(New("b", target: "pod-2"))).Opened.ShouldBeTrue();
        (await Open(New("c", target: "pod-1", runbook: "disk-full"))).Opened.ShouldBeTrue();
        (await Open(New("d", target: "pod-1"))).Incident.Id.ShouldBe("a");
    }

    [Fact]
    public async Task HostileTargets_AreEachOneTargetAndComeBackAsTheyWere()
    {
        // How a letter and its accent are composed tells no two targets apart.
        var targets = HostileText.Keys.Where(key => key != "e\u0301").ToList();
        var opened = await Task.WhenAll(targets.Select((target, i) => Open(New($"i{i}", target))));
        opened.ShouldAllBe(r => r.Opened);

        for (var i = 0; i < targets.Count; i++)
        {
            var again = await Open(New($"again-{i}", targets[i]));
            (again.Opened, again.Incident.Id).ShouldBe((false, $"i{i}"));
            (await Store.FindLatestAsync("hanged-gpu", targets[i], Now))!.Target.ShouldBe(targets[i]);
        }

        var listed = (await Store.ListAsync(new IncidentQuery(Limit: 500), Now)).Items;
        listed.Select(i => i.Target).ShouldBe(targets, ignoreOrder: true);
    }

    [Fact]
    public async Task HostileIdsAndRunbooks_AreFoundUpdatedAndPurgedAsTheyWere()
    {
        var ids = HostileText.Keys.Where(key => key.Length < 1_000).ToList();
        await Task.WhenAll(ids.Select(id => Open(New(id, target: id, runbook: id))));
        foreach (var id in ids)
        {
            (await Store.UpdateAsync(id, incident => (incident.Closed(), incident.RunbookId), Now)).Result.ShouldBe(id);
        }

        (await Store.PurgeAsync(Start.AddHours(1), Now)).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task FoldThatDeclines_OpensANewIncidentAndKeepsTheOldOne()
    {
        await Open(New("old", minute: 0).Closed());
        var opened = await Store.OpenAsync(New("new", minute: 5), Runbook(), latest => latest.State.IsFinal() ? null : latest, Now);

        opened.Opened.ShouldBeTrue();
        (await Store.FindLatestAsync("hanged-gpu", "inference/llm-b-0", Now))!.Id.ShouldBe("new");
        (await Store.GetAsync("old", Now)).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>In one write: whoever dies after it has left nothing out.</summary>
    [Fact]
    public async Task FoldThatGoesOnInTheCandidate_OpensItWithWhatItKnowsOfTheOneBefore()
    {
        await Open(New("old", minute: 0).Closed());
        var candidate = New("new", minute: 5);

        var opened = await Store.OpenAsync(candidate, Runbook(), latest => candidate with { ThreadOf = latest.Id }, Now);

        (opened.Opened, opened.Incident.Id, opened.Incident.ThreadOf).ShouldBe((true, "new", "old"));
        (await Store.GetAsync("new", Now)).ThreadOf.ShouldBe("old");
        (await Store.FindLatestAsync("hanged-gpu", "inference/llm-b-0", Now))!.Id.ShouldBe("new");
        (await Store.GetAsync("old", Now)).ThreadOf.ShouldBeNull();
    }

    [Fact]
    public async Task ClosedIncidentWithManyNewAlertsAtOnce_IsFollowedByExactlyOne()
    {
        await Open(New("old").Closed());
        var results = await Task.WhenAll(Enumerable.Range(0, Crowd / 4).Select(i => Task.Run(() => Open(New($"i{i}", minute: 1)))));

        results.Count(r => r.Opened).ShouldBe(1);
        (await Store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Single().AlertCount.ShouldBe(Crowd / 4);
    }

    [Fact]
    public async Task FoldIntoAClosedIncident_ChangesThatIncident()
    {
        await Open(New("settling").Closed());
        var folded = await Store.OpenAsync(New("next"), Runbook(), latest => latest with { AlertCount = 2 }, Now);

        folded.Opened.ShouldBeFalse();
        (await Store.GetAsync("settling", Now)).AlertCount.ShouldBe(2);
        (await Store.FindAsync("next", Now)).ShouldBeNull();
    }

    [Fact]
    public async Task FoldThatChangesNothing_IsAnsweredWithTheIncidentAsItIs()
    {
        await Open(New("a"));
        var folded = await Store.OpenAsync(New("b"), Runbook(), latest => latest, Now);
        (folded.Opened, folded.Incident.Id, folded.Incident.AlertCount).ShouldBe((false, "a", 1));
    }

    [Fact]
    public async Task IdThatIsTaken_IsRefusedAndTheIncidentStays()
    {
        await Open(New("a", target: "one"));
        await Open(New("a", target: "two")).ShouldThrowAsync<InvalidOperationException>();
        (await Store.GetAsync("a", Now)).Target.ShouldBe("one");
        (await Open(New("b", target: "two"))).Opened.ShouldBeTrue();
        (await Store.ListAsync(new IncidentQuery(Open: true), Now)).Items.Select(incident => (incident.Id, incident.Target)).ShouldBe([("a", "one"), ("b", "two")], ignoreOrder: true);
    }

    [Fact]
    public async Task ManyUpdatesAtOnce_AreAllKept()
    {
        await Open(New("a"));
        var results = await Task.WhenAll(Enumerable.Range(0, Crowd / 4).Select(i => Task.Run(() =>
            Store.UpdateAsync("a", before => (before.Note(Start, TimelineKind.Step, $"writer-{i}", "x"), before.Timeline.Count), Now))));

        var timeline = (await Store.GetAsync("a", Now)).Timeline;
        timeline.Select(entry => entry.Who).ShouldBe(Enumerable.Range(0, Crowd / 4).Select(i => $"writer-{i}"), ignoreOrder: true);
        Incident.FindBreak("a", timeline).ShouldBeNull();
        results.Select(r => r.Result).Order().ShouldBe(Enumerable.Range(0, Crowd / 4));
    }

    [Fact]
    public async Task UpdateThatReturnsTheSameIncident_IsAnsweredWithItsResult()
    {
        await Open(New("a"));
        var (incident, result) = await Store.UpdateAsync("a", before => (before, 7), Now);
        (incident.AlertCount, result).ShouldBe((1, 7));
    }

    [Fact]
    public async Task UpdateThatThrows_ChangesNothing()
    {
        await Open(New("a"));
        await Store.UpdateAsync<int>("a", _ => throw new InvalidDataException("no"), Now).ShouldThrowAsync<InvalidDataException>();
        await Store.OpenAsync(New("b"), Runbook(), _ => throw new InvalidDataException("no"), Now).ShouldThrowAsync<InvalidDataException>();

        (await Store.GetAsync("a", Now)).AlertCount.ShouldBe(1);
        (await Store.FindAsync("b", Now)).ShouldBeNull();
        (await Open(New("c"))).Incident.AlertCount.ShouldBe(2);
    }

    [Fact]
    public async Task WhatIsNotThere_IsNotFound()
    {
        (await Store.FindAsync("none", Now)).ShouldBeNull();
        (await Store.FindLatestAsync("none", "none", Now)).ShouldBeNull();
        (await Store.FindRunbookAsync("none", Now)).ShouldBeNull();
        await Store.UpdateAsync("none", incident => incident, Now).ShouldThrowAsync<KeyNotFoundException>();
        (await Store.ListAsync(new IncidentQuery(), Now)).ShouldSatisfyAllConditions(
            page => page.Items.ShouldBeEmpty(), page => page.Next.ShouldBeNull());
    }

    [Fact]
    public async Task LargeRecord_IsKeptWholeAndGrowsAndShrinks()
    {
        await Open(New("a"));
        foreach (var size in (int[])[100_000, 900_000, 10_000])
        {
            var written = await Store.UpdateAsync("a", before => (before with { Timeline = [] }).OfSize(size), Now);
            (await Store.GetAsync("a", Now)).Timeline.ShouldBe(written.Timeline);
        }

        (await Open(New("b", target: "other").OfSize(900_000))).Opened.ShouldBeTrue();
        (await Store.GetAsync("b", Now)).Timeline.Count.ShouldBeGreaterThan(400);
    }

    [Fact]
    public async Task PinnedRunbook_IsFoundByItsHashAsItWas()
    {
        await Open(New("a"));
        var pinned = await Store.FindRunbookAsync("hash-of-hanged-gpu", Now);
        pinned!.Diagnosis.Single().With.GetProperty("finding").GetString().ShouldBe("failing");
        pinned.Mitigation.Approval!.Escalate.Single().After.ShouldBe(TimeSpan.FromMinutes(10));
        pinned.Trigger.Single().Labels["cluster"].ShouldBe("b");
    }

    [Fact]
    public async Task Health_IsNullWhenItWorks() => (await Store.CheckHealthAsync(Now)).ShouldBeNull();

    protected Task<OpenResult> Open(Incident candidate) => Store.OpenAsync(
        candidate,
        Runbook(candidate.RunbookId),
        latest => latest.State.IsFinal() ? null : latest with { AlertCount = latest.AlertCount + 1 },
        Now);
}
