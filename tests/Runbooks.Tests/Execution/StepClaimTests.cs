using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>A step's activity delivered at a wrong moment, as engines that deliver at least once may do.</summary>
public sealed class StepClaimTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task StepOfAGateThatNobodyAnswered_IsRefused()
    {
        var opened = await _world.OpenAsync(s_runbook);

        (await RunAsync()).End.ShouldBe(StepOutcome.Refused);
        (await RunAsync(gate: "mitigation-7")).End.ShouldBe(StepOutcome.Refused);

        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task StepThatWasUndone_IsNotDoneAgain()
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);

        await RunAsync();

        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task StepThatNeverBeganWhenUndoingDid_DoesNotBeginAfterwards()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
        _world.Script.BeforeActing = name => name == "one" ? new StepRefusedException("no such pod") : null;
        var opened = await _world.OpenAsync(runbook);
        await _world.Store.UpdateAsync(opened.Id, i => (i.Decide("mitigation-1", new(DecisionVerb.Approve, "alice", "api", _world.Time.GetUtcNow())).Incident with { UndoBeganAt = Given.Night }, true), CancellationToken.None);

        (await RunAsync("two")).End.ShouldBe(StepOutcome.Refused);

        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task SameStepTwiceAtOnce_ActsOnceWhenItCannotBeRepeated()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("rotate", "script.once")] } };
        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);

        // Whoever came second is tried again later, and then reads the outcome.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunAsync("rotate")));

        _world.Script.Count("do rotate").ShouldBe(1);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<StepResult> RunAsync(string step = "fix", string gate = "mitigation-1") =>
        _world.Get<StepRunner>().RunAsync(_world.Store.All.Single(), new StepRequest(Phase.Mitigation, step, gate), CancellationToken.None);
}
