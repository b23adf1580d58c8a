using System.Net;
using System.Text;

namespace RunbookServer.Tests.EndToEnd;

public sealed class KeyTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("not-the-key")]
    public async Task WithoutTheKey_TheApiIsClosedAndPracticePagesAreOpen(string? key)
    {
        await using var host = await RunningHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Client.Http.BaseAddress };
        if (key is not null)
        {
            http.DefaultRequestHeaders.Add("X-Api-Key", key);
        }

        async Task<HttpStatusCode> PostAsync(string path, string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }

        async Task<HttpStatusCode> GetAsync(string path)
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }

        (await PostAsync("api/alerts/alertmanager", SomeAlert.Stuck("llm-b-0"))).ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsync("api/runbooks/hanged-gpu/incidents", "{}")).ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsync("api/incidents/any/decision", """{"decision":"approve","by":"me"}""")).ShouldBe(HttpStatusCode.Unauthorized);
        (await PostAsync("api/incidents/any/cancel", """{"by":"me","reason":"no"}""")).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync("api/incidents")).ShouldBe(HttpStatusCode.Unauthorized);
        (await GetAsync("")).ShouldBe(HttpStatusCode.OK);
        (await GetAsync("healthz")).ShouldBe(HttpStatusCode.OK);
        (await GetAsync("readyz")).ShouldBe(HttpStatusCode.OK);
        (await host.Client.GetAsync("api/incidents"))["incidents"]!.AsArray().ShouldBeEmpty();
    }
}
