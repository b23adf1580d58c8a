using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <content>Values that were measured before the alert, or later than they are told.</content>
public sealed partial class HealthyRoundsTests
{
    /// <summary>The alert fired on what is newer than that.</summary>
    [Fact]
    public async Task PassesOnAValueOfBeforeTheAlert_GoesOnUntilANewerOneSaysSo()
    {
        _world.Script.Measured["stuck"] = Given.Night - TimeSpan.FromMinutes(4);
        var opened = await _world.OpenAsync(s_runbook);
        opened.Reason.ShouldBe("The checks find nothing to do, but what they tell was measured until 02:56:00 UTC, before the alert: they are asked again until newer values say so too. If none come, people are asked.");

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5))).State.ShouldBe(IncidentState.Diagnosing);
        _world.Script.Measured["stuck"] = Given.Night + s_window;

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.NotNeeded);
    }

    [Fact]
    public async Task TheNewerValueFails_PeopleAreAsked()
    {
        _world.Script.Measured["stuck"] = Given.Night - TimeSpan.FromMinutes(4);
        var opened = await _world.OpenAsync(s_runbook);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        (_world.Script.Verdicts["stuck"], _world.Script.Measured["stuck"]) = (Verdict.Failing, Given.Night + TimeSpan.FromMinutes(1));

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    /// <summary>A source that tells of things three minutes later is believed three minutes later.</summary>
    [Fact]
    public async Task WhatIsMeasuredLate_HasToCallForNothingForAsLong()
    {
        _world.Script.OnAsk = _ => _world.Script.Measured["stuck"] = _world.Time.GetUtcNow() - TimeSpan.FromMinutes(3);
        var opened = await _world.OpenAsync(s_runbook);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Diagnosing);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.NotNeeded);
    }

    [Theory]
    [InlineData(-4)]
    [InlineData(1)]
    [InlineData(1, 1)]
    public async Task NoNewerValueComes_PeopleAreAskedAndToldWhy(int minute, int daysAheadWhenItOpened = 0)
    {
        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromMinutes(minute);
        var opened = await _world.OpenAsync(s_runbook, Given.Incident(s_runbook) with { OpenedAt = Given.Night.AddDays(daysAheadWhenItOpened) });
        var longest = TimeSpan.FromMinutes(12 + Math.Max(minute, 0));

        (await _world.AdvanceAsync(opened.Id, longest)).State.ShouldBe(IncidentState.Diagnosing);
        var asked = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15));

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings[0].Verdict.ShouldBe(Verdict.Unknown);
        asked.Findings[0].Result.Summary.ShouldStartWith($"Measured until {(minute < 0 ? "02:56" : "03:01")}:00 UTC, and no newer value came until ");
        asked.OpenGate!.Warnings.ShouldContain("Not every check could be answered, and none of the answered ones failed.");
    }

    /// <summary>Where all have to fail, one that passes is enough, if it was measured since.</summary>
    [Theory]
    [InlineData(false, IncidentState.NotNeeded)]
    [InlineData(true, IncidentState.Diagnosing)]
    public async Task AllHaveToFail_OneValueOfSinceIsEnough(bool bothOld, IncidentState state)
    {
        foreach (var check in bothOld ? (string[])["stuck", "full"] : ["stuck"])
        {
            _world.Script.Measured[check] = Given.Night - TimeSpan.FromMinutes(4);
        }

        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { When = new(Quantifier.All, ["stuck", "full"]) } });

        (await _world.AdvanceAsync(opened.Id, s_window)).State.ShouldBe(state);
    }

    /// <summary>The sender says that it is over, and the value is of before that: one of two that agree is missing.</summary>
    [Fact]
    public async Task TheSenderSaysItIsOver_AValueOfBeforeThatIsNoSecondWord()
    {
        _world.Script.Measured["stuck"] = Given.Night;
        var opened = await _world.OpenAsync(s_runbook);
        _world.Time.Advance(TimeSpan.FromSeconds(10));
        await _world.ResolveAlertAsync(opened.Id);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(20))).State.ShouldBe(IncidentState.Diagnosing);
        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromSeconds(10);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.NotNeeded);
    }
}
