using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

/// <summary>Somebody pulls the kill switch while a step waits between two changes.</summary>
public sealed class PausedHalfWayTests : IAsyncDisposable
{
    private readonly IncidentWorld _world;
    private readonly TwoChanges _changes = new();

    public PausedHalfWayTests() => _world = new IncidentWorld(configure: services => services.AddSingleton<IAction>(_changes));

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<Incident> RunAsync()
    {
        var runbook = Given.Runbook() with { Resolution = new() };
        runbook = runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("first"), Given.Step("pair", TwoChanges.Registered)] } };
        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        return await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));
    }

    private Task PullAsync() => _world.Get<KillSwitch>().EngageAsync("ana", "Wrong node.", Cancel);

    private Task ReleaseAsync() => _world.Get<KillSwitch>().ReleaseAsync("ana", "Over.", stop: null, Cancel);

    [Fact]
    public async Task StepThatHasChangedSomething_StopsThereAndIsTakenBackAtTheRelease()
    {
        _changes.AfterOne = PullAsync;

        var paused = await RunAsync();

        _changes.Made.ShouldBe(["one"]);
        var step = paused.FindStep(Phase.Mitigation, "pair").ShouldNotBeNull();
        step.Status.ShouldBe(StepStatus.Failed);
        step.Outcome.ShouldNotBeNull().ShouldMatch(@"^The kill switch is on: ana stopped all steps at .*\. Wrong node\. Before that, one of two was changed; nothing was changed after it\.$");

        await ReleaseAsync();
        var ended = await _world.AdvanceAsync(paused.Id, TimeSpan.FromMinutes(31));

        ended.State.ShouldBe(IncidentState.Failed);
        RunAssessment.Of(ended).ShouldBeNull("that it was stopped says nothing about the fix");
        _changes.Made.ShouldBe(["one", "taken back"]);
        _world.Script.Deeds.ShouldBe(["do first", "undo first"]);
    }

    [Fact]
    public async Task StepThatHasChangedNothing_WaitsAndGoesOnAtTheRelease()
    {
        _changes.BeforeOne = PullAsync;

        var paused = await RunAsync();

        _changes.Made.ShouldBeEmpty();
        (paused.State, paused.FindStep(Phase.Mitigation, "pair")).ShouldBe((IncidentState.Mitigating, null));

        _changes.BeforeOne = () => Task.CompletedTask;
        await ReleaseAsync();
        await _world.AdvanceAsync(paused.Id, TimeSpan.FromMinutes(5));

        _changes.Made.Take(2).ShouldBe(["one", "two"]);
    }

    /// <summary>Changes two things, and waits before each of them.</summary>
    private sealed class TwoChanges() : RunbookAction<ScriptedActionParameters>(Registered, "Changes two things.")
    {
        public const string Registered = "test.twoChanges";

        public List<string> Made { get; } = [];

        public Func<Task> BeforeOne { get; set; } = () => Task.CompletedTask;

        public Func<Task> AfterOne { get; set; } = () => Task.CompletedTask;

        public override bool Reversible => true;

        protected override Task<Preparation> PrepareAsync(ScriptedActionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new Preparation { PlannedEffect = "Change two things.", Undo = "Change them back.", UndoState = JsonSerializer.SerializeToElement("both") });

        protected override async Task<ActionResult> ApplyAsync(ScriptedActionParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
        {
            await BeforeOne();
            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            Made.Add("one");
            await AfterOne();
            await context.EnsureNotPausedAsync("one of two was changed", cancellationToken);
            Made.Add("two");
            return new("Changed two things.");
        }

        public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
        {
            Made.Add("taken back");
            return Task.FromResult(new ActionResult("Changed them back."));
        }
    }
}
