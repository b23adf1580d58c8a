using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <content>What somebody else does to a node while it is drained, and pods that may not be evicted.</content>
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
            .ShouldStartWith($"2 pods were evicted from node {Sound}. Cluster 'b' does not know this identity (401)");
    }
}
