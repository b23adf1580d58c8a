using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Web.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

public sealed class TakeBackTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task WhatIsChangedRightNow_IsListedWithItsButton()
    {
        var id = await _host.OpenAsync(Holding(), Leasing());

        foreach (var address in new[] { "/", "/safety" })
        {
            var page = await _host.Browser.GetStringAsync(address, Cancel);
            page.ShouldContain("Changed right now");
            page.ShouldContain("reroute: Send the traffic of sweden-central to uk-south.");
            page.ShouldContain($"action=\"/incidents/{id}/take-back\"");
        }

        var incident = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel));
        incident.ShouldContain("A temporary fix is in place");
        incident.ShouldContain("It is taken back once region-latency has passed for 10m without a break.");
        incident.ShouldContain("The checks do not pass yet");
    }

    /// <summary>What has been changed longest stands behind a storm that came since.</summary>
    [Fact]
    public async Task ChangeThatIsOlderThanAStorm_IsListed()
    {
        await _host.OpenAsync(Holding() with { OpenedAt = Some.Time.AddDays(-2) }, Leasing());
        for (var i = 0; i <= LiveIncidents.Most; i++)
        {
            await _host.OpenAsync(Some.Incident($"261123-0312-{i:00000000}", $"inference/llm-b-{i}"));
        }

        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldContain("Changed right now <span class=\"count\">1</span>");
        (await _host.Browser.GetStringAsync("/safety", Cancel)).ShouldContain("Changed right now <span class=\"count\">1</span>");
    }

    [Fact]
    public async Task Button_HasItTakenBackOnRecord()
    {
        var id = await _host.OpenAsync(Holding(), Leasing());

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/take-back", new FormUrlEncodedContent([new("by", "ada"), new("reason", "the other region is slow too")]), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var page = await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel);
        page.ShouldContain("It is being taken back.");
        page.ShouldNotContain("It is taken back once");
        page.ShouldNotContain("a person is paged");
        _host.Store.All[0].Stop!.Text.ShouldBe("ada asked for what was changed to be taken back: the other region is slow too");
        _host.Store.All[0].Timeline[^1].Who.ShouldBe("ada");
    }

    /// <summary>In the resolution a stop leaves the fix where it is, so that whoever stopped it can still have it taken back.</summary>
    [Fact]
    public async Task StoppedInTheResolution_CanStillBeTakenBack()
    {
        var id = await _host.OpenAsync(Holding() with { State = IncidentState.Resolving }, Leasing());
        (await IncidentPageAsync()).ShouldContain("The automation stops before its next step. What the mitigation changed stays, unless it is taken back. This firing of the alert asks again only if it becomes more severe.");

        var stopped = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/cancel", new { by = "ada", reason = "x" }, Cancel);
        (await stopped.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("message").GetString()
            .ShouldBe("It stops before the next step. What the mitigation changed stays, unless it is taken back. This firing of the alert asks again only if it becomes more severe.");
        (await IncidentPageAsync()).ShouldContain($"action=\"/incidents/{id}/take-back\"");
        var takenBack = await PostAsync(id);

        (await takenBack.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("message").GetString()!.ShouldStartWith("It is on record: what can be taken back is taken back next");
        _host.Store.All[0].Stop!.TakesBack.ShouldBeTrue();
        (await IncidentPageAsync()).ShouldNotContain($"action=\"/incidents/{id}/take-back\"");

        async Task<string> IncidentPageAsync() => WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel));
    }

    [Fact]
    public async Task StoppedBeforeTheResolution_IsToldThatTheFixIsTakenBack()
    {
        var id = await _host.OpenAsync(Holding(), Leasing());
        WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("The automation stops before its next step. What can be taken back is taken back.");

        var stopped = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/cancel", new { by = "ada", reason = "x" }, Cancel);

        (await stopped.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("message").GetString()!.ShouldStartWith("It stops before the next step. What can be taken back is taken back.");
    }

    /// <summary>A take-over is an answer, so it is named only where something is asked.</summary>
    [Fact]
    public async Task WhatRuns_IsEndedByAStop()
    {
        var running = await _host.OpenAsync(Holding(), Leasing());

        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{running}/close", new { by = "ada", reason = "x" }, Cancel);

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain($"Incident {running} is still run by the automation. To end that, stop it.");
    }

    /// <summary>Seeing to it takes nothing back, and neither does taking over.</summary>
    [Theory]
    [InlineData(IncidentState.Failed, StepStatus.UndoFailed)]
    [InlineData(IncidentState.Cancelled, StepStatus.Kept)]
    [InlineData(IncidentState.TakenOver, StepStatus.Done)]
    public async Task WhatEndedInPlace_IsListedUntilItIsClosed(IncidentState state, StepStatus status)
    {
        var running = Holding();
        var id = await _host.OpenAsync((running with { Steps = [running.Steps[0] with { Status = status }] }).End(state, "so", Some.Time), Leasing());
        await PostFormAsync("acknowledge");

        foreach (var address in new[] { "/", "/safety" })
        {
            var page = await _host.Browser.GetStringAsync(address, Cancel);
            page.ShouldContain("Changed right now");
            page.ShouldContain("reroute: Send the traffic of sweden-central to uk-south.");
            page.ShouldContain("by hand");
            page.ShouldNotContain("All quiet");
        }

        await PostFormAsync("close");
        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldNotContain("Changed right now");

        Task PostFormAsync(string verb) => _host.Browser.PostAsync($"/incidents/{id}/{verb}", new FormUrlEncodedContent([new("by", "ada"), new("reason", "seen")]), Cancel);
    }

    [Fact]
    public async Task KeptChange_IsSaidToBeAPersonsToTakeBack()
    {
        var running = Holding();
        var id = await _host.OpenAsync((running with { Steps = [running.Steps[0] with { Status = StepStatus.Kept }] }).End(IncidentState.Cancelled, "so", Some.Time), Leasing());

        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("a person has to take it back");
    }

    [Fact]
    public async Task NothingToTakeBack_IsSaid()
    {
        var waiting = await _host.OpenAsync(Some.Waiting());

        (await PostAsync(waiting)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await PostAsync("none")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldNotContain("Changed right now");
    }

    [Fact]
    public async Task KillSwitch_ShowsOnTheQuestionAndTakesNoApproval()
    {
        var waiting = Some.Waiting();
        var id = await _host.OpenAsync(waiting);
        await _host.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", Cancel);

        (await _host.Browser.GetStringAsync($"/decide?token={_host.Token(waiting)}", Cancel)).ShouldContain("Nothing can run at the moment");
        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("Nothing can run at the moment");
        (await HeldBackAsync(id)).ShouldHaveSingleItem().ShouldContain("The kill switch is on");
        foreach (var page in new[] { $"/decide?token={_host.Token(waiting)}", $"/incidents/{id}", $"/api/incidents/{id}" })
        {
            (await _host.Api.GetStringAsync(page, Cancel)).ShouldContain("While nothing can run it stays open, and is asked again once something can.", customMessage: page);
        }

        (await _host.Browser.GetStringAsync($"/decide?token={_host.Token(waiting)}", Cancel)).ShouldContain("Approve <span>not taken at the moment</span>");

        var answer = await _host.Browser.PostAsync($"/decide?token={_host.Token(waiting)}", WebHost.Form("approve"), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var refused = await answer.Content.ReadAsStringAsync(Cancel);
        refused.ShouldContain("Not approved: The kill switch is on");
        refused.ShouldContain("value=\"approve\"");
        _host.Store.All[0].OpenGate.ShouldNotBeNull().Decisions.ShouldBeEmpty();

        await _host.Get<KillSwitch>().ReleaseAsync("ada", "it was another team", stop: null, Cancel);
        (await HeldBackAsync(id)).ShouldBeEmpty();
        (await _host.Browser.PostAsync($"/decide?token={_host.Token(waiting)}", WebHost.Form("approve"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<IEnumerable<string>> HeldBackAsync(string id) =>
        (await _host.Api.GetFromJsonAsync<JsonElement>($"/api/incidents/{id}", Cancel)).GetProperty("heldBack").EnumerateArray().Select(why => why.GetString()!);

    private Task<HttpResponseMessage> PostAsync(string id) => _host.Api.PostAsJsonAsync($"/api/incidents/{id}/take-back", new { by = "ada", reason = "x" }, Cancel);

    private static Runbook Leasing() => Some.Runbook() with
    {
        Mitigation = new() { HoldUntil = new(["region-latency"], TimeSpan.FromMinutes(10), TimeSpan.FromHours(4), TimeSpan.FromMinutes(1)) },
    };

    private static Incident Holding()
    {
        var incident = Some.Incident() with
        {
            Steps =
            [
                new()
                {
                    Phase = Phase.Mitigation,
                    Name = "reroute",
                    Action = "trafficManager.reroute",
                    GateId = "mitigation-1",
                    Status = StepStatus.Done,
                    Preparation = new() { PlannedEffect = "Send the traffic of sweden-central to uk-south.", UndoState = JsonSerializer.SerializeToElement(1) },
                    StartedAt = Some.Time,
                    FinishedAt = Some.Time,
                },
            ],
        };
        return incident.RecordVerification(IncidentState.Holding, [Some.Finding("region-latency")], "wake-2", Some.Time);
    }
}
