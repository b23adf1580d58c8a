using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>What a team may do is what its file says when a step comes to act, whichever version of the runbook the incident goes by.</summary>
public sealed class TeamActionsTests : GuardedWorld
{
    private const string Why = "Runbooks of the team ml may not do script.act (step 'fix'). They may do: note. 'actions' in ml/team.yaml says so.";

    private static readonly Runbook s_ofTeam = s_asks with { Team = "ml" };

    [Fact]
    public async Task ActionTakenAwayWhileItIsAsked_TakesNoYesUntilItIsGivenBack()
    {
        var opened = await OpenAsync(s_ofTeam);
        Allow("note");

        var held = await ApproveAsync(opened.Id);

        (held.Result.Status, held.Result.Message.StartsWith($"Not approved: {Why}", StringComparison.Ordinal)).ShouldBe((DecisionStatus.HeldBack, true));
        Allow("script.*");
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ActionTakenAwayAfterTheYes_NeverActs()
    {
        var opened = await OpenAsync(s_ofTeam);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        Allow("note");

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        (ended.State, ended.Reason!.Contains(Why, StringComparison.Ordinal)).ShouldBe((IncidentState.Failed, true));
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task ActionTakenAwayBetweenTwoSteps_WhatWasDoneIsTakenBackAllTheSame()
    {
        _world.Script.OnDone = _ => Allow("note");

        var ended = await OpenAsync(s_heals with { Team = "ml", Mitigation = s_heals.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } });

        ended.State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBe(["do one", "undo one"]);
    }

    [Fact]
    public async Task RunbookThatHealsByItself_EndsWithTheReason()
    {
        Allow("note");

        var ended = await OpenAsync(s_heals with { Team = "ml" });

        (ended.State, ended.LatestGate!.Outcome, ended.LatestGate.ClosedBy).ShouldBe((IncidentState.Failed, GateOutcome.Refused, Why));
        (await OpenAsync(s_heals with { Team = "web", Hash = "hash-web" }, "inference/llm-b-1")).State.ShouldBe(IncidentState.Resolved);
        (await OpenAsync(s_heals with { Hash = "hash-none" }, "inference/llm-b-2")).State.ShouldBe(IncidentState.Resolved);
    }

    private void Allow(string action) => _world.Get<TeamActions>().Take([new("ml", new("ml/team.yaml", $"name: ml\nowner: lead\nactions: [\"{action}\"]\n"), null)]);
}
