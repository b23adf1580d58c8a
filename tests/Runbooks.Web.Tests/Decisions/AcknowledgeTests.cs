using System.Net;
using System.Net.Http.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

public sealed class AcknowledgeTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Theory]
    [InlineData(IncidentState.Failed)]
    [InlineData(IncidentState.Expired)]
    public async Task WhatNeedsAPerson_StandsOnTopUnderEveryFilterUntilItIsAcknowledged(IncidentState state)
    {
        var id = await _host.OpenAsync(Ended(state));
        foreach (var address in new[] { "/", "/?state=open", "/?state=final", "/?runbook=another" })
        {
            var page = await _host.Browser.GetStringAsync(address, Cancel);
            page.ShouldContain("1 incident needs a person");
            page.ShouldContain(id);
            page.ShouldNotContain("All quiet");
        }

        WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("Acknowledge it first, so that others see that you are on it.");

        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/acknowledge", new { by = "ada", note = "I look at the node" }, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await WebHost.JsonOf(answer)).GetProperty("message").GetString().ShouldBe("It is acknowledged.");
        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldContain("All quiet");
        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("ada has been seeing to it since");
    }

    /// <summary>Nobody has timeouts any more, and the page is not to say so.</summary>
    [Fact]
    public async Task WhatWasFixed_IsNotToldAsIfItLasted()
    {
        var id = await _host.OpenAsync(Some.Incident() with
        {
            State = IncidentState.Resolved,
            Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "x", GateId = "mitigation-1", Status = StepStatus.Done, Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = Some.Time }],
            Findings = [Some.Finding()],
            Verification = [Some.Finding(verdict: Verdict.Passing)],
            VerificationRounds = [new(IncidentState.Verifying, Some.Time.AddMinutes(4), new Dictionary<string, Verdict> { [Some.Finding().Name] = Verdict.Passing }, 1)],
        });

        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("impact, before the fix");
    }

    [Fact]
    public async Task ListAndView_SayThatAPersonIsNeeded()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));
        await _host.OpenAsync(Ended(IncidentState.Resolved, "261123-0313-resolved", "b"));

        var list = await WebHost.JsonOf(await _host.Api.GetAsync("/api/incidents?state=needsPerson", Cancel));
        list.GetProperty("incidents").EnumerateArray().Select(one => (one.GetProperty("id").GetString(), one.GetProperty("needsPerson").GetBoolean())).ShouldBe([(id, true)]);

        await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/acknowledge", new { by = "ada" }, Cancel);

        var view = await WebHost.JsonOf(await _host.Api.GetAsync($"/api/incidents/{id}", Cancel));
        var attention = view.GetProperty("attention");
        view.GetProperty("leftToDo")[0].GetString().ShouldBe("Fix it by hand and close the incident, or try it again.", "somebody sees to it, and it is not over");
        attention.GetProperty("why").GetString().ShouldBe("So it ended. Nothing was done.");
        attention.GetProperty("acknowledgedBy").GetString().ShouldBe("ada");
        (await WebHost.JsonOf(await _host.Api.GetAsync("/api/incidents?state=needsPerson", Cancel))).GetProperty("incidents").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task SecondAcknowledgement_ChangesNothingAndTellsWhoWasFirst()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));
        await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/acknowledge", new { by = "ada" }, Cancel);

        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/acknowledge", new { by = "ben" }, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await WebHost.JsonOf(answer)).GetProperty("message").GetString()!.ShouldStartWith("ada has been seeing to it since");
        _host.Store.All[0].Attention!.AcknowledgedBy.ShouldBe("ada");
    }

    [Fact]
    public async Task IncidentThatNeedsNobody_IsNotAcknowledged()
    {
        var resolved = await _host.OpenAsync(Ended(IncidentState.Resolved));
        var open = await _host.OpenAsync(Some.Incident("261123-0313-open0000", "b"));

        (await PostAsync(resolved)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await PostAsync(open)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await PostAsync("none")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{resolved}/acknowledge", new { note = "x" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Button_AcknowledgesAndGoesBackToTheIncident()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/acknowledge", new FormUrlEncodedContent([new("by", "ada"), new("reason", "")]), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe($"/incidents/{id}");
        _host.Store.All[0].Attention!.AcknowledgedBy.ShouldBe("ada");
    }

    [Fact]
    public async Task FailedIncident_CanBeClosed()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));

        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/close", new { by = "ada", reason = "restarted the node" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldContain("All quiet");
        _host.Store.All[0].Reason.ShouldBe("So it ended. Nothing was done. Closed by ada: restarted the node");
    }

    [Fact]
    public async Task FilterThatShowsNothingWhileSomethingIsOpen_IsNotCalledQuiet()
    {
        await _host.OpenAsync(Some.Waiting());

        var page = await _host.Browser.GetStringAsync("/?runbook=another", Cancel);

        page.ShouldContain("Nothing open fits this filter");
        page.ShouldNotContain("All quiet");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> PostAsync(string id) => _host.Api.PostAsJsonAsync($"/api/incidents/{id}/acknowledge", new { by = "ada" }, Cancel);

    private static Incident Ended(IncidentState state, string id = "261123-0312-ended000", string target = "a") =>
        Some.Incident(id, target).End(state, "So it ended.", Some.Time);
}
