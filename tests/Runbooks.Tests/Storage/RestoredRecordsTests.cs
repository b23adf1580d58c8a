using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit.Incidents;
using TestKit.Storage;

namespace Runbooks.Tests.Storage;

public sealed class RestoredRecordsTests
{
    private readonly FakeTimeProvider _time = new(Given.Night);
    private readonly InMemoryIncidentStore _store = new();
    private readonly Witness _witness = new();
    private InMemorySharedState _state = new();

    [Fact]
    public async Task StoreThatGoesOn_IsNeverTakenForARestoredOne()
    {
        var id = await OpenAsync();
        for (var minute = 0; minute < 3; minute++)
        {
            await CheckAsync();
        }

        // The host dies between the two writes, and once before the witness's mark is known.
        _witness.Down = true;
        await Should.ThrowAsync<StoreUnavailableException>(CheckAsync);
        _witness.Down = false;
        await CheckAsync();
        var writes = 0;
        _state.Fault = () => ++writes == 2 ? new StoreUnavailableException("The disk is full.") : null;
        await Should.ThrowAsync<StoreUnavailableException>(CheckAsync);
        _state.Fault = null;
        await CheckAsync();

        (await FindAsync(id)).RestoredAt.ShouldBeNull();
        (await Records().FindUntoldAsync(Cancel)).ShouldBeNull();
    }

    /// <summary>A host looks before it starts, and a record of a newer version must not keep it from that.</summary>
    [Fact]
    public async Task RecordThatCannotBeRead_KeepsNoOtherFromBeingMarked()
    {
        var runbook = Given.Runbook();
        _store.Unreadable = (await _store.OpenAsync(Given.Incident(runbook) with { Id = "unreadable", Target = "elsewhere" }, runbook, _ => null, Cancel)).Incident.Id;
        var id = await OpenAsync();
        await CheckAsync();
        _state = new();

        await CheckAsync();

        (await FindAsync(id)).RestoredAt.ShouldNotBeNull();
    }

    /// <summary>On a store that was in use before there were generations, so that incidents are open.</summary>
    [Fact]
    public async Task FirstWitnessThatIsNotThereYet_IsNoRestore()
    {
        var id = await OpenAsync();
        _witness.Down = true;
        await Should.ThrowAsync<StoreUnavailableException>(CheckAsync);
        await Should.ThrowAsync<StoreUnavailableException>(CheckAsync);
        _witness.Down = false;

        await CheckAsync();

        (await FindAsync(id)).RestoredAt.ShouldBeNull();
        (await Records().FindUntoldAsync(Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task FirstWitnessThatAnotherProcessWritesMeanwhile_IsNoRestore()
    {
        var id = await OpenAsync();
        _witness.AfterRead = CheckAsync;

        await CheckAsync();

        (await FindAsync(id)).RestoredAt.ShouldBeNull();
    }

    [Theory]
    [InlineData("an earlier store", true)]
    [InlineData("a store without its witness", true)]
    [InlineData("a witness without its store", true)]
    [InlineData("a copy of both", true)]
    [InlineData("a witness that lags", false)]
    public async Task OpenIncidentsOfAStoreThatWasPutBack_AreMarkedAndToldOnce(string found, bool restored)
    {
        await CheckAsync();
        var id = await OpenAsync();
        var backup = _state.Copy();
        await CheckAsync();
        switch (found)
        {
            case "an earlier store": _state = backup; break;
            case "a store without its witness": _witness.Now = null; break;
            case "a witness without its store": _state = new(); break;
            case "a copy of both": _witness.Now = _witness.Now! with { Mark = "copied" }; break;
            default: _witness.Now = _witness.Now! with { Number = _witness.Now.Number - 1 }; break;
        }

        await CheckAsync();

        var incident = await FindAsync(id);
        (incident.RestoredAt is not null).ShouldBe(restored);
        (await Records().FindUntoldAsync(Cancel) is not null).ShouldBe(restored);
        if (restored)
        {
            incident.News.ShouldHaveSingleItem().Text.ShouldContain("look at the target before you approve anything");
            await Records().NoteToldAsync(Cancel);
            await CheckAsync();
            (await Records().FindUntoldAsync(Cancel)).ShouldBeNull();
            (await FindAsync(id)).News.ShouldHaveSingleItem();
        }
    }

    [Theory]
    [InlineData(Verdict.Passing, IncidentState.Resolved, "do fix")]
    [InlineData(Verdict.Failing, IncidentState.Failed, "do fix, undo fix")]
    public async Task StepThatWasApprovedBeforeTheRestore_IsAskedAboutAnewAndThenRuns(Verdict after, IncidentState state, string deeds)
    {
        await using var world = new IncidentWorld();
        var runbook = Given.Runbook() with { Resolution = new() };
        world.Script.OnDone = _ => world.Script.Verdicts["stuck"] = after;
        var opened = await world.OpenAsync(runbook);
        await world.Get<KillSwitch>().EngageAsync("ada", "wait", Cancel);
        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await world.Store.UpdateAsync(opened.Id, incident => incident.NoteRestored(world.Time.GetUtcNow()), Cancel);
        await world.Get<KillSwitch>().ReleaseAsync("ada", "go", stop: null, Cancel);

        var asked = await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.OpenGate!.Id.ShouldBe("mitigation-2");
        asked.OpenGate.Difference.ShouldBe(Incident.RestoredText);
        world.Script.Deeds.ShouldBeEmpty();

        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        (await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(state);
        string.Join(", ", world.Script.Deeds).ShouldBe(deeds);
    }

    [Fact]
    public async Task StepByHandOfARestoredStore_ThatItIsDoneIsNoYesToTheNext()
    {
        await using var world = new IncidentWorld();
        var byHand = Given.Step("drain", "person", new { instruction = "Drain it.", who = new[] { "hands" } });
        var runbook = Given.Runbook() with { Resolution = new() };
        var opened = await world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { Steps = [byHand, Given.Step("fix")] } });
        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await RestoreAsync(world, opened.Id);

        var (asked, _) = await world.DecideAsync(opened.Id, DecisionVerb.Approve);

        world.Script.Deeds.ShouldBeEmpty();
        asked.OpenGate!.Difference.ShouldBe(Incident.RestoredText);
    }

    [Fact]
    public async Task SelfHealingRunbookOfARestoredStore_AsksAPerson()
    {
        await using var world = new IncidentWorld();
        var runbook = Given.Runbook();
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = null }, Resolution = new() };

        var asked = await world.OpenAsync(runbook, Given.Incident(runbook).NoteRestored(world.Time.GetUtcNow()));

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task LeaseOfARestoredStore_IsNotTakenBackASecondTime()
    {
        await using var world = new IncidentWorld();
        var id = await HoldAsync(world);
        await RestoreAsync(world, id);

        world.Script.Verdicts["full"] = Verdict.Passing;
        var ended = await world.AdvanceAsync(id, TimeSpan.FromMinutes(10));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldContain("restored from a backup");
        world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task StoppedSinceTheRestore_WhatWasDoneIsTakenBack()
    {
        await using var world = new IncidentWorld();
        var id = await HoldAsync(world);
        await RestoreAsync(world, id);

        (await world.StopAsync(id)).State.ShouldBe(IncidentState.Cancelled);

        world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task YesSinceTheRestore_WhatWasDoneBeforeIsTakenBackToo()
    {
        await using var world = new IncidentWorld();
        var runbook = Given.Runbook() with { Resolution = new() };
        var opened = await world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("first"), Given.Step("second")] } });
        world.Script.OnDone = name => (name == "first" ? RestoreAsync(world, opened.Id) : Task.CompletedTask).GetAwaiter().GetResult();
        (await world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.OpenGate!.Difference.ShouldBe(Incident.RestoredText);

        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        world.Script.Deeds.ShouldBe(["do first", "do second", "undo second", "undo first"]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A temporary fix that a person has agreed to, and that helps.</summary>
    private static async Task<string> HoldAsync(IncidentWorld world)
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(2), Every: TimeSpan.FromSeconds(30));
        var runbook = Given.Runbook();
        world.Script.OnDone = _ => world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { HoldUntil = lease }, Resolution = new() });
        (await world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Holding);
        return opened.Id;
    }

    /// <summary>A moment after what was done, and before what comes next.</summary>
    private static async Task RestoreAsync(IncidentWorld world, string id)
    {
        world.Time.Advance(TimeSpan.FromSeconds(1));
        await world.Store.UpdateAsync(id, incident => incident.NoteRestored(world.Time.GetUtcNow()), Cancel);
        world.Time.Advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>As a new process sees it.</summary>
    private RestoredRecords Records() => new(_store, _state, _time, NullLogger<RestoredRecords>.Instance, _witness);

    private Task CheckAsync() => Records().CheckAsync(Cancel);

    private async Task<string> OpenAsync() => (await _store.OpenAsync(Given.Incident(Given.Runbook()), Given.Runbook(), _ => null, Cancel)).Incident.Id;

    private Task<Incident> FindAsync(string id) => _store.GetAsync(id, Cancel);

    private sealed class Witness : IGenerationWitness
    {
        private int _written;

        public WitnessedGeneration? Now { get; set; }

        public bool Down { get; set; }

        /// <summary>What happens once between a read and what follows it.</summary>
        public Func<Task>? AfterRead { get; set; }

        public async Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken)
        {
            var (read, then) = (Now, AfterRead);
            AfterRead = null;
            await (then?.Invoke() ?? Task.CompletedTask);
            return read;
        }

        public Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken) => Down
            ? throw new StoreUnavailableException("The disk is full.")
            : Task.FromResult(Now = new(number, $"written {++_written}"));
    }
}
