using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class HungGpuTests : InSandboxWorld
{
    private const string Pods = "/kubernetes/b/api/v1/namespaces/inference/pods";

    private async Task<string?> UidAsync(string pod) =>
        (await _world.GetAsync($"{Pods}/{pod}")).GetProperty("metadata").GetProperty("uid").GetString();

    [Theory]
    [InlineData("hanged-gpu.azure-monitor")]
    [InlineData("hanged-gpu.alertmanager")]
    public async Task HungPod_IsRecycledWithItsLogsKept(string sample)
    {
        var asked = await _world.FireAsync(sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.Where(finding => finding.Verdict == Verdict.Failing).Select(finding => finding.Name).ShouldBe(["stalled", "gpu-memory"], "its process is there and ready all the same");
        asked.OpenGate!.Plan.Steps[0].PlannedEffect.ShouldStartWith("Recycle pod inference/llm-b-0 on cluster b: keep its last logs, evict it");
        var before = await UidAsync("llm-b-0");
        asked.OpenGate.Plan.Steps[0].Identity.ShouldBe(before);

        var ended = await _world.ApproveAsync(asked.Id);

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Reason.ShouldNotBeNull().ShouldEndWith("after it; stalled without a request to show it.");
        (await UidAsync("llm-b-0")).ShouldNotBe(before);
        var logs = ended.Steps.Single(step => step.Name == "recycle").Evidence;
        logs.ShouldNotBeEmpty();
        _world.Evidence(logs[0]).ShouldNotBeNull().ShouldContain("CUDA out of memory");
        _world.Notifier.To(CardKind.Closed).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task ValueOfBeforeTheFix_VerifiesNothing()
    {
        await using var world = await SandboxWorld.StartAsync(new Dictionary<string, string?> { ["Prometheus:Endpoints:practice:Every"] = "00:01:00" });
        var asked = await world.FireAsync("hanged-gpu.azure-monitor");

        (await world.ApproveAsync(asked.Id)).State.ShouldBe(IncidentState.Verifying, "what was scraped last is of before the fix");
        var ended = await world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(3));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Timeline.ShouldContain(line => line.What.StartsWith("stalled: unknown (Measured until ", StringComparison.Ordinal));
        ended.Verification.Single(finding => finding.Name == "stalled").Result.MeasuredAt.ShouldNotBeNull().ShouldBeGreaterThan(ended.Steps.Single(step => step.Name == "recycle").FinishedAt!.Value);
    }

    [Fact]
    public async Task SomebodyRecycledItBeforeTheYes_TheNewPodIsNotTouchedWithoutAsking()
    {
        var asked = await _world.FireAsync("hanged-gpu.azure-monitor");
        await _world.SendAsync(HttpMethod.Delete, $"{Pods}/llm-b-0", new { });
        var fresh = await UidAsync("llm-b-0");

        var again = await _world.ApproveAsync(asked.Id);

        again.State.ShouldBe(IncidentState.AwaitingApproval, again.Reason);
        again.OpenGate!.Round.ShouldBe(2);
        again.OpenGate.Difference.ShouldNotBeNullOrEmpty();
        (await UidAsync("llm-b-0")).ShouldBe(fresh);
    }

    [Fact]
    public async Task NobodyAnswers_NothingIsRecycled()
    {
        var asked = await _world.FireAsync("hanged-gpu.azure-monitor");
        var before = await UidAsync("llm-b-0");

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(21))).State.ShouldBe(IncidentState.Expired);

        (await UidAsync("llm-b-0")).ShouldBe(before);
    }
}
