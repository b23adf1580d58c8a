using System.Net;

namespace Runbooks.Web.Tests.Decisions;

/// <content>Posts that are not the form of the page.</content>
public sealed partial class DecidePageTests
{
    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Origin", "https://evil.example", false)]
    [InlineData("Origin", "null", true)]
    public async Task PostFromAnotherSite_IsRefused(string header, string value, bool allowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _link) { Content = WebHost.Form("approve") };
        request.Headers.Add(header, value);

        var answer = await _host.Browser.SendAsync(request, Ct);

        answer.StatusCode.ShouldBe(allowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        (_host.Store.All[0].OpenGate is null).ShouldBe(allowed);
    }

    [Theory]
    [InlineData("application/json", "{\"decision\":\"approve\"}")]
    [InlineData("application/x-www-form-urlencoded", "decision=perhaps")]
    [InlineData("application/x-www-form-urlencoded", "")]
    [InlineData("multipart/form-data; boundary=x", "garbage")]
    public async Task PostThatIsNotTheForm_DecidesNothing(string type, string body)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);

        (await _host.Browser.PostAsync(_link, content, Ct)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
    }

    [Fact]
    public async Task HugeForm_IsRefused()
    {
        var answer = await PostAsync("approve", new string('x', 100_000));

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
    }
}
