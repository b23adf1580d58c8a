using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>A window that is open, seen from the outside: nothing runs in it and nobody is paged, and what waits for it goes on after it.</summary>
public sealed class MaintenanceWindowTests : GuardedWorld
{
    [Theory]
    [InlineData(MaintenanceEffect.DiagnoseOnly, 1)]
    [InlineData(MaintenanceEffect.Suppress, 0)]
    public async Task MaintenanceWindow_NothingRunsAndNobodyIsPaged(MaintenanceEffect effect, int told)
    {
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 2, 2, 0, 0), Duration = "2h", Repeat = "FREQ=WEEKLY;BYDAY=MO", Effect = effect });

        var incident = await OpenAsync(s_asks);

        incident.State.ShouldBe(IncidentState.NotNeeded);
        incident.Reason!.ShouldContain("'patching' until 2026-11-23 04:00:00 UTC: nothing runs in it.");
        incident.Findings.Count.ShouldBe(2);
        _world.Notifier.Sent.Select(sent => sent.Card.Title).ShouldBe(Enumerable.Repeat($"Held back, nothing changed: {s_asks.Title} on {incident.Target}", told));
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
        _world.Script.Deeds.ShouldBeEmpty();
    }

    /// <summary>Nothing but the sender could say then whether it is over.</summary>
    [Fact]
    public async Task RunbookWithoutChecks_IsLookedAtAgainUnlessTheAlertIsOver()
    {
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 2, 0, 0), Duration = "2h" });

        var incident = await OpenAsync(s_asks with { Diagnosis = [], Mitigation = s_asks.Mitigation with { Verify = null } });

        incident.Reason!.ShouldEndWith("nothing runs in it. Unless the alert is over by then, it is looked at again.");
    }

    /// <summary>That everything is paused as well does not hide that a window is open: the step waits for both, and nobody is paged in it.</summary>
    [Fact]
    public async Task KillSwitchInAWindow_StepWaitsForTheWindowAllTheSame()
    {
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 1, 0), Duration = "6h", Effect = MaintenanceEffect.Suppress });
        await EngageKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(4))).State.ShouldBe(IncidentState.Mitigating);

        await ReleaseKillSwitchAsync();
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3))).State.ShouldBe(IncidentState.Resolved);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    /// <summary>Approved a moment before a window, and read in it: what waits for a window does not fail, however long it lasts.</summary>
    [Fact]
    public async Task WindowBetweenTheApprovalAndTheStep_IsWaitedFor()
    {
        var opened = await OpenAsync(s_asks);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 1, 0), Duration = "24h", Effect = MaintenanceEffect.Suppress });

        var waiting = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(23));

        waiting.State.ShouldBe(IncidentState.Mitigating);
        waiting.Reason!.ShouldStartWith("fix waits: Maintenance window 'patching' until 2026-11-24 03:01:00 UTC");
        _world.Script.Deeds.ShouldBeEmpty();
        IncidentProgress.Of(waiting, s_asks, _world.Time.GetUtcNow()).Due.ShouldBeGreaterThan(_world.Time.GetUtcNow());
        (await _world.Engine.HistoryAsync(opened.Id)).Count.ShouldBeLessThan(500);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2))).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ApprovalInAWindowThatBeganAfterTheQuestion_QuestionWaitsForItsEndAndIsAskedAgain(bool again)
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromMinutes(30), Escalate = [], RemindAfter = null } } });
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 10, 0), Duration = "2h" });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15));

        var (_, held) = await ApproveAsync(opened.Id);
        held.Status.ShouldBe(DecisionStatus.HeldBack);
        held.Message.ShouldContain("The question stays open until 05:40:00 UTC");
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(114))).State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Notifier.To(CardKind.Reminder).ShouldBeEmpty();

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        _world.Notifier.To(CardKind.Reminder).ShouldBe(["oncall"]);
        if (again)
        {
            (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        }

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(again ? IncidentState.Resolved : IncidentState.Expired);
        if (!again)
        {
            ended.Reason!.ShouldStartWith("alice wanted to approve at 03:15:00 UTC, which could not be taken (Maintenance window 'patching' until 2026-11-23 05:10:00 UTC: nothing runs in it), and it was not approved in time after that.");
            EndingText.Headline(ended).ShouldBe("Not approved in time");
        }
    }
}
