using System.Net;
using System.Net.Http.Json;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

public sealed class CloseTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task DrivenIncident_StandsUnderOpenUntilItIsClosedByHand()
    {
        var id = await _host.OpenAsync(Some.OwnedByResponder());
        (await _host.Browser.GetStringAsync("/?state=open", Cancel)).ShouldContain(id);
        (await _host.Browser.GetStringAsync("/?state=open&q=llm-b-0", Cancel)).ShouldContain(id);
        (await _host.Browser.GetStringAsync("/?state=open&q=llm-b-1", Cancel)).ShouldNotContain(id);
        var left = (await WebHost.JsonOf(await _host.Api.GetAsync($"/api/incidents/{id}", Cancel))).GetProperty("leftToDo");
        left.EnumerateArray().ShouldHaveSingleItem().GetString().ShouldNotBeNull().ShouldEndWith("Close it when it is over.");
        left[0].GetString()!.ShouldContain("at the latest until 2026-11-23 07:12:00 UTC", Case.Sensitive, "it may be read on another day");
        var page = await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel);
        page.ShouldContain("Close the incident");
        page.ShouldContain("ada owns it");
        page.ShouldContain("Until this incident is closed, at the latest until 07:12:00 UTC, more alerts on this target are kept in it and page nobody unless one is more severe. Close it when it is over.");

        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/close", new { by = "ada", reason = "restarted the node" }, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _host.Browser.GetStringAsync("/?state=open", Cancel)).ShouldNotContain(id);
        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldNotContain("Close the incident");
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/close", new { by = "ada", reason = "restarted the node" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK, "sent again");
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/close", new { by = "grace", reason = "again" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    /// <summary>Not who looked at it first.</summary>
    [Fact]
    public async Task PageOfWhatSomebodyClosed_SaysWhoDidAndWhatTheyDid()
    {
        var id = await _host.OpenAsync(Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time).Acknowledge("ada", "looking", Some.Time));

        await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/close", new { by = "ben", reason = "replaced the card" }, Cancel);

        var page = await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel);
        page.ShouldContain("ben closed it at ");
        page.ShouldContain(": replaced the card");
        page.ShouldNotContain("ada saw to it");
    }

    [Fact]
    public async Task Button_ClosesAndGoesBackToTheIncident()
    {
        var id = await _host.OpenAsync(Some.OwnedByResponder());

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/close", Form(), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe($"/incidents/{id}");
        _host.Store.All[0].IsOwnedByResponder().ShouldBeFalse();
    }

    [Fact]
    public async Task ButtonPressedFromAnotherSite_ClosesNothing()
    {
        var id = await _host.OpenAsync(Some.OwnedByResponder());
        var request = new HttpRequestMessage(HttpMethod.Post, $"/incidents/{id}/close") { Content = Form() };
        request.Headers.Add("Sec-Fetch-Site", "cross-site");

        (await _host.Browser.SendAsync(request, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        _host.Store.All[0].IsOwnedByResponder().ShouldBeTrue();
    }

    [Fact]
    public async Task WithoutAKey_NothingIsClosed() =>
        (await _host.Browser.PostAsJsonAsync("/api/incidents/x/close", new { by = "ada", reason = "x" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

    [Theory]
    [InlineData("""{"by":"ada"}""")]
    [InlineData("""{"reason":"done"}""")]
    [InlineData("{}")]
    public async Task NameAndReason_AreNeeded(string body) =>
        (await _host.Api.PostAsync("/api/incidents/x/close", new StringContent(body, null, "application/json"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static FormUrlEncodedContent Form() => new(new Dictionary<string, string> { ["by"] = "ada", ["reason"] = "restarted the node" });
}
