using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Incidents;

public sealed partial class IncidentsTests : IAsyncLifetime
{
    private const string Id = "261123-0312-k7m2p9wd";
    private readonly WebHost _host = new();

    /// <summary>Of a closed question nobody is needed any more, whoever rejected it has not approved, and nobody's silence means anything.</summary>
    [Fact]
    public async Task WhoHasToApproveAndWhatSilenceMeans_IsToldWhileItIsAsked()
    {
        await _host.Store.UpdateAsync(Id, i => i with { Gates = [i.Gates[0] with { Required = 2 }] }, Ct);
        (await GetAsync($"/api/incidents/{Id}")).GetProperty("gate").GetProperty("needed").GetString().ShouldBe("2 different people have to approve. So far: nobody.");
        (await GetAsync($"/api/incidents/{Id}")).GetProperty("gate").GetProperty("ifNobodyAnswers").GetString().ShouldBe("At 03:32:00 UTC nothing is done and the incident is closed as expired.");

        await DecideAsync(Id, new { decision = "reject", by = "ada", reason = "not now" });

        var gate = (await GetAsync($"/api/incidents/{Id}")).GetProperty("gate");
        (gate.TryGetProperty("needed", out var needed) && needed.ValueKind != JsonValueKind.Null).ShouldBeFalse();
        (gate.TryGetProperty("ifNobodyAnswers", out var silence) && silence.ValueKind != JsonValueKind.Null).ShouldBeFalse();
    }

    [Fact]
    public async Task Incident_IsShownAsTheContractSays()
    {
        var json = await GetAsync($"/api/incidents/{Id}");

        json.GetProperty("id").GetString().ShouldBe(Id);
        json.GetProperty("runbook").GetString().ShouldBe("hanged-gpu");
        json.GetProperty("target").GetString().ShouldBe("inference/llm-b-0");
        json.GetProperty("state").GetString().ShouldBe("awaitingApproval");
        json.GetProperty("findings")[0].GetProperty("verdict").GetString().ShouldBe("failing");
        json.GetProperty("gate").GetProperty("outcome").GetString().ShouldBe("pending");
        json.GetProperty("steps").GetArrayLength().ShouldBe(0);
        json.GetProperty("timeline").GetArrayLength().ShouldBeGreaterThan(0);
        json.GetProperty("openedAt").GetDateTimeOffset().ShouldBe(Some.Time);
    }

    [Fact]
    public async Task WhatOnlyTheWorkflowNeeds_IsNotShown()
    {
        var step = new StepRecord
        {
            Phase = Phase.Mitigation,
            Name = "recycle",
            Action = "kubernetes.recyclePod",
            GateId = "mitigation-1",
            StartedAt = Some.Time,
            Preparation = new Preparation { PlannedEffect = "Delete it.", UndoState = JsonSerializer.SerializeToElement("undo-inside") },
        };
        await _host.Store.UpdateAsync(Id, i => i with { Steps = [step] }, Ct);

        var text = (await GetAsync($"/api/incidents/{Id}")).GetRawText();

        text.ShouldContain("Delete it.");
        text.ShouldNotContain("undo-inside");
        text.ShouldNotContain("wake", Case.Insensitive);
    }

    [Fact]
    public async Task List_PagesNewestFirstAndFilters()
    {
        for (var n = 0; n < 5; n++)
        {
            await _host.OpenAsync(Some.Incident($"261123-0313-{n:00000000}", $"t{n}") with { State = IncidentState.Resolved });
        }

        var first = await GetAsync("/api/incidents?limit=2&state=resolved");
        var next = first.GetProperty("next").GetString();
        var second = await GetAsync($"/api/incidents?limit=2&state=resolved&after={Uri.EscapeDataString(next!)}");

        Targets(first).ShouldBe(["t4", "t3"]);
        Targets(second).ShouldBe(["t2", "t1"]);
        Targets(await GetAsync("/api/incidents?state=open")).ShouldBe(["inference/llm-b-0"]);
        Targets(await GetAsync("/api/incidents?runbook=other")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/api/incidents?state=sleeping", "awaitingApproval")]
    [InlineData("/api/incidents?limit=0", "1 to 500")]
    [InlineData("/api/incidents?after=nonsense", "page before")]
    [InlineData("/api/incidents/" + Id + "?waitFor=heaven", "selfRecovered")]
    [InlineData("/api/incidents/" + Id + "?waitFor=final&timeout=soon", "seconds")]
    [InlineData("/api/incidents/" + Id + "?waitFor=final&timeout=NaN", "seconds")]
    [InlineData("/api/incidents/" + Id + "?waitFor=final&timeout=-Infinity", "seconds")]
    public async Task ParameterThatCannotBeUsed_IsToldWhatCan(string url, string said)
    {
        var answer = await _host.Api.GetAsync(url, Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain(said);
        (await WebHost.JsonOf(answer)).GetProperty("errors")[0].GetProperty("found").GetString().ShouldBe($"'{url[(url.LastIndexOf('=') + 1)..]}'");
    }

    /// <summary>A resource's id in Azure; what is cut of a word is found nowhere.</summary>
    [Fact]
    public async Task LongTarget_IsFoundAndWordsThatAreTooLongAreRefused()
    {
        var target = $"/subscriptions/{Guid.Empty}/resourceGroups/rg-inference-production-westeurope/providers/Microsoft.CognitiveServices/accounts/aoai-inference-production-we/deployments/gpt-4o-mini-provisioned-throughput-long";
        target.Length.ShouldBeGreaterThan(200);
        await _host.OpenAsync(Some.Incident("261123-0315-longtarg", target));

        (await GetAsync($"/api/incidents?q={Uri.EscapeDataString(target)}")).GetProperty("incidents").GetArrayLength().ShouldBe(1);
        (await _host.Browser.GetStringAsync($"/?q={Uri.EscapeDataString(target)}", Ct)).ShouldContain("261123-0315-longtarg");
        (await _host.Browser.GetAsync($"/?q={new string('a', 1_001)}", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var refused = await _host.Api.GetAsync($"/api/incidents?q={new string('a', 1_001)}", Ct);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadAsStringAsync(Ct)).ShouldContain("1,000 characters");
    }

    [Fact]
    public async Task UnknownIncident_Is404()
    {
        (await _host.Api.GetAsync("/api/incidents/nope?waitFor=final", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await DecideAsync("nope", new { decision = "approve", by = "ada" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _host.Browser.GetAsync("/incidents/nope", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task WaitFor_AnswersWhenTheDecisionIsThere()
    {
        var waiting = GetAsync($"/api/incidents/{Id}?waitFor=final&timeout=30");
        await new SignallingIncidentStore(_host.Store, _host.Changes, TimeProvider.System).UpdateAsync(Id, i => i with { State = IncidentState.Resolved }, Ct);

        (await waiting).GetProperty("state").GetString().ShouldBe("resolved");
    }

    [Fact]
    public async Task WaitForWhatIsThere_AnswersAtOnce() =>
        (await GetAsync($"/api/incidents/{Id}?waitFor=awaitingApproval")).GetProperty("state").GetString().ShouldBe("awaitingApproval");

    [Fact]
    public async Task WaitForWithoutTime_AnswersAsThingsAre() =>
        (await GetAsync($"/api/incidents/{Id}?waitFor=final&timeout=0")).GetProperty("state").GetString().ShouldBe("awaitingApproval");

    [Fact]
    public async Task Cancel_StopsOnceAndAnEndedIncidentIsNotStopped()
    {
        (await CancelAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        _host.Store.All[0].Stop.ShouldBe(new StopRequest("ada", "false alarm", Some.Time) { BeforeResolution = true });

        await _host.Store.UpdateAsync(Id, i => i with { State = IncidentState.Cancelled, ClosedAt = Some.Time, Reason = "ada stopped it." }, Ct);
        (await CancelAsync()).StatusCode.ShouldBe(HttpStatusCode.OK, "hers is what stopped it");
        var late = await CancelAsync("grace");

        late.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await WebHost.JsonOf(late)).GetProperty("message").GetString()!.ShouldContain("ended at 2026-11-23 03:12:00 UTC: Stopped.");
    }

    [Fact]
    public async Task Health_SaysWhatDoesNotWork()
    {
        (await _host.Browser.GetAsync("/healthz", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        _host.Engine.Illness = "The hub does not answer.";
        _host.Time.Advance(TimeSpan.FromSeconds(10));

        var answer = await _host.Browser.GetAsync("/healthz", Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("The hub does not answer.");
        (await _host.Browser.GetStringAsync("/", Ct)).ShouldMatch("<h1 id=\"title\">The runbook service did not work when it was last looked at</h1>\\s*<p id=\"trouble\"[^>]*>The hub does not answer\\. ");
    }

    /// <summary>The address is open to everybody, and each look writes to the store.</summary>
    [Fact]
    public async Task HealthThatIsAskedInALoop_CostsOneLookInTenSeconds()
    {
        for (var asked = 0; asked < 20; asked++)
        {
            (await _host.Browser.GetAsync("/healthz", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        _host.Engine.HealthChecks.ShouldBe(1);
        _host.Time.Advance(TimeSpan.FromSeconds(10));
        await _host.Browser.GetAsync("/healthz", Ct);
        _host.Engine.HealthChecks.ShouldBe(2);
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        await _host.OpenAsync(Some.Waiting(Id));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IEnumerable<string?> Targets(JsonElement page) => page.GetProperty("incidents").EnumerateArray().Select(i => i.GetProperty("target").GetString());

    private async Task<JsonElement> GetAsync(string url)
    {
        var answer = await _host.Api.GetAsync(url, Ct);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await WebHost.JsonOf(answer);
    }

    private Task<HttpResponseMessage> DecideAsync(string id, object body) => _host.Api.PostAsJsonAsync($"/api/incidents/{id}/decision", body, Ct);

    private Task<HttpResponseMessage> CancelAsync(string by = "ada") => _host.Api.PostAsJsonAsync($"/api/incidents/{Id}/cancel", new { by, reason = "false alarm" }, Ct);
}
