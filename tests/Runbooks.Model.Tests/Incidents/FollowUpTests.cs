using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What an incident takes over from the one that it follows.</summary>
public sealed class FollowUpTests
{
    /// <summary>Its sender sends nothing more of it, so what follows would wait for an end that never comes.</summary>
    [Fact]
    public void GoesOnInAFollowUp_AsWhatItsSenderHasEnded()
    {
        var (alert, other) = (Some.Alert(), Some.Alert("Other"));
        var before = Some.Incident().Attach(alert, Some.Time).Alerts[0];
        var next = (Some.Incident() with { Alerts = [] }).Attach(alert, Some.Time);

        next.KeepEnd(before, Some.Time).ClaimsRecovery.ShouldBeFalse();
        next.KeepEnd(before with { EndedBecause = "MissingSeries" }, Some.Time).ClaimsRecovery.ShouldBeTrue();
        next.Attach(other, Some.Time).KeepEnd(before with { EndedBecause = "MissingSeries" }, Some.Time).ClaimsRecovery.ShouldBeFalse();
    }
}
