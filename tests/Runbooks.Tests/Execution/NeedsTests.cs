using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>A step that sends users elsewhere helps only where there is an elsewhere.</summary>
public sealed class NeedsTests : IAsyncDisposable
{
    private const string Lacks = "What the steps rely on does not pass. full: ";
    private static readonly Runbook s_runbook = Given.Runbook() with
    {
        Mitigation = Given.Runbook().Mitigation with
        {
            When = new(Quantifier.Any, ["stuck"]),
            Needs = ["full"],
            Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible },
        },
        Resolution = new(),
    };

    private readonly IncidentWorld _world = new();

    public NeedsTests() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

    [Theory]
    [InlineData(Verdict.Failing)]
    [InlineData(Verdict.Unknown)]
    public async Task WhatItNeedsIsNotThere_TheQuestionSaysSoAndSilenceIsNoYes(Verdict verdict)
    {
        _world.Script.Verdicts["full"] = verdict;
        var opened = await _world.OpenAsync(s_runbook);

        opened.OpenGate!.Warnings.ShouldHaveSingleItem().ShouldStartWith(Lacks);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21))).State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatItNeedsIsThere_SilenceIsAYes()
    {
        _world.Script.Verdicts["full"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21))).State.ShouldBe(IncidentState.Resolved);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(45)]
    public async Task WhatItNeedsIsGoneBeforeItActs_PeopleAreAskedAnewAndSilenceIsNoYes(int timeout)
    {
        _world.Script.Verdicts["full"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = s_runbook.Mitigation.Approval! with { Timeout = TimeSpan.FromMinutes(timeout) } } });
        _world.Script.Verdicts["full"] = Verdict.Failing;

        var asked = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(timeout + 1));

        (asked.State, asked.OpenGate!.Round).ShouldBe((IncidentState.AwaitingApproval, 2));
        asked.OpenGate.Difference.ShouldNotBeNull().ShouldStartWith("What the steps rely on no longer passes. full: failing");
        GroundCheck.IsOfAnswers(asked.OpenGate.Difference).ShouldBeTrue();
        asked.Timeline.ShouldContain(line => line.What.Contains("asked again: what the steps rely on does not pass.", StringComparison.Ordinal), "the fault is as it was");
        asked.OpenGate.Warnings.ShouldHaveSingleItem().ShouldStartWith(Lacks);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(timeout + 1))).State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task PersonSawItAndSaysYes_ItRuns()
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4));

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task HealsByItself_AsksWhereWhatItNeedsIsNotThere()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        opened.State.ShouldBe(IncidentState.AwaitingApproval);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
