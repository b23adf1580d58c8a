using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <content>Pods that have to leave their node: what is told of them before and after, and what stops it half-way.</content>
public sealed partial class NodeTests
{
    private const string Embedder = "search/embedder-6f7c9b4d88-k9q7d";
    private const string OfDaemonSets = " These of daemon sets are stopped, and not started again while the taint is there: gpu-operator/dcgm-exporter-[a-z0-9]+\\.";

    /// <summary>No disruption budget holds them then, so people are told who goes.</summary>
    [Fact]
    public async Task TaintThatStopsPods_SaysWhichOnesAndThatRoomIsNotLookedAt()
    {
        (await PrepareAsync(Taint, WithTaint("noExecute"))).PlannedEffect.ShouldMatch(
            $"^Taint node {Broken} on cluster b with gpu-fault=xid79:NoExecute: pods that do not tolerate it are stopped at once, whatever disruption budgets say\\. Now that is 1 pod with 1 GPU, for which other nodes need room; whether there is room is not looked at\\.{OfDaemonSets}$");
        (await PrepareAsync(Taint, WithTaint())).PlannedEffect.ShouldEndWith(": new pods that do not tolerate it go elsewhere; whether there is room is not looked at.");
    }

    /// <summary>The pods of daemon sets tolerate what Kubernetes itself says of a node, and no taint of a runbook's.</summary>
    [Fact]
    public async Task TaintWhereOnlyPodsOfDaemonSetsRun_StopsThose()
    {
        await RunAsync(Cordon, With());
        await RunAsync(Drain, With());

        (await PrepareAsync(Taint, WithTaint("noExecute"))).PlannedEffect.ShouldMatch($"whatever disruption budgets say\\.{OfDaemonSets}$");
    }

    [Fact]
    public async Task TaintThatStopsAPodWithoutAController_SaysThatItIsGone()
    {
        var preparation = await PrepareAsync(Taint, new { node = "aks-pool-17503362-vmss000000", key = "gpu-fault", effect = "noExecute" });

        preparation.PlannedEffect.ShouldEndWith(
            " Now that is 5 pods, for which other nodes need room; whether there is room is not looked at. The controllers of these have no ready pod on another node: inference/tokenizer-7d9f8c6b5d-x2x4v, lab/ranker-5d8b6c7f94-k9q7d, lab/ranker-5d8b6c7f94-x2x4v, lab/summarizer-6c9d7f5b84-k9q7d, lab/summarizer-6c9d7f5b84-x2x4v. No controller owns these, so nothing brings them back: inference/debug-shell.");
        preparation.Undo.ShouldBe("Take the taint gpu-fault:NoExecute off node aks-pool-17503362-vmss000000; what was stopped is not brought back.");
        preparation.Identity.ShouldNotBeNull().ShouldEndWith(" inference/debug-shell", customMessage: "one that came meanwhile was not shown");
    }

    /// <summary>The sandbox has none. To its controller a pod that was evicted is one that has failed.</summary>
    [Theory]
    [InlineData("Job")]
    [InlineData("PyTorchJob")]
    public async Task PodsOfJobs_AreNamedSinceTheirWorkIsLost(string kind)
    {
        var pod = new V1Pod { Metadata = new() { Name = "ft-llama-xyz12", NamespaceProperty = "train", OwnerReferences = [new() { Kind = kind, Name = "ft-llama", Uid = "the-job", Controller = true }] }, Spec = new() { NodeName = Broken, Containers = [] } };

        (await PodRoom.CostAsync(Services.GetRequiredService<Clusters>().Pods("b"), Broken, [pod], "", Cancel)).ShouldContain(
            " These belong to jobs: what they have done since their last checkpoint is lost, and a job that has no try left may end as failed: train/ft-llama-xyz12.");
    }

    /// <summary>The first attempt evicted it, and the host went down before that was on record.</summary>
    [Fact]
    public async Task SecondAttempt_NamesWhatTheFirstOneEvicted()
    {
        await RunAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await ApplyAsync(Drain, With(), preparation);

        var result = await ApplyAsync(Drain, With(), preparation, interrupted: preparation);

        result.Result.ShouldBe($"Evicted 1 pod from node {Broken}: {Embedder}.");
        result.Outputs["evicted"].ShouldBe("1");
        Evidence.TextOf(result.Evidence.ShouldHaveSingleItem()).ShouldNotBeNull().ShouldStartWith($"{Embedder} ");
    }

    /// <param name="after">How many evictions come before the kill switch.</param>
    private Task<ActionResult> DrainPausedAsync(Preparation preparation, int after)
    {
        var found = Action(Drain);
        var context = ContextOf("inc-1") with { Time = new SkippingTime(Clock), FindPause = _ => Task.FromResult(after-- > 0 ? null : "The kill switch is on.") };
        return found.ApplyAsync(Bind(With(Sound), found.ParametersType), preparation, context, Cancel);
    }

    [Fact]
    public async Task KillSwitchWhileItDrains_StopsItThereAndWhatIsDoneIsKnown()
    {
        await RunAsync(Cordon, With(Sound));
        var preparation = await PrepareAsync(Drain, With(Sound));
        preparation.PlannedEffect.ShouldContain(" Now that is 2 pods with 2 GPUs, ");

        (await Should.ThrowAsync<StepPausedException>(() => DrainPausedAsync(preparation, after: 1))).Message
            .ShouldMatch($@"^The kill switch is on\. Before that, 1 pod was evicted from node {Sound} \([a-z]+/[a-z0-9-]+\); nothing was changed after it\.$");
        (await RequestsAsync()).Count(request => request.EndsWith("/eviction", StringComparison.Ordinal)).ShouldBe(1);

        (await ApplyAsync(Drain, With(Sound), preparation, interrupted: preparation)).Result.ShouldMatch($@"^Evicted 2 pods from node {Sound}: chat/chat-vllm-[a-z0-9-]+, inference/llm-b-0\.");
    }

    [Fact]
    public async Task KillSwitchBeforeTheFirstPodIsEvicted_IsWaitedFor()
    {
        await RunAsync(Cordon, With(Sound));
        var preparation = await PrepareAsync(Drain, With(Sound));

        (await Should.ThrowAsync<AttemptFailedException>(() => DrainPausedAsync(preparation, after: 0))).IsBusy.ShouldBeTrue();
        (await RequestsAsync()).ShouldNotContain(request => request.EndsWith("/eviction", StringComparison.Ordinal));
    }
}
