using System.Net;
using System.Net.Http.Json;
using System.Text;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Intake;

public sealed class AlertsTests : IAsyncLifetime
{
    private const string Post = """
        {"version":"4","status":"firing","alerts":[{"status":"firing","fingerprint":"f1","labels":
        {"alertname":"HighLatency_Cluster_B","namespace":"inference","pod":"llm-b-0"},"annotations":{}}]}
        """;

    private readonly WebHost _host = new();

    [Fact]
    public async Task Alert_IsAcceptedWithItsIncident()
    {
        var answer = await PostAsync(Post);

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var incident = (await WebHost.JsonOf(answer)).GetProperty("incidents")[0];
        incident.GetProperty("outcome").GetString().ShouldBe("opened");
        incident.GetProperty("runbook").GetString().ShouldBe("hanged-gpu");
        incident.GetProperty("target").GetString().ShouldBe("inference/llm-b-0");
        incident.GetProperty("id").GetString().ShouldBe(_host.Store.All.ShouldHaveSingleItem().Id);
        incident.TryGetProperty("reason", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task StoreThatIsAway_IsAnswered503SoThatTheSenderTriesAgain()
    {
        _host.Store.Fault = () => new StoreUnavailableException("the disk is full at /secret/path");

        var answer = await PostAsync(Post);

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.ShouldNotBeNull();
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldNotContain("secret");
        _host.Store.Fault = null;
        (await PostAsync(Post)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task AnyFaultOfOurs_IsAnswered503()
    {
        _host.Engine.StartFault = () => new InvalidOperationException("unexpected");

        (await PostAsync(Post)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task CharsetOfTheRequest_SaysHowABodyIsReadThatIsNotUtf8()
    {
        using var body = new ByteArrayContent(Encoding.Latin1.GetBytes("""{"name":"HighLatency_Cluster_B","labels":{"namespace":"inference","pod":"ä"}}"""));
        body.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=\"windows-1251\"");

        using var answer = await _host.Api.PostAsync("/api/alerts/generic", body, Ct);

        var json = await WebHost.JsonOf(answer);
        json.GetProperty("incidents")[0].GetProperty("target").GetString().ShouldBe("inference/д");
        json.GetProperty("warnings")[0].GetProperty("found").GetString().ShouldBe("not UTF-8");
    }

    [Fact]
    public async Task BodyThatIsNoJson_IsRefusedWithThePlace()
    {
        var answer = await PostAsync("{\"alerts\": [ oops");

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var error = (await WebHost.JsonOf(answer)).GetProperty("errors")[0];
        error.GetProperty("path").GetString().ShouldNotBeNullOrEmpty();
        error.GetProperty("remedy").GetString().ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData(256 * 1024, false)]
    [InlineData((1024 * 1024) + 1, true)]
    public async Task Size_IsBounded(int bytes, bool isCut)
    {
        var answer = await PostAsync(Post + new string(' ', bytes - Encoding.UTF8.GetByteCount(Post)));

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await WebHost.JsonOf(answer)).TryGetProperty("errors", out _).ShouldBe(isCut);
    }

    [Fact]
    public async Task SizeThatIsNotDeclared_IsBoundedToo()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/alerts/alertmanager")
        {
            Content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(Post + new string(' ', 1024 * 1024)))),
        };
        request.Headers.TransferEncodingChunked = true;

        var answer = await _host.Api.SendAsync(request, Ct);

        (await WebHost.JsonOf(answer)).GetProperty("errors")[0].GetProperty("found").GetString().ShouldBe("more than 1024 KB, of which the first were read");
        _host.Store.All.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(null, null, "", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "wrong", "", HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", WebHost.Key, "", HttpStatusCode.Accepted)]
    [InlineData("Authorization", "Bearer " + WebHost.Key, "", HttpStatusCode.Accepted)]
    [InlineData("Authorization", "Bearer nope", "", HttpStatusCode.Unauthorized)]
    [InlineData(null, null, "?code=" + WebHost.Key, HttpStatusCode.Accepted)]
    [InlineData(null, null, "?code=wrong", HttpStatusCode.Unauthorized)]
    public async Task Key_IsNeeded(string? header, string? value, string query, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/alerts/alertmanager{query}") { Content = new StringContent(Post) };
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        (await _host.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(status);
        _host.Logged.ShouldEach(line => !line.Contains(WebHost.Key));
    }

    [Fact]
    public async Task KeyInTheAddress_CountsForIntakeOnly() =>
        (await _host.Browser.GetAsync($"/api/incidents?code={WebHost.Key}", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

    [Fact]
    public async Task UnknownSender_IsToldTheKnownOnes()
    {
        using var content = new StringContent(Post);
        var answer = await _host.Api.PostAsync("/api/alerts/pigeon", content, Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("alertmanager");
    }

    [Fact]
    public async Task StartByHand_OpensAnIncident()
    {
        var body = new { labels = new { @namespace = "inference", pod = "llm-b-7" }, by = "ada" };

        var answer = await _host.Api.PostAsJsonAsync("/api/runbooks/hanged-gpu/incidents", body, Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await WebHost.JsonOf(answer)).GetProperty("incidents")[0].GetProperty("outcome").GetString().ShouldBe("opened");
        _host.Store.All[0].StartedBy.ShouldBe("ada");
    }

    [Theory]
    [InlineData("hangd-gpu", "{}", HttpStatusCode.NotFound, "Did you mean")]
    [InlineData("hanged-gpu", "{}", HttpStatusCode.BadRequest, "needs the labels namespace, pod. Given: none.")]
    [InlineData("hanged-gpu", "", HttpStatusCode.BadRequest, "needs the labels namespace, pod. Given: none.")]
    [InlineData("hanged-gpu", "{\"labels\":{\"pod\":[]}}", HttpStatusCode.BadRequest, "$.labels.pod")]
    [InlineData("hanged-gpu", "[]", HttpStatusCode.BadRequest, "Send JSON")]
    public async Task StartByHandThatCannotBe_SaysWhy(string runbook, string body, HttpStatusCode status, string said)
    {
        using var content = new StringContent(body);
        var answer = await _host.Api.PostAsync($"/api/runbooks/{runbook}/incidents", content, Ct);

        answer.StatusCode.ShouldBe(status);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain(said);
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> PostAsync(string body)
    {
        using var content = new StringContent(body);
        return await _host.Api.PostAsync("/api/alerts/alertmanager", content, Ct);
    }
}
