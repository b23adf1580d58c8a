using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Approvals;

/// <content>What is asked about the resolution.</content>
public sealed partial class ApprovalStoryTests
{
    [Fact]
    public async Task ResolutionWithItsOwnApproval_IsAskedAboutAfterTheFixWasVerified()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval) with
        {
            Resolution = new() { Approval = Given.Approval() with { Ask = "And the cause?", From = ["platform-lead"] }, Steps = [Given.Step("ticket")] },
        });

        await DecideAsync(opened.Id, "ada");
        var between = await _world.SettleAsync(opened.Id);
        between.OpenGate!.Id.ShouldBe("resolution-1");
        _world.Script.Deeds.ShouldBe(["do fix"]);

        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.NotAllowed);
        (await DecideAsync(opened.Id, "linus")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    [Theory]
    [InlineData(true, "resolution-2")]
    [InlineData(false, "resolution-1")]
    public async Task ResolutionWhoseTargetIsAnotherSinceItWasShown_IsAskedAboutAnew(bool asksForItself, string asked)
    {
        var steps = new Resolution { Approval = asksForItself ? Given.Approval() : null, Steps = [Given.Step("cordon")] };
        var runbook = Asking(approval => approval);
        var opened = await _world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { Steps = asksForItself ? runbook.Mitigation.Steps : [], Verify = null }, Resolution = steps });
        if (asksForItself)
        {
            await DecideAsync(opened.Id, "ada");
        }

        _world.Script.Identities["cordon"] = "bbbb-2";
        await DecideAsync(opened.Id, "ada");

        var gate = (await _world.SettleAsync(opened.Id)).OpenGate.ShouldNotBeNull();
        gate.Id.ShouldBe(asked);
        gate.Difference.ShouldNotBeNull().ShouldContain("it was first, and is bbbb-2");
        _world.Script.Count("do cordon").ShouldBe(0);

        await DecideAsync(opened.Id, "ada");
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Count("do cordon").ShouldBe(1);
    }

    [Fact]
    public async Task MitigationThatReplacesWhatTheResolutionLooksAt_CoversItAllTheSame()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval));
        _world.Script.OnDone = _ => _world.Script.Identities["ticket"] = "the pod that took its place";
        _world.Script.OnAsk = _ => _world.Script.Verdicts["stuck"] = _world.Script.Deeds.IsEmpty ? Verdict.Failing : Verdict.Passing;

        await DecideAsync(opened.Id, "ada");

        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    [Theory]
    [InlineData(true, "Nobody has to be asked about the mitigation; the resolution asks for itself.")]
    [InlineData(false, "Nothing is done before the resolution; the resolution asks for itself.")]
    public async Task ResolutionThatAsksAfterAMitigationThatDoesNot_IsNotCalledSelfHealing(bool acts, string words)
    {
        var runbook = Given.Runbook();

        var opened = await _world.OpenAsync(runbook with
        {
            Mitigation = runbook.Mitigation with { Approval = null, Verify = null, Steps = acts ? runbook.Mitigation.Steps : [] },
            Resolution = runbook.Resolution with { Approval = Given.Approval() },
        });

        opened.OpenGate.ShouldNotBeNull().Phase.ShouldBe(Phase.Resolution);
        opened.Gates[0].ClosedBy.ShouldBe(words);
    }

    /// <summary>The people whom the file names are asked, about the steps that there are, and they learn what is not known.</summary>
    [Fact]
    public async Task OnlyTheResolutionActsAndTheChecksAreUnclear_ItsOwnPeopleAreAskedAtOnce()
    {
        var runbook = Given.Runbook();
        (_world.Script.Verdicts["stuck"], _world.Script.Verdicts["full"]) = (Verdict.Unknown, Verdict.Passing);

        var opened = await _world.OpenAsync(runbook with
        {
            Mitigation = runbook.Mitigation with { Approval = null, Verify = null, Steps = [] },
            Resolution = runbook.Resolution with { Approval = Given.Approval() with { Ask = "OK?", OnTimeout = OnTimeout.ProceedIfReversible } },
        });

        var asked = opened.OpenGate.ShouldNotBeNull();
        (asked.Phase, asked.Question, asked.OnTimeout).ShouldBe((Phase.Resolution, "OK?", OnTimeout.Abort));
        asked.Approvers.ShouldBe(["oncall"]);
        asked.Warnings.ShouldBe(["Not every check could be answered, and none of the answered ones failed."]);
        opened.Gates[0].ClosedBy.ShouldBe("Nothing is done before the resolution; the resolution asks for itself.");
    }
}
