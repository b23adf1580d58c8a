using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>A window that is taken away or made shorter has ended: what it held back goes on then, and not at the end that it had.</summary>
public sealed class WindowThatIsOverEarlyTests : GuardedWorld
{
    private static readonly Approval s_approval = Given.Approval() with { Timeout = TimeSpan.FromMinutes(30), Escalate = [new(TimeSpan.FromMinutes(10), ["platform-lead"])], RemindAfter = null };

    [Theory]
    [InlineData(OnTimeout.Abort, true)]
    [InlineData(OnTimeout.Abort, false)]
    [InlineData(OnTimeout.ProceedIfReversible, true)]
    public async Task ApprovalThatWasHeldBack_IsAskedForAgain(OnTimeout onTimeout, bool answered)
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = s_approval with { OnTimeout = onTimeout } } });
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 5, 0), Duration = "10h" });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1))).OpenGate!.Approvers.ShouldBe(["oncall"]);
        _world.Notifier.To(CardKind.Reminder).ShouldBeEmpty();

        _options.Windows.Clear();
        var asked = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(16));

        asked.OpenGate!.HeldUntil.ShouldBeNull();
        _world.Notifier.To(CardKind.Reminder).ShouldBe(["oncall"]);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5))).OpenGate!.Approvers.ShouldBe(["oncall", "platform-lead"]);
        if (answered)
        {
            (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        }

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30))).State.ShouldBe(answered ? IncidentState.Resolved : IncidentState.Expired);
    }

    [Fact]
    public async Task WindowThatIsMadeShorter_HoldsBackUntilItsNewEnd()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = s_approval with { Escalate = [] } } });
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 3, 5, 0), Duration = "10h" });
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));
        await ApproveAsync(opened.Id);
        _options.Windows[0].Duration = "2h";

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(118))).OpenGate!.Asked.ShouldBe(0);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(17))).OpenGate!.Asked.ShouldBe(1);
    }
}
