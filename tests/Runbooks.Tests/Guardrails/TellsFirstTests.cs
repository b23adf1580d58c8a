using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

/// <summary>A runbook that tells before it acts: to have told is not to have begun.</summary>
public sealed class TellsFirstTests : GuardedWorld
{
    private static readonly TimeSpan s_coolDown = TimeSpan.FromMinutes(10);
    private static readonly Runbook s_tellsFirst = First(s_asks, Given.Step("tell", "note", new { text = "It is stuck." }));

    [Fact]
    public async Task OverBeforeItActed_TheSecondQuestionIsWithdrawn()
    {
        var asked = await AskedAnewAsync();
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        (await _world.ResolveAlertAsync(asked.Id)).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task WindowWhileTheSecondQuestionStands_TakesNoApproval()
    {
        var asked = await AskedAnewAsync();
        _options.Windows.Add(new() { Name = "patching", Start = _world.Time.GetUtcNow().UtcDateTime, Duration = "1h" });

        (await ApproveAsync(asked.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);

        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task BreakerThatOpensWhileTheFixWaitsForItsTurn_HoldsIt()
    {
        await _world.OthersActForAsync(TimeSpan.FromMinutes(10));
        var opened = await OpenAsync(s_tellsFirst);
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.Steps.ShouldHaveSingleItem().Name.ShouldBe("tell");
        await _world.State.UpdateAsync<RunHistory, bool>(
            $"ledger:{s_tellsFirst.Id}", _ => (new() { Breaker = new(_world.Time.GetUtcNow(), "The last 3 fixes did not help.") }, true), CancellationToken.None);

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));

        held.Reason.ShouldNotBeNull().ShouldContain("breaker");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task FixThatWaitedForItsTurn_CountsFromWhenItActed()
    {
        await _world.OthersActForAsync(2 * s_coolDown);
        var runbook = s_tellsFirst with { Limits = s_tellsFirst.Limits with { CoolDown = s_coolDown } };
        var first = await OpenAsync(runbook);
        await _world.DecideAsync(first.Id, DecisionVerb.Approve);
        (await _world.AdvanceAsync(first.Id, 2.5 * s_coolDown)).State.ShouldBe(IncidentState.Resolved);
        Breaks();

        (await OpenAsync(runbook)).OpenGate!.Warnings.ShouldContain(warning => warning.Contains("cool-down"));
    }

    [Fact]
    public async Task ToldAMomentAgo_IsNoLookAtTheTarget()
    {
        await _world.OthersActForAsync(TimeSpan.FromMinutes(40));
        var patient = s_tellsFirst.Mitigation.Approval! with { Timeout = TimeSpan.FromHours(1) };
        var opened = await OpenAsync(s_tellsFirst with { Mitigation = s_tellsFirst.Mitigation with { Approval = patient } });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(25));

        ended.State.ShouldBe(IncidentState.Resolved);
        ended.Timeline.ShouldContain(line => line.What.Contains("the reasons to act still hold", StringComparison.Ordinal));
    }

    /// <summary>The checks are asked once more before each attempt of the first step that acts.</summary>
    [Fact]
    public async Task CameRightByItselfWhileTheFixWaitsForItsTurn_SaysSoOnce()
    {
        await _world.OthersActForAsync(TimeSpan.FromMinutes(10));
        var opened = await OpenAsync(s_tellsFirst);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));

        ended.Reason.ShouldNotBeNull().ShouldContain("so nothing shows whether they helped");
        ended.Timeline.Count(line => line.What.StartsWith("This passed before the first step already", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>Whether a step before it told or acted: a fix that was kept from acting is none.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FixThatIsKeptFromActing_IsNoFixThatDidNotHelp(bool acts)
    {
        _options.BreakerAfter = 1;
        var runbook = acts ? First(s_asks, Given.Step("cordon")) : s_tellsFirst;
        var opened = await OpenAsync(runbook);
        _world.Script.OnDone = _ => { };
        _world.Script.BeforeLooking = name => name == "fix" ? new StepRefusedException("The disruption budget allows no eviction.") : null;

        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Steps.ShouldHaveSingleItem();
        var history = await _world.Get<RunHistoryStore>().ReadAsync(runbook.Id, CancellationToken.None);
        (history.Runs.Count, history.Breaker).ShouldBe((0, null));
    }

    /// <summary>Of a runbook that does nothing but tell, half of it is told: then a window that opens does not hold the rest.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void HasBegunWithAStepThatTells_WhereTheOthersTellAsWell(bool tellsOnly)
    {
        var told = new StepRecord
        {
            Phase = Phase.Mitigation, Name = "tell", Action = "note", GateId = "mitigation-1", StartedAt = Given.Night, Preparation = new() { PlannedEffect = "Note.", TellsOnly = true },
        };
        var gate = TestKit.Some.Gate() with { Plan = new("plan", [TestKit.Some.Step() with { TellsOnly = tellsOnly }]) };

        new GuardrailContext(Given.Incident(s_asks) with { Steps = [told] }, s_asks, Phase.Mitigation, AboutToRun: true, gate).HasBegun.ShouldBe(tellsOnly);
    }

    private static Runbook First(Runbook runbook, StepSpec step) => runbook with { Mitigation = runbook.Mitigation with { Steps = [step, .. runbook.Mitigation.Steps] } };

    /// <summary>Approved and told; then the target was another one.</summary>
    private async Task<Incident> AskedAnewAsync()
    {
        var opened = await OpenAsync(s_tellsFirst);
        _world.Script.Identities["fix"] = "second";
        var (asked, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        asked.OpenGate!.Id.ShouldBe("mitigation-2");
        asked.Steps.ShouldHaveSingleItem().Name.ShouldBe("tell");
        return asked;
    }
}
