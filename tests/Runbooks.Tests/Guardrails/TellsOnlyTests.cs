using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>A runbook whose steps only tell acts on nothing: nobody is asked whether they want to be told.</summary>
public sealed class TellsOnlyTests : GuardedWorld
{
    private static readonly Runbook s_tells = Given.Runbook() with
    {
        Mitigation = new(),
        Resolution = new() { Steps = [Given.Step("tell", "note", new { text = "Renew it." })] },
        Limits = new() { MaxRuns = 1, Per = TimeSpan.FromDays(1) },
    };

    [Fact]
    public async Task Failing_IsToldAndClaimsNoFix()
    {
        var told = await _world.OpenAsync(s_tells);

        ShouldHaveTold(told);
        told.LatestGate!.Question.ShouldBe("Tell of inference/llm-b-0, and change nothing?");
        told.LatestGate.ClosedBy.ShouldBe("This runbook only tells; nobody had to be asked.");
    }

    [Fact]
    public async Task Proposed_TellsNobodyBeforeAPersonSaysYes()
    {
        var asked = await _world.OpenAsync(s_tells, Given.Incident(s_tells) with { IsProposed = true, Mode = RunMode.ApproveAll, StartedBy = "an assistant with the key bot" });

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.OpenGate!.Approvers.ShouldBe([s_tells.Fallback]);
        asked.Steps.ShouldBeEmpty();

        (await _world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Done);
    }

    /// <summary>To tell is not to act, also where somebody has to say yes to it.</summary>
    [Fact]
    public async Task ProposedWhileTheKillSwitchIsOn_MayBeApproved()
    {
        await EngageKillSwitchAsync();

        var asked = await _world.OpenAsync(s_tells, Given.Incident(s_tells) with { IsProposed = true, Mode = RunMode.ApproveAll, StartedBy = "an assistant with the key bot" });

        asked.OpenGate!.Warnings.ShouldBeEmpty();
        (await _world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Done);
    }

    [Fact]
    public async Task Unclear_IsToldWithoutAQuestion()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        _world.Script.Verdicts["full"] = Verdict.Unknown;

        ShouldHaveTold(await _world.OpenAsync(s_tells));
    }

    [Fact]
    public async Task SystemThatAlwaysAsks_DoesNotAskAboutTelling()
    {
        _options.Mode = RunMode.ApproveAll;

        ShouldHaveTold(await _world.OpenAsync(s_tells, Given.Incident(s_tells) with { Mode = RunMode.ApproveAll }));
    }

    [Fact]
    public async Task KillSwitch_DoesNotKeepItFromTelling()
    {
        await EngageKillSwitchAsync();

        ShouldHaveTold(await _world.OpenAsync(s_tells));
    }

    [Fact]
    public async Task BeyondItsLimit_NobodyIsToldAgainAndNobodyIsAsked()
    {
        await _world.OpenAsync(s_tells);
        var sent = _world.Notifier.Sent.Count;

        var second = await _world.OpenAsync(s_tells, Given.Incident(s_tells, "261123-0300-bbbbbb"));

        second.State.ShouldBe(IncidentState.NotNeeded, second.Reason);
        second.Reason.ShouldNotBeNull().ShouldContain("the limit is 1");
        second.Steps.ShouldBeEmpty();
        _world.Notifier.Sent.Count.ShouldBe(sent);
    }

    private void ShouldHaveTold(Incident incident)
    {
        incident.State.ShouldBe(IncidentState.Resolved, incident.Reason);
        incident.Reason.ShouldBe("This runbook only tells: nothing outside was changed.");
        incident.Steps.ShouldHaveSingleItem().Outcome.ShouldBe("Renew it.");
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBeEmpty();
    }
}
