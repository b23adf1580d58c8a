using System.Net;
using System.Net.Http.Json;
using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Safety;

public sealed class SafetyApiTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task KillSwitch_IsTurnedWithNameAndReasonAndShowsWhoDidIt()
    {
        (await _host.Api.PostAsJsonAsync("/api/safety/kill", new { by = "ada", reason = "wrong pods" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);

        var safety = await WebHost.JsonOf(await _host.Api.GetAsync("/api/safety", Ct));
        (await _host.Browser.GetStringAsync("/", Ct)).ShouldContain("ada stopped all steps");
        safety.GetProperty("killSwitch").GetProperty("engaged").GetBoolean().ShouldBeTrue();
        safety.GetProperty("killSwitch").GetProperty("changes")[0].GetProperty("by").GetString().ShouldBe("ada");

        await _host.Api.PostAsJsonAsync("/api/safety/release", new { by = "ada", reason = "understood" }, Ct);
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Engaged.ShouldBeFalse();
    }

    [Fact]
    public async Task ReleaseThatNamesAStop_IsOfThatOneAndWithoutOneOfAll()
    {
        await _host.Api.PostAsJsonAsync("/api/safety/kill", new { by = "ada", reason = "wrong pods" }, Ct);
        var first = (await StopsAsync())[^1];
        _host.Time.Advance(TimeSpan.FromSeconds(4));
        await _host.Api.PostAsJsonAsync("/api/safety/kill", new { by = "bob", reason = "the database is being restored" }, Ct);
        (await StopsAsync()).Count.ShouldBe(2);

        var late = await _host.Api.PostAsJsonAsync("/api/safety/release", new { by = "ada", reason = "understood", stop = first }, Ct);

        late.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await WebHost.JsonOf(late)).GetProperty("title").GetString()!.ShouldContain("the database is being restored");
        (await _host.Api.PostAsJsonAsync("/api/safety/release", new { by = "ada", reason = "understood", stop = (await StopsAsync())[^1] }, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _host.Api.PostAsJsonAsync("/api/safety/release", new { by = "ada", reason = "understood", stop = first }, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await _host.Api.PostAsJsonAsync("/api/safety/kill", new { by = "bob", reason = "again" }, Ct);
        await _host.Api.PostAsJsonAsync("/api/safety/kill", new { by = "ada", reason = "me too" }, Ct);
        (await _host.Api.PostAsJsonAsync("/api/safety/release", new { by = "carol", reason = "over" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Engaged.ShouldBeFalse();

        async Task<IReadOnlyList<string>> StopsAsync() =>
            [.. (await WebHost.JsonOf(await _host.Api.GetAsync("/api/safety", Ct))).GetProperty("killSwitch").GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("at").GetString()!)];
    }

    [Theory]
    [InlineData("/api/safety/kill")]
    [InlineData("/api/safety/release")]
    [InlineData("/api/runbooks/hanged-gpu/breaker/reset")]
    public async Task WithoutANameOrWithoutAKey_IsRefused(string address)
    {
        (await _host.Api.PostAsJsonAsync(address, new { reason = "because" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await _host.Browser.PostAsJsonAsync(address, new { by = "eve", reason = "because" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _host.Get<KillSwitch>().ReadAsync(Ct)).Changes.ShouldBeEmpty();
    }

    [Fact]
    public async Task BreakerThatIsOpen_IsResetOnce()
    {
        var id = Some.Runbook().Id;
        await _host.Get<ISharedState>().UpdateAsync<RunHistory, bool>($"ledger:{id}", _ => (new() { Breaker = new(Some.Time, "did not help") }, true), Ct);

        (await _host.Api.PostAsJsonAsync($"/api/runbooks/{id}/breaker/reset", new { by = "ada", reason = "new image" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _host.Api.PostAsJsonAsync($"/api/runbooks/{id}/breaker/reset", new { by = "bob", reason = "too" }, Ct)).StatusCode.ShouldBe(HttpStatusCode.Conflict);

        var report = await WebHost.JsonOf(await _host.Api.GetAsync($"/api/runbooks/{id}/report", Ct));
        report.GetProperty("resets")[0].GetProperty("reason").GetString().ShouldBe("new image");
    }

    [Fact]
    public async Task Audit_CanBeVerifiedElsewhere()
    {
        var id = await _host.OpenAsync(Some.Incident().Note(Some.Time, TimelineKind.Opened, "test", "Opened."));

        var answer = await _host.Api.GetAsync($"/api/incidents/{id}/audit", Ct);

        var lines = (await answer.Content.ReadAsStringAsync(Ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        AuditTrail.Verify(lines).Message.ShouldStartWith("Whole: ");
        (await _host.Browser.GetAsync($"/api/incidents/{id}/audit", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Report_IsADocumentForKeyHoldersAndTheConsole()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        var answer = await _host.Api.GetAsync($"/api/incidents/{id}/report", Ct);

        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/markdown; charset=utf-8");
        var report = await answer.Content.ReadAsStringAsync(Ct);
        report.ShouldStartWith("# Hung GPU on inference/llm-b-0\n");
        report.ShouldContain("- Users: Users in the EU region see timeouts.\n");
        (await _host.Browser.GetAsync($"/api/incidents/{id}/report", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _host.Api.GetAsync("/api/incidents/none/report", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
