using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

public sealed partial class GuardrailTests
{
    [Fact]
    public async Task SystemThatAsksAlways_AsksForASelfHealingRunbookToo()
    {
        _options.Mode = RunMode.ApproveAll;

        (await OpenAsync(s_heals)).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task RunbookThatAsksAlways_DoesNotTakeSilenceForAYes()
    {
        var opened = await OpenAsync(s_asks with { Mode = RunMode.ApproveAll, Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } });

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task SystemSetToAskAlwaysAfterTheQuestion_SilenceIsNoYes()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } } });
        _options.Mode = RunMode.ApproveAll;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(25));

        incident.OpenGate!.Difference.ShouldBe("The system asks a person before anything runs.");
        _world.Script.Deeds.ShouldBeEmpty();
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task SystemSetToAskAlwaysBeforeASelfHealingStepActs_AsksFirst()
    {
        await _world.OthersActForAsync(TimeSpan.FromSeconds(30));
        var opened = await OpenAsync(s_heals);
        _options.Mode = RunMode.ApproveAll;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task SystemSetToDryRunAfterTheQuestion_RunsNothing()
    {
        var opened = await OpenAsync(s_asks);
        _options.Mode = RunMode.DryRun;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>What nobody lifts is not waited for.</summary>
    [Fact]
    public async Task SystemSetToDryRunAndPaused_IsRefusedAndDoesNotWait()
    {
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        _options.Mode = RunMode.DryRun;
        await EngageKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Failed);
    }

    [Fact]
    public async Task PersonWhoDidNotSeeAWarning_HasNotOverruledIt()
    {
        var runbook = s_asks with { Limits = new() { CoolDown = TimeSpan.FromMinutes(10) } };
        var (first, second) = (await OpenAsync(runbook), await OpenAsync(runbook));
        await _world.DecideAsync(first.Id, DecisionVerb.Approve);
        Breaks();

        var (incident, _) = await _world.DecideAsync(second.Id, DecisionVerb.Approve);

        incident.OpenGate!.Difference!.ShouldContain("cool-down");
        _world.Script.Count("do fix").ShouldBe(1);
        (await _world.DecideAsync(second.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }
}
