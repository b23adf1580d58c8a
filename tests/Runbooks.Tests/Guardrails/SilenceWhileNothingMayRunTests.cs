using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>While a guard refuses every yes, nobody's silence is one, and nothing runs by surprise when it opens again.</summary>
public sealed class SilenceWhileNothingMayRunTests : GuardedWorld
{
    private static readonly TimeSpan s_timeout = Given.Approval().Timeout;
    private static readonly Runbook s_runsUnanswered = s_asks with
    {
        Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible, RemindAfter = null, Escalate = [] } },
    };

    [Fact]
    public async Task KillSwitchIsReleasedInTime_AsksAnewAndRunsOnlyAfterTheWholeTime()
    {
        var opened = await OpenAsync(s_runsUnanswered);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        await EngageKillSwitchAsync();

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));

        held.State.ShouldBe(IncidentState.AwaitingApproval);
        held.Timeline.Count(line => line.What.EndsWith("Silence is no yes meanwhile.", StringComparison.Ordinal)).ShouldBe(1);

        var asked = held.OpenGate!.Asked;
        await ReleaseKillSwitchAsync();
        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        anew.OpenGate!.Asked.ShouldBe(asked + 1, "whoever is silent knows that something can run again");
        anew.Timeline.ShouldContain(line => line.What.StartsWith("Nobody has answered, but since it was asked there was a time in which nothing could run", StringComparison.Ordinal));

        (await _world.AdvanceAsync(opened.Id, s_timeout - TimeSpan.FromMinutes(4))).State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>Whoever releases it on Sunday night does not expect what waited since Friday to run half an hour later.</summary>
    [Theory]
    [InlineData(30)]
    [InlineData(3 * 24 * 60)]
    public async Task KillSwitchIsReleasedAfterTheTimeWasUp_AsksAnewAndNeedsAPerson(int minutes)
    {
        var opened = await OpenAsync(s_runsUnanswered);
        await EngageKillSwitchAsync();

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(minutes));
        held.Timeline.ShouldContain(line => line.What.StartsWith("Nobody has answered yet, and nothing can run. It stays open", StringComparison.Ordinal)
            && line.What.EndsWith("Silence is no yes to it any more.", StringComparison.Ordinal));
        await ReleaseKillSwitchAsync();
        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(16));
        anew.State.ShouldBe(IncidentState.AwaitingApproval);
        anew.OpenGate!.Asked.ShouldBeGreaterThan(held.OpenGate!.Asked);

        (await _world.AdvanceAsync(opened.Id, s_timeout)).State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task KillSwitchIsOnJustWhenTheTimeIsUp_DoesNotRunAtTheRelease()
    {
        var opened = await OpenAsync(s_runsUnanswered);
        await _world.AdvanceAsync(opened.Id, s_timeout - TimeSpan.FromSeconds(10));
        await EngageKillSwitchAsync();
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(20));
        await ReleaseKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task EscalationThatIsDueWhenItIsAskedAnew_IsAskedAllTheSame()
    {
        var opened = await OpenAsync(s_runsUnanswered with
        {
            Mitigation = s_runsUnanswered.Mitigation with { Approval = s_runsUnanswered.Mitigation.Approval! with { Escalate = [new(TimeSpan.FromMinutes(10), ["platform-lead"])] } },
        });
        await EngageKillSwitchAsync();
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(10));
        await ReleaseKillSwitchAsync();

        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        anew.OpenGate!.Approvers.ShouldContain("platform-lead");
        _world.Notifier.Sent.ShouldContain(sent => sent.To == "platform-lead");
    }

    [Fact]
    public async Task KillSwitchStaysOn_StandsForAWeekAndExpires()
    {
        var opened = await OpenAsync(s_runsUnanswered);
        await EngageKillSwitchAsync();

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromDays(8));

        ended.State.ShouldBe(IncidentState.Expired);
        ended.Reason!.ShouldStartWith("Nobody answered in time. At the end no yes would have been taken either. The kill switch is on");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task WindowBegins_WaitsForItsEndAndIsAskedAgainThen()
    {
        var opened = await OpenAsync(s_runsUnanswered);
        var from = _world.Time.GetUtcNow();
        _options.Windows.Add(new() { Name = "patching", Start = from.UtcDateTime.AddMinutes(5), Duration = "3h" });

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3));

        held.State.ShouldBe(IncidentState.AwaitingApproval);
        held.OpenGate!.HeldUntil.ShouldBe(from.AddMinutes(185));
        held.OpenGate.Asked.ShouldBe(0, "whoever was asked again could only wait");
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page).ShouldBe(0);

        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        anew.OpenGate!.Asked.ShouldBe(1);
        _world.Script.Deeds.ShouldBeEmpty();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(31))).State.ShouldBe(IncidentState.Resolved);
    }
}
