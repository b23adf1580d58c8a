using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What a clock that was ahead for a minute has written down is not believed once it is set right.</summary>
public sealed class ClocksTests
{
    private static readonly DateTimeOffset s_tomorrow = Some.Time.AddDays(1);

    [Fact]
    public void AnswersOfTomorrow_AreNothingToActOn()
    {
        var incident = Some.Waiting() with { Findings = [Some.Finding() with { At = s_tomorrow }] };

        incident.IsGroundTooOld(Phase.Mitigation, incident.OpenGate!, Some.Time.AddMinutes(1)).ShouldBeTrue();
        incident.NeedsLookBeforeActing(Some.Time.AddMinutes(1)).ShouldBeTrue();
        (incident with { ConfirmedAt = Some.Time }).IsGroundTooOld(Phase.Mitigation, incident.OpenGate!, Some.Time.AddMinutes(1)).ShouldBeFalse("they were confirmed since");
    }

    [Theory]
    [InlineData(1_440, Verdict.Passing)]
    [InlineData(-1, Verdict.Passing)]
    [InlineData(0, Verdict.Unknown)]
    public void StepThatEndedTomorrow_SaysNothingAboutWhatIsMeasuredNow(int endedAfter, Verdict verdict)
    {
        var measured = new Finding("stuck", "Is it stuck?", CheckResult.Passing("No.") with { MeasuredAt = Some.Time }, Some.Time, TimeSpan.Zero);

        measured.SinceActing(Some.Time.AddMinutes(endedAfter), Some.Time).Verdict.ShouldBe(verdict);
    }

    [Theory]
    [InlineData(1_440, Verdict.Passing)]
    [InlineData(1, Verdict.Unknown)]
    public void AlertThatBeganTomorrow_SaysNothingAboutWhatIsMeasuredNow(int beganAfter, Verdict verdict)
    {
        var measured = new Finding("stuck", "Is it stuck?", CheckResult.Passing("No.") with { MeasuredAt = Some.Time }, Some.Time, TimeSpan.Zero);
        var began = Some.Incident() with { Alerts = [.. Some.Incident().Alerts.Select(alert => alert with { BeganAt = Some.Time.AddMinutes(beganAfter) })] };

        began.SinceFiring([measured], Some.Time)[0].Verdict.ShouldBe(verdict);
    }

    [Fact]
    public void QuestionOfTomorrow_HasItsTimeFromNow()
    {
        var gate = Some.Gate() with { OpenedAt = s_tomorrow, ExpiresAt = s_tomorrow.AddMinutes(20), Reminders = [new(s_tomorrow.AddMinutes(5), [])] };

        var (incident, due) = Some.Advance(Some.Waiting(gate: gate), gate.Id, Some.Time);

        due.ShouldBeNull();
        (incident.OpenGate!.OpenedAt, incident.OpenGate.ExpiresAt, incident.OpenGate.Reminders[0].At).ShouldBe((Some.Time, Some.Time.AddMinutes(20), Some.Time.AddMinutes(5)));
        incident.Timeline[^1].What.ShouldBe("The clock was 1d ahead when this was asked. Its time counts from now.");
    }
}
