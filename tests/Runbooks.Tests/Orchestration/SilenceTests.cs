using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>A runbook that acts when nobody answers: silence counts only while somebody could have answered.</summary>
public sealed class SilenceTests : IAsyncDisposable
{
    private static readonly TimeSpan s_timeout = Some.Approval().Timeout;
    private static readonly Runbook s_runbook = Some.Runbook() with
    {
        Mitigation = Some.Runbook().Mitigation with { Approval = Some.Approval() with { OnTimeout = OnTimeout.ProceedIfReversible } },
        Resolution = new(),
    };

    private readonly IncidentWorld _world = new();

    public SilenceTests() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

    [Fact]
    public async Task NobodyIsEverReached_SilenceIsNoYes()
    {
        _world.Notifier.Failure = _ => new IOException("down");
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(10));

        incident.State.ShouldBe(IncidentState.Expired);
        incident.Reason.ShouldStartWith("Nobody answered, and for too much of the time nobody could: silence is no yes.");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task QuestionWasOnlyHandedOver_SilenceIsNoYesAndNobodyIsPagedForIt()
    {
        _world.Notifier.IsHandedOver = true;
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2));

        incident.State.ShouldBe(IncidentState.Expired);
        _world.Script.Deeds.ShouldBeEmpty();
        incident.Timeline.ShouldContain(entry => entry.What == "Handed to test for oncall. Whether it arrived is not known.");
        incident.Deliveries.ShouldNotContain(delivery => delivery.Contact == "fallback" && delivery.Key.StartsWith(incident.LatestGate!.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task SomebodyIsReachedLate_HasTheWholeTimeFromThen()
    {
        _world.Notifier.Failure = _ => new IOException("down");
        var opened = await _world.OpenAsync(s_runbook);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(12));
        _world.Notifier.Failure = _ => null;
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        var reached = incident.Deliveries.First(delivery => delivery.Reached).At;

        incident = await _world.AdvanceAsync(opened.Id, reached + s_timeout - TimeSpan.FromMinutes(1) - _world.Time.GetUtcNow());
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task HostWasDownWhileItWaited_AsksAgainAndGoesOnlyWhenItWasHeardLongEnough()
    {
        var opened = await _world.OpenAsync(s_runbook);

        // In one leap: no review runs on the way.
        _world.Time.Advance(TimeSpan.FromHours(6));
        var incident = await _world.SettleAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Prolonged.ShouldBe(1);
        _world.Script.Deeds.ShouldBeEmpty();
        _world.Notifier.To(CardKind.Reminder).ShouldContain("oncall");

        incident = await _world.AdvanceAsync(opened.Id, s_timeout - TimeSpan.FromMinutes(3));
        incident.State.ShouldBe(IncidentState.AwaitingApproval);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Asked.Count(check => check == "stuck").ShouldBe(3, "diagnosed, asked again before it acted, verified");
    }

    [Fact]
    public async Task NobodyAnswersAndTheChecksPassByThen_EndsAsRecovered()
    {
        var patient = s_runbook.Mitigation.Approval! with { Timeout = TimeSpan.FromHours(1) };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = patient } });
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(opened.Id, patient.Timeout + TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public void UndoIsLeftToAPerson_DoesNotRunUnanswered()
    {
        var gate = TestKit.Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible };
        var kept = gate with { Plan = gate.Plan with { Steps = [TestKit.Some.Step() with { Undo = "Left to a person.", UndoneByHand = true }] } };

        var incident = ApprovalSchedule.Advance(TestKit.Some.Waiting(gate: kept), kept.Id, kept.ExpiresAt).Incident;

        incident.LatestGate!.Outcome.ShouldBe(GateOutcome.Expired);
        GateText.Silence(kept).ShouldContain("nothing is done");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
