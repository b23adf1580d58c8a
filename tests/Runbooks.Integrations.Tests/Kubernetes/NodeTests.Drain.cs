using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <content>What is taken away and waited for when a node is drained, what somebody else does meanwhile, and pods that may not be evicted.</content>
public sealed partial class NodeTests
{
    /// <param name="before">What happens before an eviction, by how many came before it.</param>
    private Task<ActionResult> DrainAsync(string node, Preparation preparation, Func<int, Task> before)
    {
        var (found, evictions) = (Action(Drain), 0);
        var context = ContextOf("inc-1") with
        {
            Time = new SkippingTime(Clock),
            FindPause = async _ =>
            {
                await before(evictions++);
                return null;
            },
        };
        return found.ApplyAsync(Bind(With(node), found.ParametersType), preparation, context, Cancel);
    }

    private Task CordonByHandAsync(string node, bool cordoned) =>
        PatchAsync($"/kubernetes/b/api/v1/nodes/{node}", $$$"""{"spec":{"unschedulable":{{{(cordoned ? "true" : "null")}}}}}""");

    /// <summary>What one does to stop a drain: else each pod that comes back would be evicted again.</summary>
    [Fact]
    public async Task NodeThatSomebodyUncordonsMeanwhile_IsDrainedNoFurther()
    {
        await RunAsync(Cordon, With(Sound));
        await FaultAsync("kubernetes", "429", count: 5, on: "/llm-b-0/eviction");
        var preparation = await PrepareAsync(Drain, With(Sound));

        var refused = await Should.ThrowAsync<StepRefusedException>(() => DrainAsync(Sound, preparation, evictions => evictions == 1 ? CordonByHandAsync(Sound, cordoned: false) : Task.CompletedTask));

        refused.Message.ShouldMatch($@"^Node {Sound} is not cordoned, so its pods would come back to it\. Before that, 1 pod was evicted from node {Sound} \(chat/chat-vllm-[a-z0-9-]+\); no further one was\.$");
        (await RequestsAsync()).Count(request => request.EndsWith("/eviction", StringComparison.Ordinal)).ShouldBe(2);
    }

    /// <summary>It tolerates that the node is cordoned, and would come again.</summary>
    [Fact]
    public async Task PodThatComesMeanwhile_IsLeftThereAndNamed()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());

        async Task SendPodAsync()
        {
            await CordonByHandAsync(Broken, cordoned: false);
            await CordonByHandAsync(Sound, cordoned: true);
            await CordonByHandAsync("aks-gpu-24815391-vmss000001", cordoned: true);
            (await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/chat/pods/chat-vllm-5c47b8d6f9-x2x4v", Cancel)).EnsureSuccessStatusCode();
            await CordonByHandAsync(Broken, cordoned: true);
        }

        var result = await DrainAsync(Broken, preparation, evictions => evictions == 0 ? SendPodAsync() : Task.CompletedTask);

        const string left = @" Left 1 pod there that came while it was drained, though it is cordoned: chat/chat-vllm-[a-z0-9-]+\.$";
        result.Result.ShouldMatch($@"^Evicted 1 pod from node {Broken}: {Embedder}\. .*{left}");
        (await ApplyAsync(Drain, With(), preparation, interrupted: preparation)).Result.ShouldMatch(left, customMessage: "what was there first is known to a later attempt");
        (await RequestsAsync()).Count(request => request.EndsWith("/eviction", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task PodThatMayNotBeEvicted_KeepsNoOtherFromIt()
    {
        await RunAsync(Cordon, With(Sound));
        var preparation = await PrepareAsync(Drain, With(Sound));
        await FaultAsync("kubernetes", "403", count: 100, on: "POST /kubernetes/b/api/v1/namespaces/chat/");

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Drain, With(Sound), preparation))).Message
            .ShouldMatch($@"^1 pod was evicted from node {Sound} \(inference/llm-b-0\), and chat/chat-vllm-[a-z0-9-]+ could not be: This identity may not evict pod chat/chat-vllm-[a-z0-9-]+ on cluster 'b'\. It needs ");
        (await RequestsAsync()).Count(request => request.EndsWith("/eviction", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task ClusterThatRefusesALook_TellsWhatWasDone()
    {
        await RunAsync(Cordon, With(Sound));
        var preparation = await PrepareAsync(Drain, With(Sound));

        (await Should.ThrowAsync<StepRefusedException>(() => DrainAsync(Sound, preparation, evictions => evictions == 1 ? FaultAsync("kubernetes", "401", on: "GET ") : Task.CompletedTask))).Message
            .ShouldMatch($@"^2 pods were evicted from node {Sound}, and chat/chat-vllm-[a-z0-9-]+ is still there\. Cluster 'b' does not know this identity \(401\)");
    }

    [Fact]
    public async Task ClusterThatRefusesTheLastLook_IsNotToldToHaveSeenNothing()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await FaultAsync("kubernetes", "401", on: "GET /kubernetes/b/api/v1/namespaces/search/pods");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Drain, With(), preparation));

        refused.Message.ShouldStartWith($"1 pod was evicted from node {Broken}. Cluster 'b' does not know this identity (401)");
        refused.NothingDone.ShouldBeFalse();
    }

    [Fact]
    public async Task Drain_EvictsWhatCanMoveAndLeavesDaemonSets()
    {
        await RunAsync(Cordon, With());

        var result = await RunAsync(Drain, With());

        result.Result.ShouldStartWith($"Evicted 1 pod from node {Broken}: search/embedder-");
        result.FoundSo.ShouldBeFalse();
        var left = JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync($"/kubernetes/b/api/v1/pods?fieldSelector=spec.nodeName={Broken}", Cancel)).GetProperty("items");
        left.EnumerateArray().Single().GetProperty("metadata").GetProperty("name").GetString().ShouldNotBeNull().ShouldStartWith("dcgm-exporter-");
        (await RunAsync(Drain, With())).FoundSo.ShouldBeTrue();
        (await RunAsync(Drain, With())).Result.ShouldContain("no pods to evict");
    }

    [Fact]
    public async Task Drain_SaysWhatItTakesAwayAndWhatFoundNoOtherNode()
    {
        (await PrepareAsync(Drain, With())).PlannedEffect.ShouldContain("Pods of daemon sets stay. Now that is 1 pod with 1 GPU, for which other nodes need room; whether there is room is not looked at.");
        foreach (var node in JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync("/kubernetes/b/api/v1/nodes", Cancel)).GetProperty("items").EnumerateArray())
        {
            await RunAsync(Cordon, With(node.GetProperty("metadata").GetProperty("name").GetString()!));
        }

        var result = await RunAsync(Drain, With());

        result.Result.ShouldContain(" No other node has taken 1 pod so far: search/embedder-");
        result.Outputs["pending"].ShouldStartWith("search/embedder-");
    }

    [Fact]
    public async Task NodeThatCameBackAsAnother_IsNotDrainedAfterAnInterruption()
    {
        await RunAsync(Cordon, With());
        var first = await PrepareAsync(Drain, With()) with { Identity = "the machine before" };

        var again = await PrepareAsync(Drain, With(), interrupted: first);

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Drain, With(), again, interrupted: first))).Message.ShouldContain("is no longer the one that was approved. Nothing was evicted.");
    }

    [Fact]
    public async Task PodThatNothingBringsBack_KeepsTheNodeFromBeingDrained() =>
        (await PrepareAsync(Drain, With("aks-pool-17503362-vmss000000"))).Refusal.ShouldNotBeNull().ShouldContain("Nothing would bring back inference/debug-shell");

    [Fact]
    public async Task DisruptionBudget_IsWaitedFor()
    {
        await RunAsync(Cordon, With());
        await FaultAsync("kubernetes", "429", count: 3);

        (await RunAsync(Drain, With())).Outputs["evicted"].ShouldBe("1");
        (await RequestsAsync()).Count(request => request.EndsWith("/eviction", StringComparison.Ordinal)).ShouldBe(4);
    }

    [Fact]
    public async Task PodsOfWhichNoneMayBeEvicted_HaveSeenNothingDone()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await FaultAsync("kubernetes", "403", on: "/eviction");

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Drain, With(), preparation))).NothingDone.ShouldBeTrue();
    }
}
