using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class RecyclePodTests : OnTheSandbox
{
    private const string Recycle = "kubernetes.recyclePod";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    private static object With(string pod = "llm-b-0", bool keepLogs = true, string onBudget = "refuse") =>
        new { @namespace = "inference", pod, keepLogs, onBudget };

    /// <summary>UIDs differ from run to run.</summary>
    private async Task ShouldHaveSentAsync(string golden, string? uid)
    {
        var (request, body) = (await SentAsync())[^1];
        request.ShouldStartWith(golden == "evict" ? "POST /kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0/eviction" : "DELETE /kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0");
        JsonSerializer.Deserialize<JsonElement>(body.GetRawText().Replace(uid.ShouldNotBeNull(), "the-approved-uid")).ShouldBeGolden(golden);
    }

    private async Task<int> DeletionsAsync() =>
        (await StateAsync()).GetProperty("apis").GetProperty("kubernetes").GetProperty("b").GetProperty("deletions").GetInt32();

    [Fact]
    public async Task Preparing_TouchesNothingAndSaysWhatWillHappen()
    {
        var preparation = await PrepareAsync(Recycle, With());

        preparation.Refusal.ShouldBeNull();
        preparation.PlannedEffect.ShouldBe($"Recycle pod inference/llm-b-0 on cluster b: keep its last logs, evict it and wait until the replacement is ready. It needs a place with 1 GPU; whether there is room is not looked at.");
        (await RequestsAsync()).ShouldEach(request => request.StartsWith("GET "));
    }

    [Fact]
    public async Task HungPod_IsReplacedByAReadyOneAndItsLogsAreKept()
    {
        var preparation = await PrepareAsync(Recycle, With());

        var result = await ApplyAsync(Recycle, With(), preparation);

        result.Outputs["newPod"].ShouldBe("llm-b-0");
        result.Outputs["newUid"].ShouldNotBe(preparation.Identity);
        var log = result.Evidence.ShouldHaveSingleItem();
        log.ShouldStartWith("inc-1/llm-b-0-");
        Evidence.TextOf(log).ShouldNotBeNull().ShouldContain("CUDA out of memory");
        result.Result.ShouldContain("Evicted pod inference/llm-b-0");
        result.Result.ShouldContain("Its last logs are kept.");
        (await AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-0" })).Verdict.ShouldBe(Verdict.Passing);
        (await DeletionsAsync()).ShouldBe(1);
        await ShouldHaveSentAsync("evict", preparation.Identity);
    }

    [Fact]
    public async Task Eviction_NamesTheUidThatWasApproved()
    {
        var stale = (await PrepareAsync(Recycle, With())) with { Identity = "11111111-1111-1111-1111-111111111111" };

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Recycle, With(), stale));

        refused.Message.ShouldContain("no longer the one that was approved");
        refused.NothingDone.ShouldBeTrue();
        (await DeletionsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task PodWithoutController_IsRefused()
    {
        var preparation = await PrepareAsync(Recycle, With("debug-shell"));

        preparation.Refusal.ShouldBe("No controller owns this pod, so nothing would bring it back.");
    }

    /// <summary>Of the kind that the sandbox has none of.</summary>
    [Fact]
    public void StaticPod_IsRefused() => RecyclePod
        .Refusal(new() { Namespace = "kube-system", Pod = "etcd-0" }, new() { Metadata = new() { OwnerReferences = [new() { Kind = "Node", Controller = true }] } })
        .ShouldBe("This is a static pod of its node; evicting it does not restart it.");

    /// <summary>The sandbox has none. To its controller a pod that was evicted is one that has failed.</summary>
    [Fact]
    public async Task PodOfAJob_IsToldToLoseItsWork() => (await PodRoom.CostOfOneAsync(
        Services.GetRequiredService<Clusters>().Pods("b"),
        new() { Metadata = new() { Name = "ft-llama-xyz12", NamespaceProperty = "train", OwnerReferences = [new() { Kind = "Job", Name = "ft-llama", Uid = "the-job", Controller = true }] }, Spec = new() { Containers = [] } },
        Cancel)).ShouldBe(" It belongs to a job: what it has done since its last checkpoint is lost, and a job that has no try left may end as failed.");

    [Theory]
    [InlineData("tokenizer-7d9f8c6b5d-x2x4v", " It needs a place; whether there is room is not looked at. Its controller has no other pod that is ready.")]
    [InlineData("llm-b-1", " It needs a place with 1 GPU; whether there is room is not looked at.")]
    public async Task OnlyReadyPodOfItsController_IsToldToBeThat(string pod, string end) =>
        (await PrepareAsync(Recycle, With(pod))).PlannedEffect.ShouldEndWith(end);

    [Fact]
    public async Task PodThatIsChangedAtTheSameMoment_IsTriedAgain()
    {
        var preparation = await PrepareAsync(Recycle, With());
        await FaultAsync("kubernetes", "409", on: "/eviction");

        (await Should.ThrowAsync<ClusterException>(() => ApplyAsync(Recycle, With(), preparation))).Message.ShouldContain("the object has been modified");
        (await ApplyAsync(Recycle, With(), preparation, interrupted: preparation)).Result.ShouldStartWith("Evicted pod inference/llm-b-0");
    }

    /// <summary>It waits for a machine, and so would the one in its place, behind all others.</summary>
    [Theory]
    [InlineData(null, "No machine has taken this pod yet, and another one would wait in the same line.")]
    [InlineData("aks-gpu-24815391-vmss000000", null)]
    public void PodThatNoMachineHasTaken_IsRefused(string? node, string? why) => RecyclePod
        .Refusal(new() { Namespace = "inference", Pod = "llm-b-0" }, new()
        {
            Metadata = new() { OwnerReferences = [new() { Kind = "StatefulSet", Controller = true }] },
            Spec = new() { NodeName = node },
            Status = new() { Phase = "Pending" },
        })
        .ShouldBe(why);

    [Fact]
    public async Task MissingPod_IsRefused() =>
        (await PrepareAsync(Recycle, With("nobody"))).Refusal.ShouldNotBeNull().ShouldContain("nothing to recycle");

    [Fact]
    public async Task DisruptionBudget_RefusesByDefault()
    {
        await FaultAsync("kubernetes", "429");
        var preparation = await PrepareAsync(Recycle, With());

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Recycle, With(), preparation));

        refused.Message.ShouldContain("disruption budget");
        refused.NothingDone.ShouldBeTrue();
        (await DeletionsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task DisruptionBudget_IsOverriddenByChoice()
    {
        await FaultAsync("kubernetes", "429");
        var with = With(onBudget: "delete");
        var preparation = await PrepareAsync(Recycle, with);

        var result = await ApplyAsync(Recycle, with, preparation);

        preparation.PlannedEffect.ShouldContain("delete it if a disruption budget objects");
        result.Result.ShouldContain("against a disruption budget");
        (await DeletionsAsync()).ShouldBe(1);
        await ShouldHaveSentAsync("delete", preparation.Identity);
    }

    [Fact]
    public async Task MissingRole_IsSaidInWords()
    {
        var preparation = await PrepareAsync(Recycle, With());
        await FaultAsync("kubernetes", "403", on: "/eviction");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Recycle, With(), preparation));

        refused.Message.ShouldContain("This identity may not evict pod inference/llm-b-0 on cluster 'b'");
        refused.Message.ShouldContain("Azure Kubernetes Service RBAC Writer");
        refused.NothingDone.ShouldBeTrue();
    }

    [Fact]
    public async Task LogsThatCannotBeRead_DoNotKeepAZombieAlive()
    {
        var preparation = await PrepareAsync(Recycle, With());
        await FaultAsync("kubernetes", "500", on: "/log");

        var result = await ApplyAsync(Recycle, With(), preparation);

        result.Evidence.ShouldBeEmpty();
        result.Result.ShouldContain("Its logs could not be kept");
        (await DeletionsAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task FaultsWhileWaiting_AreSteppedOver()
    {
        var first = await PrepareAsync(Recycle, With());
        await ApplyAsync(Recycle, With(), first);
        await FaultAsync("kubernetes", "500", count: 12, skip: 1, on: "/pods/llm-b-0");

        var result = await ApplyAsync(Recycle, With(), first, interrupted: first);

        var pod = await Http.GetFromJsonAsync<JsonElement>("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        result.Outputs["newUid"].ShouldBe(pod.GetProperty("metadata").GetProperty("uid").GetString());
        result.Outputs["newUid"].ShouldNotBe(first.Identity);
        (await StateAsync()).GetProperty("faults").GetArrayLength().ShouldBe(0, "it met every one of them");
    }

    [Fact]
    public async Task InterruptedWhileThePodOfAStatefulSetIsAway_DoesNotTakeANeighbourForItsReplacement()
    {
        var first = await PrepareAsync(Recycle, With());
        await ApplyAsync(Recycle, With(), first);
        await FaultAsync("kubernetes", "404", count: 2, on: "/pods/llm-b-0");

        var result = await ApplyAsync(Recycle, With(), first, interrupted: first);

        result.Outputs["newPod"].ShouldBe("llm-b-0");
    }

    [Fact]
    public async Task InterruptedAfterTheEviction_OnlyWaitsAndFindsTheLogs()
    {
        var first = await PrepareAsync(Recycle, With());
        var log = (await ApplyAsync(Recycle, With(), first)).Evidence.ShouldHaveSingleItem();

        var again = await PrepareAsync(Recycle, With(), interrupted: first);
        var result = await ApplyAsync(Recycle, With(), again, interrupted: first);

        again.ShouldBe(first);
        result.Result.ShouldStartWith("Gone when this attempt came to it, by an earlier attempt or by somebody else: pod inference/llm-b-0 (uid ");
        result.Evidence.ShouldBe([log]);
        (await DeletionsAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task InterruptedBeforeTheEviction_EvictsOnce()
    {
        var first = await PrepareAsync(Recycle, With());

        var result = await ApplyAsync(Recycle, With(), first, interrupted: first);

        result.Outputs["newUid"].ShouldNotBe(first.Identity);
        (await DeletionsAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task PodOfADeployment_IsReplacedUnderAnotherName()
    {
        var with = With("tokenizer-7d9f8c6b5d-x2x4v");
        var first = await PrepareAsync(Recycle, with);

        var result = await ApplyAsync(Recycle, with, first);

        result.Outputs["newPod"].ShouldStartWith("tokenizer-7d9f8c6b5d-");
        result.Outputs["newPod"].ShouldNotBe("tokenizer-7d9f8c6b5d-x2x4v");
        var again = await ApplyAsync(Recycle, with, first, interrupted: first);
        again.Outputs["newUid"].ShouldBe(result.Outputs["newUid"]);
        (await DeletionsAsync()).ShouldBe(1);
    }

    /// <summary>A replica set makes the new pod the moment the old one is being deleted, and not when it is gone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PodOfADeploymentThatDoesNotEnd_IsReplacedAllTheSame(bool isInterrupted)
    {
        const string Node = "/kubernetes/b/api/v1/nodes/aks-gpu-24815391-vmss000002";
        var with = new { @namespace = "search", pod = "embedder-6f7c9b4d88-k9q7d" };
        var first = await PrepareAsync(Recycle, with);
        await PatchAsync(Node, """{"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}}""");
        Clock.Advance(TimeSpan.FromMinutes(3));
        (await PrepareAsync(Recycle, with)).PlannedEffect.ShouldEndWith(" Its deletion was asked for 3 min ago.");
        var before = Clock.GetUtcNow();

        var result = await ApplyAsync(Recycle, with, first, interrupted: isInterrupted ? first : null);

        result.FoundSo.ShouldBe(!isInterrupted, "an attempt before may have asked for it");
        result.Result.ShouldStartWith("Was being deleted already: pod search/embedder-6f7c9b4d88-k9q7d ");
        result.Result.ShouldMatch(@" The old pod has not ended \d+ (s|min) after its time: the node does not answer, a process cannot be killed, or a finalizer keeps it\.$");
        result.Outputs["newPod"].ShouldStartWith("embedder-6f7c9b4d88-");
        result.Outputs["newPod"].ShouldNotBeOneOf("embedder-6f7c9b4d88-k9q7d", "embedder-6f7c9b4d88-x2x4v");
        (Clock.GetUtcNow() - before).ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("refuse", "POST /kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0/eviction")]
    [InlineData("delete", "DELETE /kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0")]
    public async Task Removal_NamesExactlyTheApprovedUidAndTheGrace(string onBudget, string request)
    {
        await FaultAsync("kubernetes", onBudget == "delete" ? "429" : "404", on: onBudget == "delete" ? "/eviction" : "nothing");
        var with = new { @namespace = "inference", pod = "llm-b-0", grace = "30s", onBudget };
        var preparation = await PrepareAsync(Recycle, with);

        await ApplyAsync(Recycle, with, preparation);

        (await RequestsAsync()).Count(each => each == request).ShouldBe(1);
        var last = (await StateAsync()).GetProperty("apis").GetProperty("kubernetes").GetProperty("b").GetProperty("lastDeletion");
        last.GetProperty("uid").GetString().ShouldBe(preparation.Identity);
        last.GetProperty("gracePeriodSeconds").GetInt32().ShouldBe(30);
    }
}
