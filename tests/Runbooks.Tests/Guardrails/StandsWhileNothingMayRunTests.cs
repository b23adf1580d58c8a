using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>A question to which no yes is taken outlives its time, and is asked again once something can run.</summary>
public sealed class StandsWhileNothingMayRunTests : GuardedWorld
{
    private static readonly TimeSpan s_timeout = Given.Approval().Timeout;
    private static readonly Runbook s_quiet = s_asks with { Mitigation = s_asks.Mitigation with { Approval = Given.Approval() with { RemindAfter = null, Escalate = [] } } };

    [Fact]
    public async Task KillSwitchIsOnWhenTheTimeIsUp_StandsAndIsAskedAgainWithItsWholeTimeAndAReminder()
    {
        var opened = await OpenAsync(s_quiet);
        await EngageKillSwitchAsync();

        var standing = await _world.AdvanceAsync(opened.Id, s_timeout + TimeSpan.FromMinutes(30));

        (standing.State, standing.OpenGate!.Asked).ShouldBe((IncidentState.AwaitingApproval, 0));
        standing.Timeline.ShouldContain(line => line.What.StartsWith("Nobody has answered yet, and nothing can run. It stays open and is asked again once something can, until ", StringComparison.Ordinal));
        GateText.WhenTimeIsUp(standing.OpenGate).ShouldEndWith("Once something can run again it is asked again.");
        (await ApproveAsync(opened.Id)).Result.ShouldSatisfyAllConditions(
            result => result.Status.ShouldBe(DecisionStatus.HeldBack),
            result => result.Message.ShouldEndWith("The question stays open, and is asked again once nothing stops it."));

        await ReleaseKillSwitchAsync();
        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));
        (anew.OpenGate!.Asked, anew.OpenGate.Reminders.Count, anew.OpenGate.ExpiresAt - anew.OpenGate.AskedAt).ShouldBe((1, 1, s_timeout));

        var ended = await _world.AdvanceAsync(opened.Id, s_timeout);
        (ended.State, ended.FindGate(anew.OpenGate.Id)!.Asked).ShouldBe((IncidentState.Expired, 2));
        ended.Reason!.ShouldStartWith("alice wanted to approve at ");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task ApprovedInVainAndReleasedBeforeTheTimeIsUp_IsAskedAgainSoonAndTakenThen()
    {
        var opened = await OpenAsync(s_quiet);
        await EngageKillSwitchAsync();
        await ApproveAsync(opened.Id);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(100));
        await ReleaseKillSwitchAsync();

        var anew = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        anew.OpenGate!.Asked.ShouldBe(1);
        (anew.OpenGate.ExpiresAt - opened.OpenedAt).ShouldBeGreaterThan(s_timeout);
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task AskedUnderTheKillSwitch_IsAskedAgainAfterTheRelease()
    {
        await EngageKillSwitchAsync();
        var opened = await OpenAsync(s_heals);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(13));
        await ReleaseKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2))).OpenGate!.Asked.ShouldBe(1);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(21));
        (ended.State, ended.Reason).ShouldBe((IncidentState.Expired, "Nobody answered in time. Nothing was done."));
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyEverReleasesIt_IsRemindedOfRarelyAndExpiresAfterAWeekWithTheReason()
    {
        var opened = await OpenAsync(s_quiet);
        await EngageKillSwitchAsync();

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromDays(7))).OpenGate!.Asked.ShouldBe(8);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Expired);
        ended.Reason!.ShouldStartWith("Nobody answered in time. At the end no yes would have been taken either. The kill switch is on: ada stopped all steps at ");
        ended.Timeline.Count(line => line.What.EndsWith("No yes is taken meanwhile.", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task StoppedAgainAndAgain_IsAskedThreeTimesMoreAndThenExpires()
    {
        var opened = await OpenAsync(s_quiet);
        for (var i = 0; i < 3; i++)
        {
            await EngageKillSwitchAsync();
            await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(16));
            await ReleaseKillSwitchAsync();
            await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));
        }

        await EngageKillSwitchAsync();
        var inVain = await ApproveAsync(opened.Id);
        inVain.Result.Message.ShouldEndWith($"The question stays open until {GateText.Clock(inVain.Gate!.ExpiresAt)}; approve it again once nothing stops it.");
        GateText.WhenTimeIsUp(inVain.Gate).ShouldBe("nothing is done and the incident is closed as expired.");
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(16));
        await ReleaseKillSwitchAsync();

        var ended = await _world.AdvanceAsync(opened.Id, s_timeout);

        (ended.State, ended.LatestGate!.Asked).ShouldBe((IncidentState.Expired, 3));
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodyAnswersAndAWindowIsOnWhenTheTimeIsUp_IsAskedAgainAtItsEnd()
    {
        var opened = await OpenAsync(s_quiet);
        var from = _world.Time.GetUtcNow();
        _options.Windows.Add(new() { Name = "patching", Start = from.UtcDateTime.AddMinutes(18), Duration = "3h" });

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3));
        (held.State, held.OpenGate!.HeldUntil, held.OpenGate.Asked).ShouldBe((IncidentState.AwaitingApproval, from.AddMinutes(198), 0));

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20))).OpenGate!.Asked.ShouldBe(1);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(31))).State.ShouldBe(IncidentState.Expired);
    }
}
