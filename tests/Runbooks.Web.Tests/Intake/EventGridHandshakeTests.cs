using System.Net;

namespace Runbooks.Web.Tests.Intake;

public sealed class EventGridHandshakeTests : IAsyncLifetime
{
    private const string Validation = """
        [{"id":"2d1781af","topic":"/subscriptions/s","subject":"","data":{"validationCode":"512d38b6","validationUrl":"https://rp.eventgrid.azure.net/x"},
        "eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-11-25T22:00:00Z","metadataVersion":"1","dataVersion":"1"}]
        """;

    private readonly WebHost _host = new();

    [Fact]
    public async Task ValidationEvent_IsAnsweredWithItsCode()
    {
        var answer = await PostAsync("event-grid", Validation);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldBe("""{"validationResponse":"512d38b6"}""");
        _host.Store.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("azure-monitor")]
    [InlineData("generic")]
    [InlineData("alertmanager")]
    public async Task ValidationEventAtAnotherSender_NamesTheRightAddress(string source)
    {
        var answer = await PostAsync(source, Validation);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("/api/alerts/event-grid");
    }

    [Fact]
    public async Task OptionsRequest_IsPermitted()
    {
        var answer = await AskAsync("event-grid", "eventgrid.azure.net");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.GetValues("WebHook-Allowed-Origin").ShouldBe(["eventgrid.azure.net"]);
        answer.Headers.GetValues("WebHook-Allowed-Rate").ShouldBe(["*"]);
        answer.Content.Headers.Allow.ShouldBe(["POST", "OPTIONS"]);
    }

    [Theory]
    [InlineData("event-grid", null, HttpStatusCode.BadRequest)]
    [InlineData("event-grid", "a b", HttpStatusCode.BadRequest)]
    [InlineData("generic", "eventgrid.azure.net", HttpStatusCode.MethodNotAllowed)]
    public async Task OptionsRequestThatAsksForNothing_IsNotPermitted(string source, string? origin, HttpStatusCode status)
    {
        var answer = await AskAsync(source, origin);

        answer.StatusCode.ShouldBe(status);
        answer.Headers.Contains("WebHook-Allowed-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task OptionsRequestWithoutTheKey_IsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/alerts/event-grid");
        request.Headers.Add("WebHook-Request-Origin", "eventgrid.azure.net");

        (await _host.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> PostAsync(string source, string body)
    {
        using var content = new StringContent(body);
        return await _host.Api.PostAsync($"/api/alerts/{source}?code={WebHost.Key}", content, Ct);
    }

    private async Task<HttpResponseMessage> AskAsync(string source, string? origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, $"/api/alerts/{source}?code={WebHost.Key}");
        if (origin is not null)
        {
            request.Headers.Add("WebHook-Request-Origin", origin);
        }

        return await _host.Browser.SendAsync(request, Ct);
    }
}
