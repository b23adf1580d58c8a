using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>Checks that see nothing to do right after an alert are not believed at once: one leads or lags the other.</summary>
public sealed class HealthyLooksTests : IAsyncDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(2);
    private static readonly Runbook s_runbook = Some.Runbook() with { Limits = new() { HealthyFor = s_window } };
    private readonly IncidentWorld _world = new();

    public HealthyLooksTests() => _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

    [Fact]
    public async Task HealthyOnTheFirstLook_IsLookedAtAgainBeforeItEnds()
    {
        var opened = await _world.OpenAsync(s_runbook);

        opened.State.ShouldBe(IncidentState.Diagnosing);
        opened.Reason!.ShouldContain("until 03:02:00 UTC");
        opened.Timeline.ShouldContain(line => line.Kind == TimelineKind.Diagnosis && line.What == opened.Reason);

        (await _world.AdvanceAsync(opened.Id, s_window - TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Diagnosing);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason.ShouldBe("Every check passed; nothing was done. They were asked 9 times within 2m, and never called for it. The sender has not said that the alert is over.");
    }

    [Fact]
    public async Task TheAlertLed_PeopleAreAskedAtTheNextLook()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        var asked = await _world.AdvanceAsync(opened.Id, s_runbook.Mitigation.Verify!.Every);

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.ShouldContain(finding => finding.Name == "stuck" && finding.Verdict == Verdict.Failing);
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBe(["oncall"]);
    }

    [Fact]
    public async Task HealthyAndThenUnknown_PeopleAreAsked()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task StillFiringAtTheEnd_WhoeverWouldHaveBeenAskedIsTold()
    {
        var opened = await _world.OpenAsync(s_runbook);

        await _world.AdvanceAsync(opened.Id, s_window);

        var (to, card) = _world.Notifier.Sent.ShouldHaveSingleItem();
        (to, card.Kind).ShouldBe(("oncall", CardKind.Closed));
        card.Sections[0].Lines[0].ShouldContain("The sender has not said that the alert is over.");
    }

    [Theory]
    [InlineData("warning", ImpactSeverity.Medium, 0)]
    [InlineData("critical", ImpactSeverity.Medium, 1)]
    [InlineData("warning", ImpactSeverity.Critical, 1)]
    public async Task TheSenderSaysItIsOver_EndsAtTheNextLookAndOnlyTheWorstIsTold(string severity, ImpactSeverity impact, int told)
    {
        var opened = await _world.OpenAsync(s_runbook, Some.Incident(s_runbook) with { Severity = impact, Alert = Some.Alert() with { Severity = severity } });
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        await _world.ResolveAlertAsync(opened.Id);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason.ShouldBe("Every check passed; nothing was done. They were asked 2 times within 15s, and never called for it.");
        _world.Notifier.Sent.Count.ShouldBe(told);
    }

    [Fact]
    public async Task StartedByHand_EndsAtOnceAndNobodyIsTold()
    {
        var ended = await _world.OpenAsync(s_runbook, Some.Incident(s_runbook) with { StartedBy = "ada" });

        (ended.State, ended.Reason).ShouldBe((IncidentState.NotNeeded, "Every check passed; nothing was done."));
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task TheRunbookBelievesTheFirstLook_EndsAtOnceAndNobodyIsTold()
    {
        (await _world.OpenAsync(s_runbook with { Limits = new() { HealthyFor = TimeSpan.Zero } })).State.ShouldBe(IncidentState.NotNeeded);
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task StoppedWhileItIsLookedAt_EndsAtTheNextLook()
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.StopAsync(opened.Id);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.Cancelled);
    }

    /// <summary>The looks themselves are progress, and the watchdog counts from the last one.</summary>
    [Fact]
    public async Task WhileItIsLookedAt_TheRecordSaysWhenItWasLookedAtLast()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var later = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        later.IsWatched.ShouldBeTrue();
        later.Findings.ShouldAllBe(finding => finding.At == Some.Night + TimeSpan.FromMinutes(1));
        later.VerificationRounds.ShouldHaveSingleItem().Rounds.ShouldBe(5);
        later.Timeline.Count(line => line.Kind == TimelineKind.Diagnosis).ShouldBe(2, "only a change is worth a line");
    }

    /// <summary>A window that outlasts one execution goes on where it was.</summary>
    [Fact]
    public async Task WindowOfManyLooks_GoesOnInTheNextExecution()
    {
        var opened = await _world.OpenAsync(s_runbook with { Limits = new() { HealthyFor = TimeSpan.FromMinutes(30) } });

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Diagnosing);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason!.ShouldContain("They were asked 121 times within 30m");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
