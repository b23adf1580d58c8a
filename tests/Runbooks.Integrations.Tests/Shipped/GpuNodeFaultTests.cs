using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class GpuNodeFaultTests : InSandboxWorld
{
    private const string Node = "/kubernetes/b/api/v1/nodes/aks-gpu-24815391-vmss000002";

    private async Task<bool> IsCordonedAsync() =>
        (await _world.GetAsync(Node)).GetProperty("spec").TryGetProperty("unschedulable", out var cordoned) && cordoned.GetBoolean();

    private async Task<string?> BootAsync() => (await _world.GetAsync(Node)).GetProperty("status").GetProperty("nodeInfo").GetProperty("bootID").GetString();

    private async Task<int> EmbeddersAsync(string selector) => (await _world.GetAsync($"/kubernetes/b/api/v1/namespaces/search/pods?{selector}")).GetProperty("items").GetArrayLength();

    [Theory]
    [InlineData("gpu-node-fault.azure-monitor")]
    [InlineData("gpu-node-fault.alertmanager")]
    public async Task BrokenNode_IsEmptiedReimagedAndGivenBack(string sample)
    {
        var boot = await BootAsync();
        var asked = await _world.FireAsync(sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        asked.Findings.Select(finding => finding.Result.Summary).ShouldBe(
        [
            "GPU 3: XID 79 (the GPU has fallen off the bus).",
            "aks-gpu-24815391-vmss000002: GPUMissing (Failed: expected 8 GPUs, found 7); XIDErrors (Xid 79 in the kernel log); 7 of 8 GPUs can be used.",
        ]);
        asked.OpenGate!.Plan.Steps.Select(step => step.Action).ShouldBe(["kubernetes.cordonNode", "kubernetes.drainNode", "aks.reimageNode", "person", "kubernetes.uncordonNode"]);
        (await IsCordonedAsync()).ShouldBeFalse("nothing is touched before the yes");

        var waiting = await _world.ApproveAsync(asked.Id);

        (await BootAsync()).ShouldNotBe(boot);
        waiting.OpenGate!.Question.ShouldStartWith("Replace or return node aks-gpu-24815391-vmss000002?");
        (await IsCordonedAsync()).ShouldBeTrue("whether it goes back is a person's call");

        var ended = await _world.ApproveAsync(asked.Id);

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        (await IsCordonedAsync()).ShouldBeFalse();
        (await EmbeddersAsync("fieldSelector=spec.nodeName=aks-gpu-24815391-vmss000002")).ShouldBe(0);
        (await EmbeddersAsync("labelSelector=app=embedder")).ShouldBe(2, "they run elsewhere");
    }

    [Fact]
    public async Task NobodyAnswers_NothingIsTouched()
    {
        var asked = await _world.FireAsync("gpu-node-fault.azure-monitor");

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(31))).State.ShouldBe(IncidentState.Expired);

        (await IsCordonedAsync()).ShouldBeFalse();
    }

    [Theory]
    [InlineData("kubernetes", "/eviction", "429", 100_000, StepStatus.Kept, "0 pods were evicted from node aks-gpu-24815391-vmss000002, and a disruption budget holds search/embedder-6f7c9b4d88-k9q7d")]
    [InlineData("kubernetes", "/eviction", "403", 1, StepStatus.Kept, "It needs Azure Kubernetes Service RBAC Cluster Admin")]
    [InlineData("arm", "/reimage", "403", 1, StepStatus.Kept, "lacks the role Virtual Machine Contributor")]
    // Nobody knows how far it came, so nothing is taken back.
    [InlineData("arm", "/reimage", "lroFails", 1, StepStatus.Done, "ended as Failed")]
    // Azure said no, so nothing was done.
    [InlineData("arm", "/reimage", "400", 100_000, StepStatus.Kept, "answered 400")]
    public async Task StepThatFails_LeavesTheBrokenNodeCordonedForAPerson(string api, string on, string fault, int count, StepStatus cordon, string words)
    {
        var asked = await _world.FireAsync("gpu-node-fault.azure-monitor");
        await _world.FaultAsync(api, fault, on, count);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromHours(3));

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Reason.ShouldNotBeNull().ShouldContain(words);
        ended.Steps.Single(step => step.Name == "cordon").Status.ShouldBe(cordon);
        (await IsCordonedAsync()).ShouldBeTrue("the machine is still broken");
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("409")]
    [InlineData("400")]
    public async Task ReimageThatAzureTurnsAwayAtFirst_IsTriedAgain(string fault)
    {
        var boot = await BootAsync();
        var asked = await _world.FireAsync("gpu-node-fault.azure-monitor");
        await _world.FaultAsync("arm", fault, "/reimage", 2);

        await _world.ApproveAsync(asked.Id);
        var waiting = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(5));

        (await BootAsync()).ShouldNotBe(boot);
        waiting.OpenGate!.Question.ShouldStartWith("Replace or return node ");
        waiting.Steps.Single(step => step.Action == "aks.reimageNode").Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task NodeThatIsBrokenAfterReimagingToo_IsNotGivenBack()
    {
        var asked = await _world.FireAsync("gpu-node-fault.azure-monitor");
        await _world.SendAsync(HttpMethod.Post, "/exporters/_gauges", new { metric = "DCGM_FI_DEV_ROW_REMAP_FAILURE", value = 1 });

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("a memory row could not be remapped");
        (await IsCordonedAsync()).ShouldBeTrue();
    }
}
