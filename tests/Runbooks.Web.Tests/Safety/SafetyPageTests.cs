using System.Net;
using Runbooks.Guardrails;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Safety;

public sealed class SafetyPageTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    [Fact]
    public async Task KillSwitch_IsTurnedByButtonsAndShowsWhoDidIt()
    {
        (await _host.Browser.GetStringAsync("/", Ct)).ShouldContain("href=\"/safety\"");

        var answer = await PostAsync("/safety/kill", "ada", "wrong <pods>");

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe("/safety");
        var page = await _host.Browser.GetStringAsync("/safety", Ct);
        page.ShouldContain("ada stopped all steps at 2026-11-23 03:12:00 UTC. wrong &lt;pods&gt;");
        page.ShouldContain("Release the kill switch");

        await PostAsync("/safety/release", "ada", "understood");
        (await _host.Browser.GetStringAsync("/safety", Ct)).ShouldContain("Engage the kill switch");
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Engaged.ShouldBeFalse();
    }

    [Fact]
    public async Task ReleaseOfAPageThatShowsAnEarlierStop_ReleasesNothing()
    {
        await PostAsync("/safety/kill", "ada", "wrong pods");
        var stop = System.Text.RegularExpressions.Regex.Match(await _host.Browser.GetStringAsync("/safety", Ct), "name=\"stop\" value=\"([^\"]+)\"").Groups[1].Value;
        _host.Time.Advance(TimeSpan.FromSeconds(4));
        (await PostAsync("/safety/kill", "bob", "the database is being restored")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        var late = await PostAsync("/safety/release", "ada", "the file is repaired", stop: WebUtility.HtmlDecode(stop));

        late.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await late.Content.ReadAsStringAsync(Ct)).ShouldContain("the database is being restored");
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Engaged.ShouldBeTrue();
    }

    [Fact]
    public async Task OpenBreaker_IsResetWithNameAndReason()
    {
        var id = Some.Runbook().Id;
        await _host.Get<ISharedState>().UpdateAsync<RunHistory, bool>(
            $"ledger:{id}",
            _ => (new() { Breaker = new(Some.Time, "The last 3 fixes of this runbook did not help."), Runs = [new("i", "inference/llm-b-0", RunOutcome.Ineffective, Some.Time, Some.Time, TimeSpan.Zero), new("j", "search/a", RunOutcome.Unverified, Some.Time, Some.Time, TimeSpan.Zero)] }, true),
            Ct);
        (await _host.Browser.GetStringAsync("/", Ct)).ShouldContain("It is reset under Safety.");
        var before = await _host.Browser.GetStringAsync("/safety", Ct);
        before.ShouldContain("The last 3 fixes of this runbook did not help.");
        before.ShouldContain("inference/*</span> Worked in 0 of 1 run; the last one failed.");
        before.ShouldContain("search/*</span> For 1 run nothing shows whether it helped.");

        (await PostAsync($"/safety/breakers/{id}", "ada", "new image")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        var page = await _host.Browser.GetStringAsync("/safety", Ct);
        page.ShouldContain("ada reset the breaker: new image");
        page.ShouldNotContain("<button>Reset the breaker");
    }

    [Theory]
    [InlineData("/safety/kill")]
    [InlineData("/safety/release")]
    [InlineData("/safety/breakers/hanged-gpu")]
    public async Task WithoutNameOrReasonOrFromAnotherSite_ChangesNothing(string address)
    {
        (await PostAsync(address, "ada", " ")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync(address, "", "because")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync(address, "ada", "because", site: "cross-site")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Changes.ShouldBeEmpty();
    }

    [Fact]
    public async Task WherePagesAreClosed_SafetyIsToo()
    {
        await using var closed = new WebHost { OpenPages = false };
        await closed.InitializeAsync();

        (await closed.Browser.GetAsync("/safety", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await closed.Browser.PostAsync("/safety/kill", new FormUrlEncodedContent([new("by", "eve"), new("reason", "x")]), Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await closed.Get<KillSwitch>().ReadAsync(Ct)).Engaged.ShouldBeFalse();
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> PostAsync(string address, string by, string reason, string site = "same-origin", string? stop = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent([new("by", by), new("reason", reason), .. stop is null ? Array.Empty<KeyValuePair<string, string>>() : [new("stop", stop)]]) };
        request.Headers.Add("Sec-Fetch-Site", site);
        return await _host.Browser.SendAsync(request, Ct);
    }
}
