using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public sealed class UrgentSinceAskedTests
{
    /// <summary>A runbook that heals by itself asks nobody, so nobody heard of it.</summary>
    [Fact]
    public void MoreSevereBeforeAQuestionThatAskedNobody_IsToldYet()
    {
        var asked = Some.Waiting() with { Alert = Some.Alert() with { Severity = "warning" } };
        var later = Some.Time.AddMinutes(1);
        var worse = asked.Attach(Some.Alert("EverythingHangs") with { Severity = "Sev0" }, Some.Time);

        (worse with { Gates = [worse.OpenGate! with { OpenedAt = later }] }).UrgentSinceAsked().ShouldBeEmpty();
        (worse with { Gates = [worse.OpenGate! with { OpenedAt = later, ClosedAt = later, Outcome = GateOutcome.Approved }] }).UrgentSinceAsked().ShouldNotBeEmpty();
    }
}
