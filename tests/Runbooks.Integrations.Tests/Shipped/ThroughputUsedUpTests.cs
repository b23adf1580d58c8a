using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class ThroughputUsedUpTests : InSandboxWorld
{
    private const string Sample = "throughput-used-up.azure-monitor";

    private async Task<string?> SpillsToAsync() =>
        (await _world.GetAsync("/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/Microsoft.CognitiveServices/accounts/assist-openai/deployments/gpt-4o-ptu?api-version=2025-09-01"))
            .GetProperty("properties").TryGetProperty("spilloverDeploymentName", out var to) ? to.GetString() : null;

    [Fact]
    public async Task UsedUpThroughput_SpillsOverUntilTheMetricSaysThatThereIsRoom()
    {
        var asked = await _world.FireAsync(Sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        asked.Findings.Single(finding => finding.Name == "turned-away").Result.Summary.ShouldStartWith("ptu turns requests away: 429");
        asked.Findings.Single(finding => finding.Name == "utilization").Verdict.ShouldBe(Verdict.Failing);

        (await _world.ApproveAsync(asked.Id)).State.ShouldBe(IncidentState.Verifying, "whether the standard deployment has room for all of it is told minutes later");
        (await SpillsToAsync()).ShouldBe("gpt-4o-paygo");
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(8))).State.ShouldBe(IncidentState.Holding, "nobody is turned away any more");
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(8))).State.ShouldBe(IncidentState.Holding, "it has not had room for long enough");

        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(14));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps[0].Status.ShouldBe(StepStatus.Undone);
        (await SpillsToAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task SpillOverThatDoesNotHelp_IsSwitchedOffAndAPersonIsPaged()
    {
        await _world.FaultAsync("provider", "429", "/provider/ptu", count: 9999);
        var asked = await _world.FireAsync(Sample);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(35));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("The fix did not help within 30m: turned-away: failing");
        (await SpillsToAsync()).ShouldBeNull();
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }
}
