using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>A step that cannot be repeated has begun in another process, which may still be at it or may be dead: from here nobody can tell.</summary>
public sealed class LostAttemptsTests : IAsyncDisposable
{
    private static readonly StepSpec s_rotate = Given.Step("rotate", "script.once");
    private static readonly Runbook s_runbook = Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Steps = [s_rotate] }, Resolution = new() };

    private IncidentWorld? _world;

    [Fact]
    public async Task OutcomeThatComesInItsTime_Counts()
    {
        var incident = await BeginElsewhereAsync(shared: true);
        (incident.State, incident.Steps.ShouldHaveSingleItem().Status).ShouldBe((IncidentState.Mitigating, StepStatus.Running));
        incident.Timeline[^1].What.ShouldStartWith("rotate: an attempt that was lost sight of may still be at work.");
        incident.WaitsUntil.ShouldBe(Given.Night + s_rotate.Timeout + TimeSpan.FromMinutes(1), "the watch does not take it for stuck");

        await _world!.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(4));
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await FinishElsewhereAsync(incident.Id);
        incident = await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(10));

        (incident.State, incident.Steps.ShouldHaveSingleItem().Outcome).ShouldBe((IncidentState.Resolved, "Rotated."));
        incident.Timeline.Count(line => line.What.Contains("lost sight of")).ShouldBe(1, "it is said once");
        _world.Script.Deeds.ShouldBeEmpty("it is not done a second time");
    }

    [Fact]
    public async Task NothingComesInItsTime_ItIsCalledCutOffAndWhatComesLaterIsOnRecord()
    {
        var incident = await BeginElsewhereAsync(shared: true);
        incident = await _world!.AdvanceAsync(incident.Id, s_rotate.Timeout);
        incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Running);

        incident = await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(2));
        (incident.State, incident.Steps.ShouldHaveSingleItem().Status).ShouldBe((IncidentState.Failed, StepStatus.Unknown));

        await FinishElsewhereAsync(incident.Id);
        incident = _world.Store.All.Single();
        (incident.State, incident.Timeline[^1].What).ShouldBe((IncidentState.Failed, "rotate is known now: Rotated."));

        // Whoever was at it does not go on with the next step.
        (await _world.Get<StepRunner>().RunAsync(incident, new StepRequest(Phase.Mitigation, "rotate", "mitigation-1"), CancellationToken.None)).End.ShouldBe(StepOutcome.Unknown);
    }

    [Fact]
    public async Task OnlyThisProcessTakesWork_ItIsCalledCutOffAtOnce()
    {
        var incident = await BeginElsewhereAsync(shared: false);

        (incident.State, incident.Steps.ShouldHaveSingleItem().Status).ShouldBe((IncidentState.Failed, StepStatus.Unknown));
    }

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>When this process comes to run the step, another one has.</summary>
    private async Task<Incident> BeginElsewhereAsync(bool shared)
    {
        _world = new(new WorldHubOptions
        {
            IsShared = shared,
            Around = async (activity, run) =>
            {
                if (_world!.Store.All.Single() is { Steps.Count: 0 } approved && approved.FindGate("mitigation-1") is { Outcome: GateOutcome.Approved })
                {
                    await _world.Store.UpdateAsync(
                        approved.Id, i => (i.BeginStep(s_rotate, Phase.Mitigation, "mitigation-1", new() { PlannedEffect = "Rotate." }, _world.Time.GetUtcNow()), true), CancellationToken.None);
                }

                return await run();
            },
        });
        var opened = await _world.OpenAsync(s_runbook);
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }

    private Task FinishElsewhereAsync(string id) => _world!.Store.UpdateAsync(
        id, i => (i.FinishStep(i.Steps[0], StepStatus.Done, new("Rotated."), _world.Time.GetUtcNow()), true), CancellationToken.None);
}
