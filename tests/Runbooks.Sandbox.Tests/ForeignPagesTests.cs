using System.Net;
using System.Text;

namespace Runbooks.Sandbox.Tests;

public sealed class ForeignPagesTests : OnVirtualSandbox
{
    [Theory]
    [InlineData("/_sandbox/faults", "Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/faults", "Sec-Fetch-Site", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/faults", "Origin", "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/faults", "Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/faults", "Host", "evil.example", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/reset", "Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0/eviction", "Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("/_sandbox/faults", "X-Nothing", "to see", HttpStatusCode.NoContent)]
    [InlineData("/_sandbox/faults", "Sec-Fetch-Site", "same-origin", HttpStatusCode.NoContent)]
    public async Task PageOfAnotherSite_ChangesNothing(string path, string header, string value, HttpStatusCode status)
    {
        // What a form can send without being asked first.
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("""{"api":"kubernetes","kind":"429","count":1}""", Encoding.UTF8, "text/plain") };
        request.Headers.TryAddWithoutValidation(header, value);

        (await Http.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode.ShouldBe(status);
    }

    /// <summary>To the browser it is then of the same origin as what it asks, and without TLS that is all the browser says.</summary>
    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    public async Task PageUnderANameOfItsOwnThatLeadsHere_ChangesNothing(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0/eviction") { Content = new StringContent("{}", Encoding.UTF8, "text/plain") };
        request.Headers.Host = "evil.example";
        request.Headers.TryAddWithoutValidation(header, value);

        (await Http.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }
}
