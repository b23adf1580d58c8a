using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Which time counts for a question that is answered by silence.</summary>
public sealed class SilenceTests
{
    private static readonly Gate s_gate = Some.Gate() with { OnTimeout = OnTimeout.ProceedIfReversible, Plan = new("plan-1", [Some.Step() with { Undo = "Put it back." }]) };

    [Theory]
    [InlineData(10, 60)]
    [InlineData(100, 300)]
    [InlineData(3000, 900)]
    public void Review_IsATwentiethOfTheTimeWithinBounds(int minutes, int seconds) =>
        Silence.ReviewPause(s_gate with { ExpiresAt = Some.Time.AddMinutes(minutes) }).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void SeveralWereReached_TheFirstOneCounts()
    {
        var reached = Some.Waiting(gate: s_gate).RecordDeliveries([Delivered(1, "oncall"), Delivered(3, "lead")]);

        var gate = Silence.Count(reached, s_gate, Some.Time.AddMinutes(2), isAsked: null, heldBackBy: null);

        (gate.Heard, gate.HeardUntil).ShouldBe((TimeSpan.FromMinutes(1), Some.Time.AddMinutes(2)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void NoTimeHasPassed_NothingIsCounted(int minutes)
    {
        var reached = Some.Waiting(gate: s_gate).RecordDeliveries([Delivered(1, "oncall")]);

        Silence.Count(reached, s_gate, Some.Time.AddMinutes(minutes), isAsked: null, heldBackBy: null).ShouldBeSameAs(s_gate);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(60)]
    public void MessageTookItsTime_IsWaitedForAndNobodyIsTold(int seconds)
    {
        var missing = TimeSpan.FromSeconds(seconds);
        var late = s_gate with { Heard = TimeSpan.FromMinutes(20) - missing };

        var (incident, due) = Silence.Prolong(Some.Waiting(gate: late), late, s_gate.ExpiresAt).ShouldNotBeNull();

        var gate = incident.OpenGate!;
        (gate.ExpiresAt, gate.HeardFor, gate.Prolonged, gate.Asked, due).ShouldBe((s_gate.ExpiresAt + missing, TimeSpan.FromMinutes(20), 0, 0, null));
    }

    [Fact]
    public void NobodyCouldAnswer_IsAskedAgainForTheTimeThatIsMissing()
    {
        var unheard = s_gate with { Prolonged = 2, Heard = TimeSpan.FromMinutes(8) };

        var (incident, due) = Silence.Prolong(Some.Waiting(gate: unheard), unheard, s_gate.ExpiresAt).ShouldNotBeNull();

        var gate = incident.OpenGate!;
        (gate.ExpiresAt, gate.HeardFor, gate.Prolonged, gate.Asked, due).ShouldBe((s_gate.ExpiresAt.AddMinutes(12), TimeSpan.FromMinutes(20), 3, 1, CardKind.Reminder));
        incident.Timeline[^1].What.ShouldStartWith("Nobody has answered, but for 12m of the time nobody could");
    }

    [Fact]
    public void NobodyCouldAnswerThreeTimesOver_IsGivenUp() =>
        Silence.Prolong(Some.Waiting(gate: s_gate), s_gate with { Prolonged = 3 }, s_gate.ExpiresAt).ShouldBeNull();

    private static Delivery Delivered(int minutes, string contact) => new($"{s_gate.MessageKey}:{contact}@outbox", contact, "outbox", Some.Time.AddMinutes(minutes), null);
}
