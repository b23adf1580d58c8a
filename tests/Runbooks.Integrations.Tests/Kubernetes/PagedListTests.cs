using System.Net;
using System.Text;
using System.Web;
using k8s;
using k8s.Models;
using Runbooks.Integrations.Kubernetes;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>An API server gives a list in pages, and what is looked for may stand on any of them.</summary>
public sealed class PagedListTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<T> AskAsync<T>(int pages, Func<ClusterCalls, Task<T>> ask)
    {
        using var connection = new ConfiguredConnection(() => new k8s.Kubernetes(new KubernetesClientConfiguration { Host = "http://cluster.example" }, new Paging(pages)), TimeProvider.System);
        return await ask(new ClusterCalls(connection, "b", ClusterPods.Role));
    }

    [Fact]
    public async Task PodsOfANamespace_AreThoseOfAllPages() =>
        (await AskAsync(3, calls => new ClusterPods(calls).ListAsync("inference", Cancel))).Select(pod => pod.Metadata.Name).ShouldBe(["o0", "o1", "o2"]);

    [Fact]
    public async Task PodsOfANode_AreThoseOfAllPages() =>
        (await AskAsync(3, calls => new ClusterNodes(calls).PodsAsync("n", Cancel))).Select(pod => pod.Metadata.Name).ShouldBe(["o0", "o1", "o2"]);

    [Fact]
    public async Task AutoscalerOnTheLastPage_IsFound() =>
        (await AskAsync(3, calls => new ClusterDeployments(calls).FindAutoscalerAsync("inference", "d2", Cancel))).ShouldBe(("o2", true));

    [Fact]
    public async Task ListThatIsTooLong_IsNoGuess() =>
        (await Should.ThrowAsync<ClusterException>(() => AskAsync(int.MaxValue, calls => new ClusterPods(calls).ListAsync("inference", Cancel)))).Message
            .ShouldBe("Cluster 'b' has more than 10000 objects to look through to list pods in inference, and the one that is meant may be among the others.");

    private sealed class Paging(int pages) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
            query["limit"].ShouldBe("500");
            var page = int.Parse(query["continue"] ?? "0", System.Globalization.CultureInfo.InvariantCulture);
            var body = $$$$"""{"metadata":{"continue":"{{{{(page + 1 < pages ? page + 1 : "")}}}}"},"items":[{"metadata":{"name":"o{{{{page}}}}"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d{{{{page}}}}"}}}]}""";
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent(body, Encoding.UTF8, "application/json") });
        }
    }
}
