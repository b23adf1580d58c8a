using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Engine;
using TestKit.Incidents;

namespace Runbooks.Tests.Approvals;

/// <summary>What a question shows of what would run.</summary>
public sealed class PlanBuilderTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private readonly ListLogger _log = new();
    private readonly IncidentWorld _world;

    public PlanBuilderTests() => _world = new IncidentWorld(configure: services => services
        .AddSingleton<ILoggerFactory>(_log)
        .AddSingleton<IAction>(provider => new KeptAction(provider.GetRequiredService<Script>())));

    [Fact]
    public async Task Plan_ShowsTheStepsOfBothPhasesWhereOneYesCoversThem()
    {
        var plan = await PlanAsync([Given.Step("fix")], [Given.Step("ticket")]);

        plan.Steps.Select(step => (step.Phase, step.Name, step.Action, step.PlannedEffect, step.Undo, step.Identity, step.Deferred))
            .ShouldBe([(Phase.Mitigation, "fix", "script.act", "Do fix.", "Undo fix.", "first", false), (Phase.Resolution, "ticket", "script.act", "Do ticket.", "Undo ticket.", null, false)]);
        (plan.Blocker, plan.LaterBlocker).ShouldBe((null, null));
        _log.Lines.ShouldNotContain(line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    /// <summary>A mitigation that only tells changes nothing that the resolution looks at.</summary>
    [Fact]
    public async Task MitigationThatOnlyTells_HoldsTheResolutionToWhatItFound() =>
        (await PlanAsync([Note("Hello.")], [Given.Step("ticket")])).Steps[^1].Identity.ShouldBe("first");

    [Fact]
    public async Task StepThatHasEnded_IsNotPlannedAgainAndOneThatBrokeOffIs()
    {
        var runbook = With([Given.Step("one"), Given.Step("two")], []);
        var begun = Given.Incident(runbook).BeginStep(runbook.Mitigation.Steps[0], Phase.Mitigation, "mitigation-1", new() { PlannedEffect = "Do one." }, Given.Night);

        (await PlanAsync(begun, runbook)).Steps.Select(step => step.Name).ShouldBe(["one", "two"]);
        (await PlanAsync(begun.FinishStep(begun.Steps[0], StepStatus.Done, new("Did it."), Given.Night), runbook)).Steps.Select(step => step.Name).ShouldBe(["two"]);
    }

    [Fact]
    public async Task ActionThatThisHostLacks_IsNamed()
    {
        var plan = await PlanAsync([Given.Step("fix", "none.act"), Given.Step("more", "none.other")], []);

        plan.Blocker.ShouldBe("Step 'fix': this host has no action 'none.act'. Step 'more': this host has no action 'none.other'.");
        plan.LaterBlocker.ShouldBeNull();
        (plan.Steps[0].PlannedEffect, plan.Steps[0].Undo).ShouldBe(("Run none.act.", null));
    }

    /// <summary>What a later step finds may be changed by the first ones, and what is wrong with it stays wrong.</summary>
    [Fact]
    public async Task ResolutionThatCannotRun_IsAWarningWhereTheFirstStepsCannotHelp()
    {
        var wrong = await PlanAsync([Given.Step("fix")], [Given.Step("ticket", with: new { }), Given.Step("more", "none.act")]);
        _world.Script.BeforeLooking = name => name == "ticket" ? new IOException("There is no ticket.") : null;
        var unseen = await PlanAsync([Given.Step("fix")], [Given.Step("ticket")]);

        wrong.Blocker.ShouldBeNull();
        wrong.LaterBlocker!.ShouldStartWith("The resolution cannot come to its end as things are. Step 'ticket': ");
        wrong.LaterBlocker!.ShouldEndWith(" Step 'more': this host has no action 'none.act'.");
        (unseen.Blocker, unseen.LaterBlocker).ShouldBe((null, null));
        (unseen.Steps[^1].Deferred, unseen.Steps[^1].PlannedEffect).ShouldBe((true, "Does what the test says."));
    }

    [Fact]
    public async Task LookThatBreaks_IsSaidAndLoggedWithoutSecrets()
    {
        _world.Script.BeforeLooking = _ => new IOException("Refused with hunter2-hunter2.");

        var plan = await PlanAsync([Given.Step("fix", with: new { name = "fix", password = "hunter2-hunter2" })], []);

        plan.Blocker!.ShouldStartWith("Step 'fix': Refused with ");
        plan.Blocker!.ShouldNotContain("hunter2");
        _log.Lines.ShouldContain($"Warning: Attempt 0 of step fix of incident {Given.Incident(s_runbook).Id} failed.");
    }

    [Fact]
    public async Task LookThatIsCalledOff_IsNoFindingOfTheStep()
    {
        using var stop = new CancellationTokenSource();
        _world.Script.BeforeLooking = _ =>
        {
            stop.Cancel();
            return new OperationCanceledException(stop.Token);
        };

        await Should.ThrowAsync<OperationCanceledException>(() => _world.Get<PlanBuilder>().MakeAsync(Given.Incident(s_runbook), s_runbook, Phase.Mitigation, stop.Token));
    }

    /// <summary>It needs what a step before it gives, so only what its kind is can be said.</summary>
    [Theory]
    [InlineData("script.act", "Possible; how depends on the steps before it.", false, false, "Does what the test says.")]
    [InlineData("script.once", null, false, false, "Does what the test says.")]
    [InlineData("script.kept", "Left to a person.", true, false, "Does what the test says.")]
    [InlineData("note", "Nothing to bring back.", false, true, "Writes a line into the incident's timeline, and touches nothing.")]
    public async Task StepThatWaitsForOutputs_SaysHowItIsUndoneAsFarAsThatIsKnown(string action, string? undo, bool byHand, bool tells, string effect)
    {
        var plan = await PlanAsync([Given.Step("fix"), Given.Step("next", action, new { name = "next", text = "{{ steps.fix.result }}" })], []);

        (plan.Blocker, plan.Steps[1].Undo, plan.Steps[1].UndoneByHand, plan.Steps[1].Deferred, plan.Steps[1].TellsOnly, plan.Steps[1].PlannedEffect).ShouldBe((null, undo, byHand, true, tells, effect));
    }

    [Fact]
    public async Task WorkByHandThatWaitsForOutputs_SaysWhoDoesWhat()
    {
        var step = (await PlanAsync([Given.Step("fix"), Given.Step("swap", BuiltInSteps.Person, new { instruction = "Swap {{ steps.fix.result }}.", who = (string[])["hands"] })], [])).Steps[1];

        (step.Deferred, step.UndoneByHand, step.Undo).ShouldBe((true, true, null));
        step.PlannedEffect.ShouldContain("Swap (known after fix).");
    }

    [Fact]
    public async Task ParametersThatAreWrong_AreNoDeferredStep() => (await PlanAsync([Given.Step("fix", with: new { })], [])).ShouldSatisfyAllConditions(
        plan => plan.Blocker!.ShouldStartWith("Step 'fix': "),
        plan => plan.Steps[0].Deferred.ShouldBeFalse());

    [Fact]
    public async Task WhatIsPlanned_IsKeptAsTheActionSays()
    {
        _world.Script.Keeps = _ => true;

        var plan = await PlanAsync([Given.Step("fix", with: new { name = new string('x', 600) }), Note("Hello.")], []);

        plan.Steps.Select(step => (step.UndoneByHand, step.TellsOnly, step.PlannedEffect.Length)).ShouldBe([(true, false, 500), (false, true, "Note: Hello.".Length)]);
    }

    public ValueTask DisposeAsync()
    {
        _log.Dispose();
        return _world.DisposeAsync();
    }

    private static StepSpec Note(string text) => Given.Step("say", "note", new { text });

    private static Runbook With(StepSpec[] mitigation, StepSpec[] resolution) =>
        s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = mitigation }, Resolution = new() { Steps = resolution } };

    private Task<Plan> PlanAsync(StepSpec[] mitigation, StepSpec[] resolution) => PlanAsync(Given.Incident(s_runbook), With(mitigation, resolution));

    private Task<Plan> PlanAsync(Incident incident, Runbook runbook) => _world.Get<PlanBuilder>().MakeAsync(incident, runbook, Phase.Mitigation, TestContext.Current.CancellationToken);

    private sealed class KeptAction(Script script) : ScriptedAction(script, "script.kept")
    {
        public override Reversal ReversalOf(JsonElement with) => Reversal.Kept;
    }
}
