using System.Net;
using System.Net.Http.Json;
using Runbooks.Model.Incidents;
using TestKit;
using static Runbooks.Web.Tests.WebHost;

namespace Runbooks.Web.Tests.Console;

/// <content>Whoever has an incident tried again.</content>
public sealed partial class IncidentFormsTests
{
    [Fact]
    public async Task Retry_OpensAnIncidentWithTheSameAlertsAndBothSayWhoAndWhy()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/retry", Form(("by", "ada"), ("reason", "the node is back")), Cancel);

        var next = _host.Store.All[1];
        answer.Headers.Location!.ToString().ShouldBe($"/incidents/{next.Id}");
        (next.RetryOf, next.StartedBy, next.Target, next.Alerts[0].Fingerprint).ShouldBe((id, "ada", "inference/llm-b-0", "HighLatency_Cluster_B/llm-b-0"));
        next.Timeline[^1].What.ShouldBe($"ada had incident {id} tried again: the node is back");
        _host.Store.All[0].Timeline[^1].What.ShouldBe($"ada had it tried again as incident {next.Id}: the node is back");
        _host.Engine.Started.ShouldContain(input => input.IncidentId == next.Id);
        (await PageAsync(id)).ShouldContain($"It was tried again as incident {next.Id}.");
    }

    [Fact]
    public async Task EngineThatFailsAfterTheRetryIsOnRecord_IsNotSaidToHaveDoneNothing()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));
        _host.Engine.StartFault = () => new InvalidOperationException("the hub is away");

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/retry", Form(("by", "ada"), ("reason", "the node is back")), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await TextAsync(answer)).ShouldContain("It is not known whether this was recorded");
        _host.Store.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task SecondRetry_NamesTheFirst()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Expired));

        (await RetryAsync(id)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var again = await RetryAsync(id);

        again.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await WebHost.JsonOf(again)).GetProperty("incident").GetString().ShouldBe(_host.Store.All[1].Id);
        _host.Store.All.Count.ShouldBe(2);
    }

    /// <summary>The host died between the new incident and the old one's note of it.</summary>
    [Fact]
    public async Task RetryThatWasCutOff_IsFinishedByTheNext()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed));
        await RetryAsync(id);
        await _host.Store.UpdateAsync(id, incident => (incident with { RetriedAs = null }, true), Cancel);

        (await RetryAsync(id)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        _host.Store.All.Count.ShouldBe(2);
        _host.Store.All[0].RetriedAs.ShouldBe(_host.Store.All[1].Id);
    }

    [Fact]
    public async Task WhatHasNotEndedOrIsOwnedOrOpenAgain_IsNotTriedAgain()
    {
        var open = await _host.OpenAsync(Some.Waiting());
        (await RetryAsync(open)).StatusCode.ShouldBe(HttpStatusCode.Conflict);

        var owned = await _host.OpenAsync(Ended(IncidentState.TakenOver, "261123-0313-owned000", "b"));
        (await WebHost.JsonOf(await RetryAsync(owned))).GetProperty("message").GetString()!.ShouldContain("Close it first");

        var ended = await _host.OpenAsync(Ended(IncidentState.Failed, "261123-0314-ended000", "c"));
        await _host.OpenAsync(Some.Incident("261123-0315-newer000", "c"));
        (await WebHost.JsonOf(await RetryAsync(ended))).GetProperty("incident").GetString().ShouldBe("261123-0315-newer000");
        (await RetryAsync("none")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        _host.Store.All.Count.ShouldBe(4);
    }

    [Fact]
    public async Task RejectedAndTriedAgain_IsNoNoAnyMore()
    {
        var id = await _host.OpenAsync(Some.Waiting().Decide("mitigation-1", new Decision(DecisionVerb.Reject, "ada", "api", Some.Time)).Incident
            .End(IncidentState.Rejected, "ada rejected it.", Some.Time));
        _host.Store.All[0].Remembers(Some.Alert(), Some.Time).ShouldBeTrue();

        await RetryAsync(id);

        _host.Store.All[0].Remembers(Some.Alert(), Some.Time).ShouldBeFalse();
    }

    private Task<HttpResponseMessage> RetryAsync(string id) => _host.Api.PostAsJsonAsync($"/api/incidents/{id}/retry", new { by = "ada", reason = "again" }, Cancel);
}
