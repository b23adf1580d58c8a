using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Http;

/// <summary>What key holders send stands on a record that others read: nothing in it may hide, turn, or look like a line of its own.</summary>
public sealed class TypedTextTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DecisionOfTheApi_IsKeptWithoutWhatCannotBeSeen()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        (await PostAsync($"/api/incidents/{id}/decision", """{"decision":"reject","by":"a\u200bda\n03:00 root","reason":"li\u202ene\u0000 1\r\nline 2 \uDB40\uDC41"}""")).ShouldBe(HttpStatusCode.OK);

        var decision = (await _host.Store.GetAsync(id, Cancel)).LatestGate!.Decisions.ShouldHaveSingleItem();
        decision.Person.ShouldBe("a\uFFFDda 03:00 root");
        decision.Reason.ShouldBe("li\uFFFDne\uFFFD 1\nline 2 \uFFFD");
    }

    [Fact]
    public async Task FormOfALink_IsKeptWithoutWhatCannotBeSeen()
    {
        var incident = Some.Waiting();
        await _host.OpenAsync(incident);
        using var form = WebHost.Form("reject", "no\u200B\u0007pe");

        (await _host.Browser.PostAsync(new Uri($"/decide?token={_host.Token(incident)}", UriKind.Relative), form, Cancel)).IsSuccessStatusCode.ShouldBeTrue();

        (await _host.Store.GetAsync(incident.Id, Cancel)).LatestGate!.Decisions.ShouldHaveSingleItem().Reason.ShouldBe("no\uFFFD\uFFFDpe");
    }

    [Fact]
    public async Task TargetOfAManualStart_CannotLookLikeAnother()
    {
        (await PostAsync("/api/runbooks/hanged-gpu/incidents", """{"by":"ada\u202e","labels":{"pod":"llm-b-0\u200b","namespace":"inference\u0000"}}""")).ShouldBe(HttpStatusCode.Accepted);

        var incident = (await _host.Store.ListAsync(new IncidentQuery(), Cancel)).Items.ShouldHaveSingleItem();
        incident.Target.ShouldBe("inference\uFFFD/llm-b-0\uFFFD");
    }

    [Theory]
    [InlineData("/api/runbooks/hanged-gpu/incidents", """{"labels":{"pod":"llm-b-0\ud800"}}""")]
    [InlineData("/api/runbooks/hanged-gpu/incidents", """{"by":"\udc00","labels":{"pod":"llm-b-0"}}""")]
    [InlineData("/api/runbooks/hanged-gpu/incidents", """{"labels":{"po\ud800d":"llm-b-0"}}""")]
    [InlineData("/api/incidents/any/decision", """{"decision":"reject","by":"\ud800"}""")]
    [InlineData("/api/incidents/any/notes", """{"by":"ada","reason":"\ud800"}""")]
    public async Task HalfOfASurrogatePair_IsRefused(string address, string body) => (await PostAsync(address, body)).ShouldBe(HttpStatusCode.BadRequest);

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task<HttpStatusCode> PostAsync(string address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _host.Api.PostAsync(new Uri(address, UriKind.Relative), content, Cancel);
        return answer.StatusCode;
    }
}

/// <summary>People copy into a reason what they have just read in a log. It is kept and sent on, so its secrets are hidden first.</summary>
public sealed class TypedSecretTests : IAsyncLifetime
{
    private const string Planted = "PLANTED-d41d8cd98f00b204";
    private const string Reason = $"llm-b-0 answers 401 since API_KEY={Planted} was rotated";

    private readonly WebHost _host = new();

    [Theory]
    [InlineData("/api/runbooks/hanged-gpu/incidents")]
    [InlineData("/api/incidents/{0}/decision")]
    [InlineData("/api/incidents/{0}/cancel")]
    [InlineData("/api/incidents/{0}/notes")]
    [InlineData("/api/safety/kill")]
    public async Task SecretInAReason_IsNotKept(string address)
    {
        var id = await _host.OpenAsync(Some.Waiting());

        var answer = await _host.Api.PostAsJsonAsync(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, address, id),
            new { decision = "reject", by = "ada", reason = Reason, labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-9" } }, Cancel);

        answer.IsSuccessStatusCode.ShouldBeTrue();
        string[] told = [await answer.Content.ReadAsStringAsync(Cancel), JsonSerializer.Serialize(_host.Store.All), await _host.Api.GetStringAsync("/api/safety", Cancel)];
        told.ShouldAllBe(text => !text.Contains(Planted, StringComparison.Ordinal));
        told.ShouldContain(text => text.Contains("since API_KEY=", StringComparison.Ordinal));
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
