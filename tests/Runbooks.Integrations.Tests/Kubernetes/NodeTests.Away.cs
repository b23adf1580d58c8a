using System.Net.Http.Json;
using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <content>Nodes and clusters that do not answer.</content>
public sealed partial class NodeTests
{
    /// <summary>Its kubelet ends nothing any more, and the reimage that would is the next step.</summary>
    [Fact]
    public async Task DeadNode_IsDrainedOfWhatCanEndAndReimaged()
    {
        await RunAsync(Cordon, With());
        await PatchAsync($"/kubernetes/b/api/v1/nodes/{Broken}", """{"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}}""");
        (await PrepareAsync(Drain, With())).PlannedEffect.ShouldEndWith(" A pod that has not ended 2m after its time is not waited for: its node may not answer.");

        var result = await RunAsync(Drain, With());

        result.Result.ShouldBe($"Node {Broken} had no pods to evict. Left 1 pod there that does not end: search/embedder-6f7c9b4d88-k9q7d. The node does not answer, a process cannot be killed, or a finalizer keeps it.");
        result.Outputs["stuck"].ShouldBe("search/embedder-6f7c9b4d88-k9q7d");
        (await Http.GetAsync("/kubernetes/b/api/v1/namespaces/search/pods/embedder-6f7c9b4d88-k9q7d", Cancel)).IsSuccessStatusCode.ShouldBeTrue("it is still there");

        await RunAsync(Reimage, With());

        (await Http.GetAsync("/kubernetes/b/api/v1/namespaces/search/pods/embedder-6f7c9b4d88-k9q7d", Cancel)).IsSuccessStatusCode.ShouldBeFalse();
        (await RunAsync(Drain, With())).Outputs["stuck"].ShouldBeEmpty();
    }

    [Fact]
    public async Task ClusterThatDoesNotAnswerForAWhile_IsAskedAgainWhileANodeIsDrained()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await FaultAsync("kubernetes", "503", count: 8, on: "GET /kubernetes/b/api/v1/pods");
        await FaultAsync("kubernetes", "500", count: 3, on: "/eviction");

        (await ApplyAsync(Drain, With(), preparation)).Result.ShouldStartWith($"Evicted 1 pod from node {Broken}: search/embedder-");
    }

    [Fact]
    public async Task ClusterThatStopsAnswering_DoesNotHideWhatHoldsThePods()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await FaultAsync("kubernetes", "429", count: 1_000, on: "/eviction");
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(2), Clock);
        var (found, evictions) = (Action(Drain), 0);
        var context = ContextOf("inc-1") with
        {
            Time = new SkippingTime(Clock),
            FindPause = async _ =>
            {
                await (evictions++ == 2 ? FaultAsync("kubernetes", "503", count: 1_000, on: "GET ") : Task.CompletedTask);
                return null;
            },
        };

        await Should.ThrowAsync<OperationCanceledException>(() => found.ApplyAsync(Bind(With(), found.ParametersType), preparation, context, time.Token));

        context.Progress.Text.ShouldNotBeNull().ShouldStartWith($"0 pods were evicted from node {Broken}, and a disruption budget holds search/embedder-6f7c9b4d88-k9q7d, and how that goes cannot be seen: Cluster 'b' answered 503");
    }

    [Theory]
    [InlineData("GET /kubernetes/b/api/v1/nodes", 12, 1)]
    [InlineData("GET /arm/", 12, 0)]
    public async Task NobodyAnswersWhileTheMachineIsMadeAnew_IsWaitedFor(string on, int count, int skip)
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Reimage, With());
        await FaultAsync(on.Contains("/arm/", StringComparison.Ordinal) ? "arm" : "kubernetes", "503", count: count, on: on, skip: skip);

        (await ApplyAsync(Reimage, With(), preparation)).Result.ShouldStartWith($"Reimaged the machine of node {Broken}; the node was ready again after");
    }

    /// <summary>The cluster could not even be asked which machine it is.</summary>
    [Fact]
    public async Task ClusterThatDoesNotAnswerBeforeAReimage_HasSeenNothingDone()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Reimage, With());
        await FaultAsync("kubernetes", "503");

        (await Should.ThrowAsync<ClusterException>(() => ApplyAsync(Reimage, With(), preparation))).NothingDone.ShouldBeTrue();
    }

    /// <summary>A process that a driver holds survives its kill, and such a set makes no other pod until the old one is gone.</summary>
    [Theory]
    [InlineData("inference", "llm-b-0", "stateful set", false)]
    [InlineData("inference", "llm-b-0", "stateful set", true)]
    [InlineData("gpu-operator", "dcgm-exporter-", "daemon set", false)]
    public async Task PodThatDoesNotEnd_IsNotSaidToBeGoneAndNotWaitedForLong(string ns, string begin, string set, bool endsAlready)
    {
        const string Recycle = "kubernetes.recyclePod";
        var pod = (await Http.GetFromJsonAsync<JsonElement>($"/kubernetes/b/api/v1/namespaces/{ns}/pods", Cancel)).GetProperty("items").EnumerateArray()
            .First(one => one.GetProperty("spec").GetProperty("nodeName").GetString() == Sound && one.GetProperty("metadata").GetProperty("name").GetString()!.StartsWith(begin, StringComparison.Ordinal))
            .GetProperty("metadata").GetProperty("name").GetString()!;
        var with = new { @namespace = ns, pod };
        // Kubernetes itself tells the pods to end with the one, and not with the other.
        var effect = endsAlready ? "NoExecute" : "NoSchedule";
        await PatchAsync($"/kubernetes/b/api/v1/nodes/{Sound}", $$$"""{"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"{{{effect}}}"}]}}""");
        var preparation = await PrepareAsync(Recycle, with);

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Recycle, with, preparation));

        refused.Message.ShouldMatch($@"^Pod {ns}/{pod} \(uid [0-9a-f-]+\) has not ended 5 min after its time: the node does not answer, "
            + $"a process cannot be killed, or a finalizer keeps it. Its {set} makes no other pod before it is gone: look at its machine, and restart that.$");
        refused.NothingDone.ShouldBe(endsAlready);
    }
}
