using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public sealed class LateRoundTests
{
    /// <summary>The process that asked the checks died, another one ended the incident, and then the asking is delivered once more.</summary>
    [Theory]
    [InlineData(IncidentState.Verifying)]
    [InlineData(IncidentState.Holding)]
    public void RoundOfAnEndedIncident_ChangesNothing(IncidentState state)
    {
        var ended = Some.Incident().End(IncidentState.Resolved, "The fix was verified.", Some.Time, new() { SettleEvent = "settle-1", SettleFor = TimeSpan.FromMinutes(5) });

        ended.RecordVerification(state, [Some.Finding("stalled")], "wake-9", Some.Time.AddMinutes(1)).ShouldBeSameAs(ended);
    }

    [Fact]
    public void RoundOfAnOpenIncident_IsRecordedWithWhatItWaitsForNext()
    {
        var looked = Some.Incident().RecordVerification(IncidentState.Verifying, [Some.Finding("stalled")], "wake-9", Some.Time);

        (looked.State, looked.WakeEvent).ShouldBe((IncidentState.Verifying, "wake-9"));
    }
}
