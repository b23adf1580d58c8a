using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class HighLatencyRerouteTests : InSandboxWorld
{
    private const string Sample = "high-latency-reroute.azure-monitor";
    private const string Profile = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/Microsoft.Network/trafficManagerProfiles/assist";

    private async Task<(string? Status, int Weight)> SlowEndpointAsync()
    {
        var properties = (await _world.GetAsync($"{Profile}/azureEndpoints/cluster-b?api-version=2022-04-01")).GetProperty("properties");
        return (properties.GetProperty("endpointStatus").GetString(), properties.GetProperty("weight").GetInt32());
    }

    [Fact]
    public async Task SlowRegion_LosesItsTrafficAndGetsItBackExactly()
    {
        var asked = await _world.FireAsync(Sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.OpenGate!.Question.ShouldBe("I detected high latency in cluster-b. Re-route traffic to cluster-a?");
        asked.OpenGate.Plan.Steps[0].PlannedEffect.ShouldBe(
            "Send the traffic of cluster-b to cluster-a: disable cluster-b of Traffic Manager assist (now enabled, weight 50). Users follow as their DNS answers run out, within 1m as a rule; open connections stay.");
        asked.Findings.Where(finding => finding.Verdict != Verdict.Failing).Select(finding => (finding.Name, finding.Verdict)).ShouldBe([("user-errors", Verdict.Passing), ("region-errors", Verdict.Passing), ("target-test", Verdict.Passing)]);
        asked.Findings.Single(finding => finding.Name == "user-latency").Result.Series.Count.ShouldBeGreaterThan(1);

        await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(1));
        (await _world.ApproveAsync(asked.Id)).State.ShouldBe(IncidentState.Verifying, "every value is of before the fix");
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Verifying, "five whole minutes of the time after the fix are not told of yet");
        var holding = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(2));

        holding.State.ShouldBe(IncidentState.Holding);
        (await SlowEndpointAsync()).ShouldBe(("Disabled", 50));
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Holding);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(20))).State.ShouldBe(IncidentState.Resolved);

        (await SlowEndpointAsync()).ShouldBe(("Enabled", 50));
    }

    /// <summary>Users wait because of the other region, and the gateway's times are long, as those of answers that are generated always are.</summary>
    [Fact]
    public async Task HealthyRegion_DoesNotGiveItsTrafficToTheSlowOne()
    {
        var ended = await _world.FireAsync(Sample, post => post
            .Replace("\"from\": \"cluster-b\"", "\"from\": \"cluster-a\"", StringComparison.Ordinal)
            .Replace("\"to\": \"cluster-a\"", "\"to\": \"cluster-b\"", StringComparison.Ordinal));

        ended.State.ShouldBe(IncidentState.NotNeeded, ended.Reason);
        ended.Findings.ToDictionary(finding => finding.Name, finding => finding.Verdict).ShouldSatisfyAllConditions(
            found => found["user-latency"].ShouldBe(Verdict.Failing),
            found => found["region-latency"].ShouldBe(Verdict.Failing),
            found => found["region-test"].ShouldBe(Verdict.Passing),
            found => found["target-test"].ShouldBe(Verdict.Failing));
    }

    [Fact]
    public async Task OtherRegionFallsIllBeforeTheYes_NothingIsRerouted()
    {
        var asked = await _world.FireAsync(Sample);
        await _world.SendAsync(
            HttpMethod.Patch, $"{Profile}/azureEndpoints/cluster-a?api-version=2022-04-01", new { properties = new { endpointMonitorStatus = "Degraded" } });

        var ended = await _world.ApproveAsync(asked.Id);

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("from bad to worse");
        (await SlowEndpointAsync()).Status.ShouldBe("Enabled");
    }
}
