using System.Net;
using TestKit;

namespace Runbooks.Web.Tests.Http;

public sealed class AnswerHeadersTests : IAsyncLifetime
{
    private readonly WebHost _host = new() { OpenPages = false };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/incidents", true, HttpStatusCode.OK)]
    [InlineData("/api/incidents", false, HttpStatusCode.Unauthorized)]
    [InlineData("/api/incidents/none", true, HttpStatusCode.NotFound)]
    [InlineData("/api/incidents?limit=x", true, HttpStatusCode.BadRequest)]
    [InlineData("/api/safety/kill", true, HttpStatusCode.MethodNotAllowed)]
    [InlineData("/nowhere", false, HttpStatusCode.NotFound)]
    [InlineData("/", false, HttpStatusCode.Unauthorized)]
    [InlineData("/healthz", false, HttpStatusCode.OK)]
    [InlineData("/assets/nothing.js", false, HttpStatusCode.NotFound)]
    public async Task EveryAnswer_IsWhatItSaysAndKeptNowhere(string address, bool withKey, HttpStatusCode status)
    {
        using var answer = await (withKey ? _host.Api : _host.Browser).GetAsync(new Uri(address, UriKind.Relative), Cancel);

        answer.StatusCode.ShouldBe(status);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Cache-Control").ShouldBe(["no-store"]);
    }

    [Fact]
    public async Task Asset_MayBeKeptAsItSays()
    {
        using var answer = await _host.Browser.GetAsync(new Uri("/assets/live.js", UriKind.Relative), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.CacheControl!.NoStore.ShouldBeFalse();
    }

    /// <summary>Whoever makes a browser or a proxy send another host's name must not have links, and the tokens in them, lead there.</summary>
    [Theory]
    [InlineData("/")]
    [InlineData("/incidents/{id}")]
    [InlineData("/decide?token={token}")]
    [InlineData("/api/incidents/{id}")]
    public async Task HostHeaderOfSomebodyElse_IsInNoAnswer(string address)
    {
        var incident = Some.Waiting();
        await _host.OpenAsync(incident);
        using var request = new HttpRequestMessage(HttpMethod.Get, address.Replace("{id}", incident.Id).Replace("{token}", _host.Token(incident)));
        request.Headers.Host = "evil.example:81";
        request.Headers.Add("X-Forwarded-Host", "evil.example");

        using var answer = await _host.Api.SendAsync(request, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        $"{answer.Headers}{await answer.Content.ReadAsStringAsync(Cancel)}".ShouldNotContain("evil.example");
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
