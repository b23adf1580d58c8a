using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>A question whose time is up while no yes would be taken.</summary>
public sealed class StandingQuestionTests
{
    private static readonly HeldBackBy s_killSwitch = new("The kill switch is on.", null);
    private static readonly Gate s_gate = Some.Gate() with { Plan = new("plan-1", [Some.Step() with { Undo = "Put it back." }]) };
    private static readonly TimeSpan s_time = s_gate.ExpiresAt - s_gate.OpenedAt;

    [Theory]
    [InlineData(OnTimeout.Abort)]
    [InlineData(OnTimeout.ProceedIfReversible)]
    public void WhenItIsLifted_IsAskedOnceMoreForItsWholeTimeAndNeedsAPerson(OnTimeout onTimeout)
    {
        var standing = Stand(s_gate with { OnTimeout = onTimeout });
        standing.OpenGate!.IsStanding.ShouldBeTrue();
        GateText.WhenTimeIsUp(standing.OpenGate).ShouldBe("nothing is done and the incident is closed as expired. Once something can run again it is asked again.");

        var lifted = s_gate.ExpiresAt.AddHours(2);
        var (asked, due) = Advance(standing, s_gate.Id, lifted);

        (asked.OpenGate!.ExpiresAt, asked.OpenGate.IsStanding, asked.OpenGate.WasBlocked, asked.OpenGate.Reminders.ShouldHaveSingleItem().At, due).ShouldBe((lifted + s_time, false, false, lifted + (s_time / 2), CardKind.Reminder));
        Advance(asked, s_gate.Id, lifted.AddMinutes(1)).Due.ShouldBeNull("once");
        Advance(asked, s_gate.Id, lifted + (s_time / 2)).Due.ShouldBe(CardKind.Reminder);
        Silence.MayCount(asked.OpenGate).ShouldBeFalse();
        Advance(asked, s_gate.Id, lifted + s_time).Incident.FindGate(s_gate.Id)!.Outcome.ShouldBe(GateOutcome.Expired);
    }

    /// <summary>In a storm its message goes out with those of others, and nobody looks then whether it can run.</summary>
    [Fact]
    public void SilenceSinceAMessageOfAStorm_IsNoYes()
    {
        var standing = Stand(s_gate with { OnTimeout = OnTimeout.ProceedIfReversible });
        var later = s_gate.ExpiresAt.AddHours(1);
        var reminded = ApprovalSchedule.AskWithOthers(standing, s_gate.Id, later, later);
        reminded.OpenGate!.AskedAt.ShouldBe(later);

        var (asked, _) = Advance(reminded, s_gate.Id, later.AddMinutes(10));

        (asked.OpenGate!.Heard, asked.OpenGate.ExpiresAt).ShouldBe((TimeSpan.Zero, later.AddMinutes(10) + s_time));
    }

    /// <summary>Else the first message of a storm would be the last for a week.</summary>
    [Fact]
    public void InAStorm_IsStillRemindedOf()
    {
        var standing = Stand(s_gate);

        ApprovalSchedule.RemindNoMore(standing, s_gate.Id).OpenGate!.Reminders.Count.ShouldBe(8);
    }

    [Fact]
    public void AWindowHoldsItToo_IsAskedAgainAtItsEnd()
    {
        var end = s_gate.ExpiresAt.AddHours(3);
        var held = Stand(s_gate).NoteHeldBack(s_gate.Id, "ada", "The kill switch is on. A window runs.", end, s_gate.ExpiresAt.AddHours(1));

        var (asked, due) = Advance(held, s_gate.Id, end);

        (asked.OpenGate!.ExpiresAt, due).ShouldBe((end + s_time, CardKind.Reminder));
    }

    [Fact]
    public void EscalatesFirst_SinceTheNextMayBeAbleToLiftIt()
    {
        var gate = s_gate with { OnTimeout = OnTimeout.Escalate };

        var (escalated, due) = Advance(Some.Waiting(gate: gate), gate.Id, gate.ExpiresAt, s_killSwitch);

        (escalated.OpenGate!.IsStanding, due).ShouldBe((false, CardKind.Escalation));
        Advance(escalated, gate.Id, escalated.OpenGate.ExpiresAt, s_killSwitch).Incident.OpenGate!.IsStanding.ShouldBeTrue();
    }

    [Fact]
    public void Stopped_EndsAsEver()
    {
        var standing = Stand(s_gate);

        Advance(standing with { Stop = new("ada", "enough", Some.Time) }, s_gate.Id, s_gate.ExpiresAt.AddHours(1), s_killSwitch)
            .Incident.FindGate(s_gate.Id)!.Outcome.ShouldBe(GateOutcome.Cancelled);
    }

    private static (Incident Incident, CardKind? Due) Advance(Incident incident, string gateId, DateTimeOffset now, HeldBackBy? heldBackBy = null) =>
        ApprovalSchedule.Advance(incident, gateId, now, null, heldBackBy);

    private static Incident Stand(Gate gate) => Advance(Some.Waiting(gate: gate), gate.Id, gate.ExpiresAt, s_killSwitch).Incident;
}
