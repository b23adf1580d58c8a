using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>What answers in the place of an API server may say anything, and as much as it likes.</summary>
public sealed class ForeignAnswersTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswerThatDoesNotEnd_IsReadNoFurtherThanToTheLimit()
    {
        var part = new byte[1024 * 1024];
        part.AsSpan().Fill((byte)' ');
        var said = await AskAsync(async context =>
        {
            for (var sent = 0; sent <= BoundedAnswers.LargestAnswer; sent += part.Length)
            {
                await context.Response.Body.WriteAsync(part, context.RequestAborted);
            }

            await context.Response.WriteAsync("""{"metadata":{"name":"llm-b-0"}}""");
        });

        said.ShouldStartWith("Cluster 'b' is reached to get pod inference/llm-b-0, but answers with more than is read: ");
    }

    /// <summary>It could lead to an address that only this machine reaches.</summary>
    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        await using var other = await AnsweringServer.StartAsync();

        var said = await AskAsync(context =>
        {
            context.Response.Redirect($"{other.Url}/latest/meta-data");
            return Task.CompletedTask;
        });

        said.ShouldStartWith("Cluster 'b' answered 302 to: get pod inference/llm-b-0.");
        other.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"metadata":{}}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("<h1>Sign in</h1>")]
    public async Task AnswerThatIsNoPod_IsSaidToBeNone(string body) =>
        (await AskAsync(context => context.Response.WriteAsync(body))).ShouldBe("Cluster 'b' answered to: get pod inference/llm-b-0, and not as its API does.");

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"items":[{}]}""")]
    public async Task AnswerThatIsNoList_IsSaidToBeNone(string body) =>
        (await AskAsync(context => context.Response.WriteAsync(body), async pods => await pods.ListAsync("inference", Cancel)))
            .ShouldBe("Cluster 'b' answered to: list pods in inference, and not as its API does.");

    private static async Task<string> AskAsync(Func<HttpContext, Task> answer, Func<ClusterPods, Task>? ask = null)
    {
        await using var server = await AnsweringServer.StartAsync();
        server.Answer = context =>
        {
            context.Response.ContentType = "application/json";
            return answer(context);
        };
        await using var services = server.Services(services => services.AddKubernetes(), ("Kubernetes:Clusters:b:Server", server.Url), ("OutboundHttp:Retries", "0"));
        var pods = services.GetRequiredService<Clusters>().Pods("b");
        return (await Should.ThrowAsync<ClusterException>(() => ask?.Invoke(pods) ?? pods.FindAsync("inference", "llm-b-0", Cancel))).Message;
    }
}
