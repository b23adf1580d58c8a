using System.Text.RegularExpressions;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Pages;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <content>What is ticked for the reader, and what speaks against it.</content>
public sealed partial class StormPageTests
{
    [Fact]
    public async Task TargetThatSomethingSpeaksAgainst_IsNotTickedForTheReader()
    {
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, i => (i.Replace(i.OpenGate! with { Warnings = ["It ran before."] }), true), Ct);

        var page = await PageAsync();

        page.ShouldContain("Warning: It ran before.");
        Ticked().Count(page).ShouldBe(Count - 1);
    }

    [Fact]
    public async Task WhatWorkedBefore_SpeaksAgainstNothingAndIsSaidOnce()
    {
        foreach (var incident in _host.Store.All)
        {
            await _host.Store.UpdateAsync(incident.Id, i => (i.Replace(i.OpenGate! with { TrackRecord = "Worked 7 of 9 times." }), true), Ct);
        }

        var page = await PageAsync();

        page.Split("How it went before: Worked 7 of 9 times.").Length.ShouldBe(2);
        page.ShouldNotContain("Warning");
        Ticked().Count(page).ShouldBe(Count);
    }

    [Theory]
    [InlineData("", Count - 1)]
    [InlineData("&tick=all", Count)]
    [InlineData("&tick=none", 0)]
    public async Task ReaderAsksForAllOrNone_AreTickedSoAndTheButtonSaysHowMany(string asked, int ticked)
    {
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, i => (i.Replace(i.OpenGate! with { Warnings = ["It ran before."] }), true), Ct);

        var page = await _host.Browser.GetStringAsync(_link + asked, Ct);

        Ticked().Count(page).ShouldBe(ticked);
        page.ShouldContain($"{ticked} of {Count}</span></b>");
    }

    [Fact]
    public async Task KillSwitch_IsSaidOnceForAllOfThem()
    {
        await _host.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", Ct);

        var page = await PageAsync();

        page.Split("Nothing can run at the moment").Length.ShouldBe(2);
        page.Split("it restarts the wrong pods").Length.ShouldBe(2);
        page.ShouldContain("not taken at the moment");
        (await (await PostAsync("approve", await TicketsAsync())).Content.ReadAsStringAsync(Ct)).ShouldContain($"Your answer counts for none of {Count} targets.");
    }

    [Fact]
    public async Task TargetThatALimitForbids_SaysSoAndIsNotTicked()
    {
        var limited = Some.Runbook() with { Id = "limited", Hash = "limited", Limits = new() { MaxRuns = 1, WhenExceeded = WhenExceeded.Forbid } };
        for (var i = 0; i < 3; i++)
        {
            await _host.OpenAsync(Some.Waiting($"261123-0312-9999999{i}") with { RunbookId = limited.Id, RunbookHash = limited.Hash, Target = $"vm-{i}", Storm = StormId }, limited);
        }

        await _host.Get<RunLimits>().ReserveAsync(Some.Incident("261123-0301-earlier0", "vm-1") with { RunbookId = limited.Id }, limited, overruled: false, Ct);

        var page = await PageAsync();

        page.ShouldNotContain("Nothing can run at the moment");
        page.Split("It cannot run at the moment: It ran 1 time on this target").Length.ShouldBe(2);
        Ticked().Count(page).ShouldBe(Count + 2);
    }

    [Fact]
    public async Task AllOfThemAreFixed_ImpactIsToldAsItWas()
    {
        foreach (var incident in _host.Store.All)
        {
            (await PageAsync()).ShouldNotContain("impact, before the fix");
            await _host.Store.UpdateAsync(incident.Id, i => (DecidePageTests.Fixed(i), true), Ct);
        }

        (await PageAsync()).ShouldContain("impact, before the fix");
    }

    /// <summary>Each target is held back in words of its own, so none are common to all.</summary>
    [Fact]
    public void EachHasAGuardOfItsOwn_ButtonPromisesNothing()
    {
        var rows = Enumerable.Range(0, 2).Select(at => StormRow.Of(Some.Waiting(), Some.Time, _ => "ticket") with { Guards = [$"It ran {at + 1} times."] }).ToList();

        new StormGroup(Some.Runbook(), rows, StormTicks.Safe, 80).Yes.ShouldBe("not taken at the moment");
        new StormGroup(Some.Runbook(), [rows[0], rows[1] with { Guards = [] }], StormTicks.Safe, 80).Yes.ShouldBe("run it on each that is ticked");
    }

    /// <summary>What has acted may finish, whatever has been closed since.</summary>
    [Fact]
    public async Task OpenBreaker_IsSaidOfWhatIsFreshAndNotOfWhatHasActed()
    {
        await _host.Get<ISharedState>().UpdateAsync<RunHistory, bool>($"ledger:{Some.Runbook().Id}", _ => (new() { Breaker = new(Some.Time, "It did not help.") }, true), Ct);
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, i => (i with { Steps = [new() { Phase = Phase.Mitigation, Name = "drain", Action = "x", GateId = "mitigation-0", Status = StepStatus.Done, Preparation = new() { PlannedEffect = "Drain it." }, StartedAt = Some.Time }] }, true), Ct);

        var page = await PageAsync();

        Ticked().Count(page).ShouldBe(1);
        page.Split("It cannot run at the moment: The breaker of runbook").Length.ShouldBe(Count);
        page.ShouldNotContain("Nothing can run at the moment");
    }

    [GeneratedRegex("value=\"[^\"]+\" checked")]
    private static partial Regex Ticked();
}
