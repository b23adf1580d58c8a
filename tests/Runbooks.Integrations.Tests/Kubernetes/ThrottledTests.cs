using System.Net;
using System.Text;
using k8s;
using k8s.Models;
using Runbooks.Integrations.Kubernetes;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>429 is what an API server says that has too much to do; only with its cause it is a disruption budget.</summary>
public sealed class ThrottledTests
{
    private const string Budget = """
        {"kind":"Status","apiVersion":"v1","status":"Failure","message":"Cannot evict pod as it would violate the pod's disruption budget.","reason":"TooManyRequests",
        "details":{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget llm needs 2 healthy pods and has 2 currently"}]},"code":429}
        """;

    private const string Throttled = """
        {"kind":"Status","apiVersion":"v1","status":"Failure","message":"The server has received too many requests and has asked us to try again later","reason":"TooManyRequests","details":{"retryAfterSeconds":1},"code":429}
        """;

    [Fact]
    public async Task ForbiddenByABudget_IsABudget() => (await EvictAsync(Budget)).ShouldBe(EvictionOutcome.Budget);

    [Theory]
    [InlineData(Throttled)]
    [InlineData("Too many requests, please try again later.\n")]
    [InlineData("")]
    public async Task ApiServerWithTooMuchToDo_IsNoBudget(string answer)
    {
        var busy = await Should.ThrowAsync<ClusterException>(() => EvictAsync(answer));

        (busy.Message.Contains("too much to do", StringComparison.Ordinal), busy.NothingDone).ShouldBe((true, true));
    }

    private static async Task<EvictionOutcome> EvictAsync(string answer)
    {
        using var connection = new ConfiguredConnection(() => new k8s.Kubernetes(new KubernetesClientConfiguration { Host = "http://cluster.example" }, new Answering(answer)), TimeProvider.System);
        var pods = new ClusterPods(new ClusterCalls(connection, "b", ClusterPods.Role));
        return await pods.EvictAsync("inference", "llm-b-0", new V1DeleteOptions(), TestContext.Current.CancellationToken);
    }

    private sealed class Answering(string answer) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.TooManyRequests) { RequestMessage = request, Content = new StringContent(answer, Encoding.UTF8, "application/json") });
    }
}
