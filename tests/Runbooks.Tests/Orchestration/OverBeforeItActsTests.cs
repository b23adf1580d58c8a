using Runbooks.Guardrails;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Orchestration;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>Between a yes and the first step the sender says that it is over: the checks are asked, and what is over needs nothing done.</summary>
public sealed class OverBeforeItActsTests : IAsyncDisposable
{
    private const string Over = "the alert was resolved before anything was done, and the checks no longer call for the mitigation.";
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world;
    private Func<Task> _beforeSteps = () => Task.CompletedTask;

    public OverBeforeItActsTests()
    {
        _world = new(new WorldHubOptions { Around = AroundAsync });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
    }

    [Fact]
    public async Task Approved_DoesNotActAndSaysBoth()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _beforeSteps = PassAndResolveAsync;

        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        ShouldHaveDoneNothing(ended);
        ended.Reason.ShouldBe($"It was approved and then not needed: {Over}");
        _world.Notifier.Sent.ShouldContain(sent => sent.To == "oncall" && sent.Card.Kind == CardKind.Closed);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    [Fact]
    public async Task HealsItself_DoesNotActAndAsksNobody()
    {
        _beforeSteps = PassAndResolveAsync;

        var ended = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        ShouldHaveDoneNothing(ended);
        ended.Reason.ShouldBe($"T{Over[1..]}");
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBeEmpty();
    }

    [Fact]
    public async Task SilenceWasAYesAndTheKillSwitchHeldIt_EndsWhileThatIsStillOn()
    {
        var approval = s_runbook.Mitigation.Approval! with { OnTimeout = OnTimeout.ProceedIfReversible };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = approval } });
        _world.Script.OnAsk = _ => _world.Get<KillSwitch>().EngageAsync("ada", "wrong pods", CancellationToken.None).GetAwaiter().GetResult();
        (await _world.AdvanceAsync(opened.Id, approval.Timeout + TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.Mitigating);
        _world.Script.OnAsk = _ => { };
        await PassAndResolveAsync();

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        ShouldHaveDoneNothing(ended);
        ended.Reason.ShouldBe($"T{Over[1..]}");
    }

    [Fact]
    public async Task ChecksStillFail_Acts()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _beforeSteps = ResolveAsync;

        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        ended.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task NoChecks_APersonsYesCountsForMoreThanTheSendersWord()
    {
        var opened = await _world.OpenAsync(s_runbook with { Diagnosis = [], Mitigation = s_runbook.Mitigation with { Verify = null } });
        _beforeSteps = ResolveAsync;

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    /// <summary>Over because a person has done their step: what they did goes on record.</summary>
    [Fact]
    public async Task PersonHasDoneTheirStep_GoesOnRecord()
    {
        var byHand = Given.Step("swap", "person", new { instruction = "Swap it.", who = new[] { "hands" } });
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [byHand] } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _beforeSteps = PassAndResolveAsync;

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Done);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private void ShouldHaveDoneNothing(Incident ended)
    {
        ended.State.ShouldBe(IncidentState.SelfRecovered, ended.Reason);
        ended.Steps.ShouldBeEmpty();
        _world.Script.Deeds.ShouldBeEmpty();
    }

    private Task PassAndResolveAsync()
    {
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        return ResolveAsync();
    }

    private Task ResolveAsync() =>
        _world.Store.UpdateAsync(_world.Store.All[0].Id, i => i.Attach(Given.Alert() with { Status = AlertStatus.Resolved }, _world.Time.GetUtcNow()), CancellationToken.None);

    private async Task<object?> AroundAsync(string activity, Func<Task<object?>> run)
    {
        if (activity is nameof(ReviewGate) or nameof(RunSteps))
        {
            await _beforeSteps();
        }

        return await run();
    }
}
