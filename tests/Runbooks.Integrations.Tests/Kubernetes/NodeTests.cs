using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed partial class NodeTests : OnTheSandbox
{
    private const string Broken = "aks-gpu-24815391-vmss000002";
    private const string Sound = "aks-gpu-24815391-vmss000000";
    private const string Cordon = "kubernetes.cordonNode";
    private const string Taint = "kubernetes.taintNode";
    private const string Drain = "kubernetes.drainNode";
    private const string Reimage = "aks.reimageNode";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    private static object With(string node = Broken) => new { node };

    private static object WithTaint(string effect = "NoSchedule") => new { node = Broken, key = "gpu-fault", value = "xid79", effect };

    private async Task<JsonElement> NodeAsync(string node = Broken) => JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync($"/kubernetes/b/api/v1/nodes/{node}", Cancel));

    private async Task<string?> BootAsync() => (await NodeAsync()).GetProperty("status").GetProperty("nodeInfo").GetProperty("bootID").GetString();

    private async Task<bool> IsCordonedAsync() => (await NodeAsync()).GetProperty("spec").TryGetProperty("unschedulable", out var cordoned) && cordoned.GetBoolean();

    private async Task<string> TaintsAsync() => (await NodeAsync()).GetProperty("spec").TryGetProperty("taints", out var taints)
        ? string.Join(' ', taints.EnumerateArray().Select(taint => $"{taint.GetProperty("key")}:{taint.GetProperty("effect")}")) : "";

    private async Task ShouldHaveSentAsync(string golden)
    {
        var (_, body) = (await SentAsync()).Last(sent => sent.Request.StartsWith("PATCH ", StringComparison.Ordinal));
        var metadata = (await NodeAsync()).GetProperty("metadata");
        var version = body.GetProperty("metadata").GetProperty("resourceVersion").GetString()!;
        JsonSerializer.Deserialize<JsonElement>(body.GetRawText().Replace(metadata.GetProperty("uid").GetString()!, "the-nodes-uid").Replace(version, "the-version-that-was-read")).ShouldBeGolden(golden);
    }

    [Fact]
    public async Task SoundNode_IsPassing() =>
        (await AskAsync("kubernetes.node", With(Sound))).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Passing),
            result => result.Summary.ShouldBe($"{Sound}: ready, takes new pods, 8 GPUs."));

    [Fact]
    public async Task NodeThatLostAGpu_IsFailingInTheDetectorsWords() =>
        (await AskAsync("kubernetes.node", With())).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe($"{Broken}: GPUMissing (Failed: expected 8 GPUs, found 7); XIDErrors (Xid 79 in the kernel log); 7 of 8 GPUs can be used."));

    [Theory]
    [InlineData("403", "get nodes, and get leases in kube-node-lease")]
    [InlineData("500", "answered 500")]
    public async Task NodeThatCannotBeRead_IsUnknown(string fault, string words)
    {
        await FaultAsync("kubernetes", fault);

        (await AskAsync("kubernetes.node", With())).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldContain(words));
    }

    [Fact]
    public async Task Cordon_KeepsNewPodsAwayAndIsTakenOffAgain()
    {
        var preparation = await PrepareAsync(Cordon, With());
        preparation.PlannedEffect.ShouldBe($"Cordon node {Broken} on cluster b: no new pods are scheduled on it; those that run go on.");
        (await IsCordonedAsync()).ShouldBeFalse("preparing touches nothing");

        (await ApplyAsync(Cordon, With(), preparation)).Result.ShouldBe($"Cordoned node {Broken}.");
        (await IsCordonedAsync()).ShouldBeTrue();
        await ShouldHaveSentAsync("cordon");
        (await ApplyAsync(Cordon, With(), preparation, interrupted: preparation)).Result.ShouldBe($"Node {Broken} was cordoned when this attempt came to it, by an earlier attempt or by somebody else.", "twice is the same as once");

        (await UndoAsync(Cordon, preparation)).Result.ShouldBe($"Uncordoned node {Broken}.");
        (await IsCordonedAsync()).ShouldBeFalse();
        (await UndoAsync(Cordon, preparation)).Result.ShouldBe($"Node {Broken} had been changed back already.");
    }

    [Fact]
    public async Task NodeThatSomebodyElseCordoned_StaysCordoned()
    {
        await RunAsync(Cordon, With());
        var second = await PrepareAsync(Cordon, With());

        second.Undo.ShouldBe("Left as it is: it was so before, unless another incident did that and leaves it to this one.");
        await ApplyAsync(Cordon, With(), second);
        await UndoAsync(Cordon, second);

        (await IsCordonedAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task Taint_IsPutBesideOthersAndTakenOffAlone()
    {
        await RunAsync(Taint, new { node = Broken, key = "mine", effect = "PreferNoSchedule" });
        var preparation = await PrepareAsync(Taint, WithTaint());
        preparation.PlannedEffect.ShouldContain("gpu-fault=xid79:NoSchedule: new pods that do not tolerate it go elsewhere");

        await ApplyAsync(Taint, WithTaint(), preparation);
        (await TaintsAsync()).ShouldBe("mine:PreferNoSchedule gpu-fault:NoSchedule");
        await ShouldHaveSentAsync("taint");

        await UndoAsync(Taint, preparation);
        (await TaintsAsync()).ShouldBe("mine:PreferNoSchedule");
    }

    [Fact]
    public async Task TaintWithAnotherValue_IsReplacedAndGivenBackWhole()
    {
        await PatchAsync($"/kubernetes/b/api/v1/nodes/{Broken}", """{"spec":{"taints":[{"key":"gpu-fault","value":"old","effect":"NoSchedule","timeAdded":"2026-11-20T01:02:03Z"},{"key":"other","effect":"PreferNoSchedule","timeAdded":"2026-11-21T01:02:03Z"}]}}""");
        var preparation = await PrepareAsync(Taint, WithTaint());
        preparation.Undo.ShouldBe($"Give the taint gpu-fault=old:NoSchedule back to node {Broken}.");

        (await ApplyAsync(Taint, WithTaint(), preparation)).Result.ShouldBe($"Tainted node {Broken} with gpu-fault=xid79:NoSchedule.");
        var taints = (await NodeAsync()).GetProperty("spec").GetProperty("taints").GetRawText();
        taints.ShouldContain("\"value\":\"xid79\"");
        taints.ShouldContain("2026-11-21T01:02:03");
        (await ApplyAsync(Taint, WithTaint(), preparation, interrupted: preparation)).Result.ShouldBe($"Node {Broken} had the taint gpu-fault=xid79:NoSchedule when this attempt came to it, by an earlier attempt or by somebody else.");

        await UndoAsync(Taint, preparation);
        taints = (await NodeAsync()).GetProperty("spec").GetProperty("taints").GetRawText();
        taints.ShouldContain("\"value\":\"old\"");
        taints.ShouldContain("2026-11-20T01:02:03");
        taints.ShouldNotContain("xid79");
        (await UndoAsync(Taint, preparation)).Result.ShouldContain("already", Case.Insensitive);

        var theirs = new { node = Broken, key = "gpu-fault", value = "returned", effect = "NoSchedule" };
        await RunAsync(Taint, theirs);
        (await Should.ThrowAsync<ChangedSinceException>(() => UndoAsync(Taint, preparation))).Message
            .ShouldBe($"Node {Broken} has the taint gpu-fault=returned:NoSchedule by now: somebody else has changed that since, so it was left alone.");
    }

    [Theory]
    [InlineData("ContainerRuntimeReady", "False", true)]
    [InlineData("ContainerRuntimeReady", "True", false)]
    [InlineData("kubernetes.azure.com/NodeHealthy", "False", true)]
    [InlineData("kubernetes.azure.com/NodeHealthy", "True", false)]
    [InlineData("KubeletUnhealthy", "True", true)]
    [InlineData("KubeletUnhealthy", "False", false)]
    [InlineData("DiskPressure", "True", true)]
    [InlineData("DiskPressure", "False", false)]
    public void Condition_IsReadByItsName(string type, string status, bool trouble)
    {
        V1NodeCondition Condition(string type, string status) => new() { Type = type, Status = status, Reason = "because" };

        new NodeSigns(new V1Node { Status = new V1NodeStatus { Conditions = [Condition("Ready", "True"), Condition(type, status)] } }).Troubles
            .ShouldBe(trouble ? [$"{type} (because)"] : []);
    }

    [Theory]
    [InlineData("VMEventScheduled")]
    [InlineData("PreemptionScheduled")]
    public void MaintenanceThatIsAnnounced_IsToldAndNoTrouble(string type)
    {
        NodeSigns Node(string status) => new(new V1Node { Status = new V1NodeStatus { Conditions = [new() { Type = "Ready", Status = "True" }, new() { Type = type, Status = status, Message = "Freeze Scheduled: 03:15" }] } });

        Node("True").ShouldSatisfyAllConditions(
            signs => signs.Troubles.ShouldBeEmpty(),
            signs => signs.Text.ShouldBe("ready, takes new pods, Azure has announced maintenance (Freeze Scheduled: 03:15)"));
        Node("False").Text.ShouldBe("ready, takes new pods");
    }

    [Theory]
    [InlineData("sku=gpu:PreferNoSchedule", false, "ready, takes new pods")]
    [InlineData("maintenance=true:NoSchedule node.kubernetes.io/disk-pressure=:NoExecute", false, "ready, takes only new pods that tolerate maintenance=true:NoSchedule and node.kubernetes.io/disk-pressure:NoExecute")]
    [InlineData("node.kubernetes.io/unschedulable=:NoSchedule", true, "ready, cordoned")]
    public void NodeThatATaintCloses_IsNotSaidToTakeNewPods(string taints, bool cordoned, string words)
    {
        var node = new V1Node
        {
            Spec = new V1NodeSpec { Unschedulable = cordoned, Taints = [.. taints.Split(' ').Select(one => one.Split('=', ':')).Select(one => new V1Taint { Key = one[0], Value = one[1], Effect = one[2] })] },
            Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }] },
        };

        new NodeSigns(node).Text.ShouldBe(words);
    }

    [Theory]
    [InlineData("nvidia.com/gpu=7", "8", "7 of 8 GPUs can be used")]
    [InlineData("nvidia.com/gpu=8", "8", null)]
    [InlineData("nvidia.com/gpu=0", "8", "0 of 8 GPUs can be used")]
    [InlineData("cpu=96", "8", null)]
    [InlineData("nvidia.com/gpu=0 nvidia.com/mig-1g.10gb=56", "8", null)]
    [InlineData("nvidia.com/gpu=7", "many", null)]
    // A GPU pool of AKS has the plugin and no feature discovery, so no label tells of the GPUs that the plugin has offered before.
    [InlineData("nvidia.com/gpu=0", "", "its GPUs are not offered to pods: does its device plugin run?")]
    [InlineData("nvidia.com/gpu=0 nvidia.com/mig-1g.10gb=0", "8", "its GPUs are not offered to pods: does its device plugin run?")]
    public void GpuThatTheNodeNoLongerCounts_IsMissed(string resources, string counted, string? trouble)
    {
        var has = resources.Split(' ').Select(one => one.Split('=')).ToDictionary(one => one[0], one => new ResourceQuantity(one[1]));
        var node = new V1Node
        {
            Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["nvidia.com/gpu.count"] = counted } },
            Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }], Capacity = has, Allocatable = has },
        };

        new NodeSigns(node).Troubles.ShouldBe(trouble is null ? [] : [trouble]);
    }

    [Theory]
    [InlineData("nvidia.com/gpu", "7 of 8 GPUs can be used")]
    [InlineData("amd.com/gpu", "7 of 8 GPUs can be used")]
    [InlineData("gpu.intel.com/i915", "7 of 8 GPUs can be used")]
    [InlineData("gpu.intel.com/xe", "7 of 8 GPUs can be used")]
    [InlineData("squat.ai/fuse", null)]
    public void GpuThatCannotBeUsed_IsMissedOfEveryVendor(string resource, string? trouble)
    {
        Dictionary<string, ResourceQuantity> Of(string amount) => new() { [resource] = new(amount) };
        var node = new V1Node { Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = "True" }], Capacity = Of("8"), Allocatable = Of("7") } };

        new NodeSigns(node).Troubles.ShouldBe(trouble is null ? [] : [trouble]);
    }

    [Fact]
    public async Task PodThatGoesByItself_IsNotCalledEvicted()
    {
        await RunAsync(Cordon, With());
        await FaultAsync("kubernetes", "404", count: 100_000, on: "/eviction");
        var draining = RunAsync(Drain, With());
        while (!(await RequestsAsync()).Any(request => request.EndsWith("/eviction", StringComparison.Ordinal)))
        {
            // It is on its way.
        }

        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/search/pods/embedder-6f7c9b4d88-k9q7d", Cancel);

        var result = await draining;
        result.Result.ShouldBe($"Node {Broken} had no pods to evict. 1 pod left by itself meanwhile.");
        result.Outputs["evicted"].ShouldBe("0");
    }

    [Theory]
    [InlineData(Drain, "its pods would come back to it")]
    [InlineData(Reimage, "pods may be running on it")]
    public async Task NodeThatIsNotCordoned_IsLeftAlone(string action, string why)
    {
        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(action, With()))).Message.ShouldContain(why);

        (await RequestsAsync()).ShouldEach(request => request.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NodeThatCameBackAsAnother_IsNotReimaged()
    {
        await RunAsync(Cordon, With());
        var approved = await PrepareAsync(Reimage, With()) with { Identity = "the machine before" };

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Reimage, With(), approved))).Message.ShouldContain("is no longer the one that was approved. Nothing was reimaged.");

        (await RequestsAsync()).ShouldNotContain(request => request.StartsWith("POST ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reimage_MakesTheMachineAnewAndMendsIt()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Reimage, With());
        var boot = await BootAsync();
        preparation.PlannedEffect.ShouldContain("What is on its local disks is lost.");

        (await ApplyAsync(Reimage, With(), preparation)).Result.ShouldStartWith($"Reimaged the machine of node {Broken}; the node was ready again after");

        (await BootAsync()).ShouldNotBe(boot, "the record still called it ready when the machine had just gone down");
        (await AskAsync("kubernetes.node", With())).Summary.ShouldBe($"{Broken}: ready, cordoned, 8 GPUs.");
        (await RequestsAsync()).ShouldContain(request => request.StartsWith("POST /arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/mc_rg-inference-b_aks-b_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-24815391-vmss/virtualMachines/2/reimage?api-version=2024-07-01", StringComparison.Ordinal));
        Action(Reimage).Repeatable.ShouldBeFalse("so that a runbook that asks nobody cannot have it");
    }

    [Theory]
    [InlineData(Cordon)]
    [InlineData(Drain)]
    [InlineData(Reimage)]
    public async Task MissingNode_IsRefused(string action) => (await PrepareAsync(action, With("nobody"))).Refusal.ShouldBe("There is no node nobody on cluster b.");
}
