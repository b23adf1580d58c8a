using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>A stop or a take-back that comes after the last look at the record and before the end is heeded as any other.</summary>
public sealed class LateStopTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private static readonly Runbook s_unverified = s_runbook with { Resolution = new(), Mitigation = s_runbook.Mitigation with { Verify = null } };
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task TakenBackWhileTheLastStepOfTheResolutionRuns_IsUndoneAsWasSaid()
    {
        var ended = await ActAsync(s_runbook, "ticket", TakeBack);

        (ended.State, ended.Reason).ShouldBe((IncidentState.Cancelled, "ada asked for what was changed to be taken back: it was the wrong pod. Undone: fix. Stays in place: ticket."));
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket", "undo fix"]);
    }

    /// <summary>The stop says that the fix stays; whoever then has it taken back is told that it is.</summary>
    [Fact]
    public async Task StoppedAndThenTakenBackWhileAStepOfTheResolutionRuns_IsUndoneAsWasSaid()
    {
        var ended = await ActAsync(s_runbook, "ticket", () => Stop() ?? TakeBack());

        (ended.State, ended.Reason).ShouldBe((IncidentState.Cancelled, "ada asked for what was changed to be taken back: it was the wrong pod. Undone: fix. Stays in place: ticket."));
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket", "undo fix"]);
    }

    [Fact]
    public async Task TakenBackWhileTheLastStepOfTheResolutionFails_IsUndoneAndAPersonIsNeeded()
    {
        _world.Script.BeforeActing = name => name == "ticket" && TakeBack() is { } failure ? failure : null;

        var once = s_runbook with { Resolution = new() { Steps = [s_runbook.Resolution.Steps[0] with { Retry = new(1, TimeSpan.Zero) }] } };
        var ended = await ActAsync(once, "", () => null);

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldContain("Undone: fix.");
        ended.Steps.Single(step => step.Name == "fix").Status.ShouldBe(StepStatus.Undone);
    }

    [Fact]
    public async Task StoppedWhileTheOnlyStepRuns_IsUndoneAndTheNoIsRemembered()
    {
        var ended = await ActAsync(s_unverified, "fix", Stop);

        (ended.State, ended.Reason).ShouldBe((IncidentState.Cancelled, "ada stopped the incident: wrong alarm. Undone: fix."));
        ended.SaidNo()!.By.ShouldBe("ada");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    /// <summary>The fix was seen to work and its cause was seen to: there is nothing left to stop.</summary>
    [Fact]
    public async Task StoppedWhileTheLastStepOfTheResolutionRuns_TheFixStays()
    {
        var ended = await ActAsync(s_runbook, "ticket", Stop);

        ended.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    /// <summary>The fix was verified a moment ago, and nothing of the resolution is on record yet: whoever stops it then is told that what can be taken back is.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StoppedWhileTheResolutionLooks_IsUndoneAsWasSaid(bool asks)
    {
        var said = "";
        _world.Script.BeforeLooking = name =>
        {
            if (name == "ticket" && _world.Script.Count("do fix") == 1 && said == "")
            {
                said = StopAndRead();
            }

            return null;
        };
        var resolution = s_runbook.Resolution with { Approval = asks ? Given.Approval() : null };

        var ended = await ActAsync(s_runbook with { Resolution = resolution }, "", () => null);

        said.ShouldStartWith("It stops before the next step. What can be taken back is taken back.");
        ended.State.ShouldBe(IncidentState.Cancelled);
        ended.Reason!.ShouldEndWith("but the resolution did not run: ada stopped the incident: wrong alarm. Undone: fix.");
        ended.Reason!.ShouldStartWith("The fix was verified");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task StoppedWhileAStepThatCannotBeRepeatedBreaksOff_IsUndoneAndAPersonIsNeeded()
    {
        var runbook = s_unverified with { Mitigation = s_unverified.Mitigation with { Steps = [Given.Step("fix"), Given.Step("rotate", "script.once")] } };
        _world.Script.AfterActing = name => name == "rotate" ? Stop() ?? new IOException("cut off") : null;

        var ended = await ActAsync(runbook, "", () => null);

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldContain("Nobody knows whether rotate happened.");
        _world.Script.Deeds.ShouldBe(["do fix", "do rotate", "undo fix"]);
    }

    /// <summary>Between the moment at which a question is withdrawn, or its time is up, and the record of the end.</summary>
    [Theory]
    [InlineData(IncidentState.SelfRecovered)]
    [InlineData(IncidentState.Expired)]
    [InlineData(IncidentState.NotNeeded)]
    public async Task StoppedBeforeAnEndThatNobodyDecided_IsTheirNo(IncidentState state)
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.Store.UpdateAsync(opened.Id, i => i.CloseGate("mitigation-1", GateOutcome.SelfRecovered, "It is over.", _world.Time.GetUtcNow()), CancellationToken.None);
        Stop();

        await _world.Get<Runbooks.Orchestration.IncidentCloser>().CloseAsync(new(opened.Id, state, "It is over.", []), CancellationToken.None);

        var ended = await _world.Store.GetAsync(opened.Id, CancellationToken.None);
        (ended.State, ended.SaidNo()?.By).ShouldBe((IncidentState.Cancelled, "ada"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <param name="during">The step in which somebody presses.</param>
    private async Task<Incident> ActAsync(Runbook runbook, string during, Func<Exception?> press)
    {
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = name =>
        {
            _world.Script.Verdicts["stuck"] = Verdict.Passing;
            _ = name == during ? press() : null;
        };
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        return await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
    }

    private Exception? TakeBack()
    {
        _world.Get<IncidentVerbService>().TakeBackAsync(_world.Store.All[0].Id, "ada", "it was the wrong pod", CancellationToken.None).GetAwaiter().GetResult();
        return new IOException("refused");
    }

    private Exception? Stop()
    {
        StopAndRead();
        return null;
    }

    private string StopAndRead() =>
        _world.Get<IncidentVerbService>().StopAsync(_world.Store.All[0].Id, "ada", "wrong alarm", CancellationToken.None).GetAwaiter().GetResult().Result.Message;
}
