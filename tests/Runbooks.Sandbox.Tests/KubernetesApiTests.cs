using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Runbooks.Sandbox.Tests;

/// <summary>Through the typed client that production uses: what it understands here it understands there.</summary>
public sealed class KubernetesApiTests : OnVirtualSandbox
{
    private const string Ns = "inference";
    private IKubernetes? _client;

    private IKubernetes Client => _client ??= new Kubernetes(new KubernetesClientConfiguration { Host = $"{Http.BaseAddress}kubernetes/b" });

    private Task<V1Pod> ReadAsync(string name) => Client.CoreV1.ReadNamespacedPodAsync(name, Ns, cancellationToken: Cancel);

    private Task<V1Eviction> EvictAsync(string name, string? uid = null) => Client.CoreV1.CreateNamespacedPodEvictionAsync(
        new V1Eviction
        {
            ApiVersion = "policy/v1",
            Kind = "Eviction",
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Ns },
            DeleteOptions = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = uid } },
        },
        name,
        Ns,
        cancellationToken: Cancel);

    private static bool IsReady(V1Pod pod) => pod.Status.Conditions.Single(condition => condition.Type == "Ready").Status == "True";

    private async Task<string> LogAsync(string name, bool previous = false, int? tail = null, string? container = null, int? limit = null)
    {
        using var reader = new StreamReader(await Client.CoreV1.ReadNamespacedPodLogAsync(
            name, Ns, previous: previous, tailLines: tail, container: container, limitBytes: limit, cancellationToken: Cancel));
        return await reader.ReadToEndAsync(Cancel);
    }

    [Fact]
    public async Task Pod_IsReadAsTheRealOneIs()
    {
        var pod = await ReadAsync("llm-b-0");

        pod.Metadata.OwnerReferences.ShouldHaveSingleItem().Kind.ShouldBe("StatefulSet");
        pod.Spec.Containers.Single().Resources.Limits["nvidia.com/gpu"].ToInt32().ShouldBe(1);
        (pod.Status.Phase, IsReady(pod)).ShouldBe(("Running", true));
    }

    [Fact]
    public async Task List_ComesInPagesOfOneMoment()
    {
        var whole = (await Client.CoreV1.ListNamespacedPodAsync(Ns, cancellationToken: Cancel)).Items.Select(pod => pod.Metadata.Uid).ToList();
        var first = await Client.CoreV1.ListNamespacedPodAsync(Ns, limit: 2, cancellationToken: Cancel);
        await Client.CoreV1.DeleteNamespacedPodAsync("llm-b-1", Ns, cancellationToken: Cancel);
        Clock.Advance(TimeSpan.FromMinutes(1));

        var rest = await Client.CoreV1.ListNamespacedPodAsync(Ns, limit: 500, continueParameter: first.Metadata.ContinueProperty, cancellationToken: Cancel);

        (first.Items.Count, first.Metadata.RemainingItemCount).ShouldBe((2, whole.Count - 2));
        first.Items.Concat(rest.Items).Select(pod => pod.Metadata.Uid).ShouldBe(whole);
        rest.Metadata.ContinueProperty.ShouldBeNull();
    }

    [Theory]
    [InlineData("llm-b-5")]
    [InlineData("llm-b-123456")]
    public async Task AnyGpuPodThatIsAskedFor_Exists(string name) => (await ReadAsync(name)).Metadata.Name.ShouldBe(name);

    [Theory]
    [InlineData("llm-a-0")]
    [InlineData("llm-b-x")]
    [InlineData("llm-b-1234567")]
    public async Task AnyOtherPod_IsNotFound(string name)
    {
        var missing = await Should.ThrowAsync<HttpOperationException>(() => ReadAsync(name));

        missing.Response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        KubernetesJson.Deserialize<V1Status>(missing.Response.Content).Reason.ShouldBe("NotFound");
    }

    [Fact]
    public async Task Eviction_BringsANewUidThatBecomesReady()
    {
        var old = await ReadAsync("llm-b-0");

        await EvictAsync("llm-b-0");

        var leaving = await ReadAsync("llm-b-0");
        (leaving.Metadata.Uid, leaving.Metadata.DeletionTimestamp is null).ShouldBe((old.Metadata.Uid, false));
        Clock.Advance(TimeSpan.FromSeconds(0.6));
        var pending = await ReadAsync("llm-b-0");
        pending.Metadata.Uid.ShouldNotBe(old.Metadata.Uid);
        (pending.Status.Phase, IsReady(pending)).ShouldBe(("Pending", false));
        Clock.Advance(TimeSpan.FromSeconds(0.4));
        // It loads its model: it runs, and neither answers nor is ready.
        var loading = await ReadAsync("llm-b-0");
        (loading.Status.Phase, IsReady(loading), loading.Status.ContainerStatuses[0].State.Running is null).ShouldBe(("Running", false, false));
        (await JsonAsync("/prometheus/api/v1/query?query=up{pod=\"llm-b-0\"}")).GetProperty("data").GetProperty("result")[0].GetProperty("value")[1].GetString().ShouldBe("0");
        Clock.Advance(TimeSpan.FromSeconds(1));
        var ready = await ReadAsync("llm-b-0");
        (ready.Metadata.Uid, ready.Status.Phase, IsReady(ready)).ShouldBe((pending.Metadata.Uid, "Running", true));
        long.Parse(ready.Metadata.ResourceVersion).ShouldBeGreaterThan(long.Parse(old.Metadata.ResourceVersion));
    }

    [Fact]
    public async Task SecondEviction_WhileThePodLeaves_ChangesNothing()
    {
        await EvictAsync("llm-b-0");
        await EvictAsync("llm-b-0");

        (await JsonAsync("/_sandbox/state")).GetProperty("apis").GetProperty("kubernetes").GetProperty("b").GetProperty("deletions").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task OtherUidThanThePrecondition_IsAConflict()
    {
        var conflict = await Should.ThrowAsync<HttpOperationException>(() => EvictAsync("llm-b-0", "other"));

        conflict.Response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var status = KubernetesJson.Deserialize<V1Status>(conflict.Response.Content);
        status.Message.ShouldStartWith("Operation cannot be fulfilled on Pod \"llm-b-0\": the UID in the precondition (other) does not match the UID in record (");
        (status.Details.Name, status.Details.Group, status.Details.Kind).ShouldBe(("llm-b-0", null, "Pod"));
    }

    /// <summary>In the words of the API server.</summary>
    [Theory]
    [InlineData("api/v1/nodes/aks-gpu-24815391-vmss000000", "uid", 422, "Node \"aks-gpu-24815391-vmss000000\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable", null, "Node")]
    [InlineData("apis/apps/v1/namespaces/chat/deployments/chat-vllm", "uid", 422, "Deployment.apps \"chat-vllm\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable", "apps", "Deployment")]
    [InlineData("apis/apps/v1/namespaces/chat/deployments/chat-vllm/scale", "uid", 409, "Operation cannot be fulfilled on deployments/scale.apps \"chat-vllm\": Precondition failed: UID in precondition: 1, UID in object meta: ", "apps", "deployments/scale")]
    [InlineData("apis/apps/v1/namespaces/chat/deployments/chat-vllm/scale", "resourceVersion", 409, "Operation cannot be fulfilled on deployments.apps \"chat-vllm\": the object has been modified; please apply your changes to the latest version and try again", "apps", "deployments")]
    [InlineData("apis/apps/v1/namespaces/chat/deployments/gone", "uid", 404, "deployments.apps \"gone\" not found", "apps", "deployments")]
    public async Task PatchOfAnotherOne_IsRefused(string path, string field, int code, string words, string? group, string kind)
    {
        using var before = await Http.GetAsync($"/kubernetes/b/{path}", Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Patch, before.RequestMessage!.RequestUri)
        {
            Content = new StringContent($$$"""{"metadata":{"{{{field}}}":"1"},"spec":{"unschedulable":true,"replicas":7}}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/merge-patch+json")),
        };

        using var answer = await Http.SendAsync(request, Cancel);

        ((int)answer.StatusCode).ShouldBe(code);
        var status = KubernetesJson.Deserialize<V1Status>(await answer.Content.ReadAsStringAsync(Cancel));
        status.Message.ShouldStartWith(words);
        (status.Details.Group, status.Details.Kind).ShouldBe((group, kind));
        using var after = await Http.GetAsync(request.RequestUri, Cancel);
        (await after.Content.ReadAsStringAsync(Cancel)).ShouldBe(await before.Content.ReadAsStringAsync(Cancel));
    }

    [Theory]
    [InlineData("deployment", "chat", "chat-vllm", 2, 3)]
    [InlineData("statefulset", "inference", "llm-b", 1, 2)]
    public async Task RolloutRestart_ReplacesAFewAtATime(string kind, string ns, string name, int fewestReady, int mostPods)
    {
        var label = $"app={name}";
        async Task<IList<V1Pod>> PodsAsync() => (await Client.CoreV1.ListNamespacedPodAsync(ns, labelSelector: label, cancellationToken: Cancel)).Items;
        var old = (await PodsAsync()).Select(pod => pod.Metadata.Uid).ToList();
        var patch = new V1Patch("""{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}""", V1Patch.PatchType.MergePatch);
        await (kind == "deployment"
            ? Client.AppsV1.PatchNamespacedDeploymentAsync(patch, name, ns, cancellationToken: Cancel)
            : (Task)Client.AppsV1.PatchNamespacedStatefulSetAsync(patch, name, ns, cancellationToken: Cancel));

        var mixed = false;
        for (var i = 0; i < 20; i++)
        {
            var there = (await PodsAsync()).Where(pod => pod.Metadata.DeletionTimestamp is null).ToList();
            there.Count(IsReady).ShouldBeInRange(fewestReady, mostPods);
            there.Count.ShouldBeLessThanOrEqualTo(mostPods);
            mixed |= there.Exists(pod => IsReady(pod) && old.Contains(pod.Metadata.Uid)) && there.Exists(pod => !old.Contains(pod.Metadata.Uid));
            Clock.Advance(TimeSpan.FromMilliseconds(250));
        }

        mixed.ShouldBeTrue("an old one still serves when the first new one has begun");
        (await PodsAsync()).ShouldAllBe(pod => !old.Contains(pod.Metadata.Uid) && IsReady(pod));
    }

    [Fact]
    public async Task DisruptionBudget_HitsTheEvictionOnly()
    {
        await FaultAsync(new { api = "kubernetes", kind = "429" });

        await ReadAsync("llm-b-0");
        var refused = await Should.ThrowAsync<HttpOperationException>(() => EvictAsync("llm-b-0"));

        refused.Response.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        KubernetesJson.Deserialize<V1Status>(refused.Response.Content).Details.Causes.Single().Reason.ShouldBe("DisruptionBudget");
    }

    [Fact]
    public async Task OldLog_RemainsAsPrevious()
    {
        var before = await LogAsync("llm-b-0");

        await EvictAsync("llm-b-0");
        Clock.Advance(TimeSpan.FromSeconds(2));

        before.ShouldContain("CUDA out of memory");
        (await LogAsync("llm-b-0", previous: true)).ShouldBe(before);
        (await LogAsync("llm-b-0")).ShouldBe("INFO loading model weights\nINFO model loaded, ready to serve\n");
    }

    [Fact]
    public async Task Log_IsCutAsAsked()
    {
        (await LogAsync("llm-b-0", tail: 1)).ShouldBe("WARNING engine loop has not advanced for 10 s, 48 requests waiting\n");
        (await LogAsync("llm-b-0", limit: 7)).Length.ShouldBe(7);
        (await Should.ThrowAsync<HttpOperationException>(() => LogAsync("llm-b-0", container: "sidecar"))).Response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Should.ThrowAsync<HttpOperationException>(() => LogAsync("llm-b-1", previous: true))).Response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("app=llm-b", null, 2)]
    [InlineData("app!=llm-b", null, 2)]
    [InlineData(null, "metadata.name=llm-b-1", 1)]
    [InlineData("app", "status.phase=Running", 4)]
    public async Task List_HonoursSelectors(string? labels, string? fields, int count) =>
        (await Client.CoreV1.ListNamespacedPodAsync(Ns, labelSelector: labels, fieldSelector: fields, cancellationToken: Cancel)).Items.Count.ShouldBe(count);

    [Fact]
    public async Task OtherNamespace_IsEmpty() =>
        (await Client.CoreV1.ListNamespacedPodAsync("default", cancellationToken: Cancel)).Items.ShouldBeEmpty();

    [Fact]
    public async Task Events_TellWhatHappenedToThePod()
    {
        await Client.CoreV1.DeleteNamespacedPodAsync("llm-b-0", Ns, cancellationToken: Cancel);

        var events = await Client.CoreV1.ListNamespacedEventAsync(Ns, fieldSelector: "involvedObject.name=llm-b-0", cancellationToken: Cancel);

        events.Items.Select(each => each.Reason).ShouldBe(["Scheduled", "Started", "Killing"]);
    }
}
