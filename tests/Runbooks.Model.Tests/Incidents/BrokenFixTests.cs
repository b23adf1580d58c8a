using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>That a fix did not hold stays said until something has become of it: silence would be a yes to the same fix again.</summary>
public sealed class BrokenFixTests
{
    private static readonly Incident s_before = Some.Incident() with { State = IncidentState.Expired, Follows = "fixed", Steps = [] };
    private static readonly Incident s_next = Some.Incident("261123-0312-another0") with { Follows = null };

    [Fact]
    public void MaintenanceWindowCameBetween_IsKnownAfterIt() =>
        s_next.TakeUp(s_before with { State = IncidentState.NotNeeded, Gates = [Some.Gate() with { Outcome = GateOutcome.Suppressed }] }, Some.Time).Follows.ShouldBe("fixed");

    [Fact]
    public void TriedAgainByAPerson_IsKnown() => s_next.TryAgain(s_before, hasChecks: true, "ada", "again", Some.Time).Follows.ShouldBe("fixed");

    [Theory]
    [InlineData(IncidentState.Expired, "fixed")]
    [InlineData(IncidentState.Failed, "fixed")]
    [InlineData(IncidentState.SelfRecovered, null)]
    [InlineData(IncidentState.NotNeeded, null)]
    public void NextAlert_KnowsItUnlessItWentByItself(IncidentState state, string? follows) =>
        s_next.GoOnAfter(s_before with { State = state, Gates = [Some.Gate() with { Outcome = GateOutcome.Approved }] }, Some.Time).Follows.ShouldBe(follows);

    [Fact]
    public void SomethingWasDoneSinceOrTheAlertIsAnother_IsSaidNoMore()
    {
        s_next.GoOnAfter(s_before with { Steps = [new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fixes it." }, StartedAt = Some.Time }] }, Some.Time).Follows.ShouldBeNull();
        (s_next with { Alert = Some.Alert("Other") }).GoOnAfter(s_before, Some.Time).Follows.ShouldBeNull();
        (s_next with { Follows = "newer" }).GoOnAfter(s_before, Some.Time).Follows.ShouldBe("newer");
    }
}
