using System.Net;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Models;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>What the admission of a cluster answers: no role lifts that, and what is asked for is what was approved.</summary>
public sealed class DeniedTests
{
    /// <summary>A policy of Gatekeeper, one of the API server's own that gives no reason, and one of Kyverno.</summary>
    [Theory]
    [InlineData(HttpStatusCode.Forbidden, "Forbidden", "admission webhook \"validation.gatekeeper.sh\" denied the request: [azurepolicy-k8sazurev1antiaffinityrules-d81f] Deployment with 5 replicas should have either podAntiAffinity or topologySpreadConstraints")]
    [InlineData(HttpStatusCode.UnprocessableEntity, "Invalid", "deployments.apps \"chat-vllm\" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: failed expression: object.spec.replicas <= 4")]
    [InlineData(HttpStatusCode.BadRequest, "BadRequest", "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource Deployment/chat/chat-vllm was blocked due to the following policies")]
    [InlineData(HttpStatusCode.Conflict, "Conflict", "admission webhook \"freeze.example.com\" denied the request: no changes on a Friday")]
    public async Task PolicyThatDenies_IsNoMissingRoleAndNoOtherDeployment(HttpStatusCode status, string reason, string words)
    {
        using var connection = new ConfiguredConnection(() => new k8s.Kubernetes(new KubernetesClientConfiguration { Host = "http://cluster.example" }, new Answering(status, reason, words)), TimeProvider.System);
        var calls = new ClusterCalls(connection, "b", ClusterDeployments.Role);
        var cancel = TestContext.Current.CancellationToken;

        (await Should.ThrowAsync<StepRefusedException>(() => new ClusterDeployments(calls).ScaleAsync("chat", "chat-vllm", "the-uid", 5, cancel))).Message
            .ShouldBe($"A policy of cluster 'b' denied the request ({(int)status}) to scale deployment chat/chat-vllm, and no role changes that. The cluster says: {words}");
        (await Should.ThrowAsync<StepRefusedException>(() => new ClusterPods(calls).EvictAsync("chat", "chat-vllm-1", new V1DeleteOptions { Preconditions = new() { Uid = "the-uid" } }, cancel))).Message
            .ShouldStartWith($"A policy of cluster 'b' denied the request ({(int)status}) to evict pod chat/chat-vllm-1, ");
    }

    private sealed class Answering(HttpStatusCode status, string reason, string message) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = JsonSerializer.Serialize(new { kind = "Status", apiVersion = "v1", status = "Failure", message, reason, code = (int)status });
            return Task.FromResult(new HttpResponseMessage(status) { RequestMessage = request, Content = new StringContent(answer, Encoding.UTF8, "application/json") });
        }
    }
}
