using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Web.Console;
using Runbooks.Web.Access;
using TestKit;
using static Runbooks.Web.Tests.WebHost;

namespace Runbooks.Web.Tests.Console;

/// <summary>What people do on an incident's page, and scripts by the API: each once, on record, and by whom.</summary>
public sealed partial class IncidentFormsTests : IAsyncLifetime
{
    private readonly WebHost _host = new()
    {
        Book = new ContactBook([new("oncall", [Person("ada")]), new(ContactBook.Fallback, [Person("grace")])]),
        Map = app => app.MapPost("/platform/{id}", (HttpRequest request, string id, IncidentFormsHandler forms) =>
        {
            new Actor(Role.Operator, "ada") { Person = new("tenant/ada", "ada") }.EnterWith(request);
            return forms.DecideAsync(request, id);
        }).DisableAntiforgery(),
    };

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task Approve_DecidesThePlanThatThePageShowed()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        var answer = await DecideAsync(id, await FieldsAsync(id), "approve", "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.ToString().ShouldBe($"/incidents/{id}");
        var decision = _host.Store.All[0].LatestGate!.Decisions.ShouldHaveSingleItem();
        (decision.Person, decision.Via, decision.PlanHash).ShouldBe(("ada", "console", "plan-1"));
        _host.Engine.Woken.ShouldNotBeEmpty();
        var page = await PageAsync(id);
        page.ShouldContain("ada approved this at 03:12:00 UTC.");
        page.ShouldNotContain("value=\"approve\"");
    }

    [Fact]
    public async Task PlanThatChangedUnderThePage_IsNotApproved()
    {
        var id = await _host.OpenAsync(Some.Waiting());
        var shown = await FieldsAsync(id);
        await _host.Store.UpdateAsync(id, incident => (incident.Replace(incident.LatestGate! with { Plan = new Plan("plan-2", [Some.Step()]) }), true), Cancel);

        var answer = await DecideAsync(id, shown, "approve", "ada");

        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await TextAsync(answer)).ShouldContain("The plan has changed since it was shown to you; nothing was approved.");
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/decision", new { decision = "approve", by = "ada", planHash = "plan-1" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/decision", new { decision = "approve", by = "ada", planHash = "plan-2" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task WhoeverWasNotAsked_IsToldSoOnThePageAndDecidesNothing()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        var answer = await DecideAsync(id, await FieldsAsync(id), "reject", "mallory");

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var page = await TextAsync(answer);
        page.ShouldContain("mallory is not among those who were asked: oncall.");
        page.ShouldContain("value=\"approve\"");
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
    }

    [Fact]
    public async Task WherePeopleSignIn_TheTypedNameDoesNotCount()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        await _host.Browser.PostAsync($"/platform/{id}", Form(("gate", "mitigation-1"), ("plan", "plan-1"), ("decision", "takeOver"), ("by", "grace")), Cancel);

        _host.Store.All[0].LatestGate!.Decisions.ShouldHaveSingleItem().Person.ShouldBe("ada");
    }

    [Theory]
    [InlineData("decision")]
    [InlineData("stop")]
    [InlineData("retry")]
    [InlineData("notes")]
    public async Task FormFromAnotherSite_DoesNothing(string verb)
    {
        var id = await _host.OpenAsync(Some.Waiting());
        var writes = _host.Store.Writes;
        var request = new HttpRequestMessage(HttpMethod.Post, $"/incidents/{id}/{verb}")
        {
            Content = Form(("gate", "mitigation-1"), ("plan", "plan-1"), ("decision", "approve"), ("by", "ada"), ("reason", "x")),
        };
        request.Headers.Add("Sec-Fetch-Site", "cross-site");

        (await _host.Browser.SendAsync(request, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        _host.Store.Writes.ShouldBe(writes);
    }

    [Fact]
    public async Task Stop_IsOnRecordWithWhoAndWhy()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        (await _host.Browser.PostAsync($"/incidents/{id}/stop", Form(("by", "ada"), ("reason", "false alarm")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        _host.Store.All[0].Stop.ShouldBe(new StopRequest("ada", "false alarm", Some.Time) { BeforeResolution = true });
        (await PageAsync(id)).ShouldContain("ada asked to stop this: false alarm");
    }

    [Fact]
    public async Task FormsThatAreSentTwice_AreDoneBothTimes()
    {
        var id = await _host.OpenAsync(Some.Waiting(gate: Some.Gate() with { Required = 2 }));
        var shown = await FieldsAsync(id);
        for (var time = 0; time < 2; time++)
        {
            (await DecideAsync(id, shown, "approve", "ada")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }

        var decided = await _host.OpenAsync(Some.Waiting("261123-0313-00000000d") with { Target = "d" });
        foreach (var verb in new[] { "approve", "approve" })
        {
            (await DecideAsync(decided, shown, verb, "ada")).StatusCode.ShouldBe(HttpStatusCode.SeeOther, "the second press of a double click is no refusal");
        }

        (await DecideAsync(decided, shown, "reject", "ada")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        foreach (var (verb, incident) in new[] { ("notes", id), ("stop", id), ("acknowledge", await EndedAsync("a")), ("close", await EndedAsync("b")) })
        {
            for (var time = 0; time < 2; time++)
            {
                (await _host.Browser.PostAsync($"/incidents/{incident}/{verb}", Form(("by", "ada"), ("reason", "seen")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther, verb);
            }
        }

        await _host.Store.UpdateAsync(id, incident => (incident.End(IncidentState.Cancelled, "", Some.Time), true), Cancel);
        (await _host.Browser.PostAsync($"/incidents/{id}/stop", Form(("by", "ada"), ("reason", "seen")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther, "it has ended by then");
        var failed = await EndedAsync("c");
        var first = await _host.Browser.PostAsync($"/incidents/{failed}/retry", Form(("by", "ada"), ("reason", "again")), Cancel);
        var second = await _host.Browser.PostAsync($"/incidents/{failed}/retry", Form(("by", "ada"), ("reason", "again")), Cancel);
        second.Headers.Location.ShouldBe(first.Headers.Location);
        _host.Store.All.Count.ShouldBe(6);
        _host.Store.All.SelectMany(incident => incident.Timeline).Count(line => line.Kind == TimelineKind.Note).ShouldBe(1);
        _host.Store.All.Single(incident => incident.Id == decided).LatestGate!.Decisions.ShouldHaveSingleItem();

        Task<string> EndedAsync(string target) => _host.OpenAsync(Ended(IncidentState.Failed, $"261123-0313-0000000{target}", target));
    }

    [Fact]
    public async Task Note_StandsInTheTimelineWithoutSecretsAlsoAfterTheEnd()
    {
        var id = await _host.OpenAsync(Some.Incident() with { State = IncidentState.Failed });

        (await _host.Browser.PostAsync($"/incidents/{id}/notes", Form(("by", "ada"), ("reason", "rotated, password=hunter22 <b>")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/notes", new { by = "linus", reason = "seen" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _host.Store.All[0].Timeline.TakeLast(2).Select(line => (line.Kind, line.Who, line.What)).ShouldBe(
            [(TimelineKind.Note, "ada", "rotated, password=••• <b>"), (TimelineKind.Note, "linus", "seen")]);
        (await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)).ShouldContain("&lt;b&gt;");
    }

    [Fact]
    public async Task NoteThatIsTooLong_IsRefusedAndNotCut()
    {
        var id = await _host.OpenAsync(Some.Incident());
        var (fits, tooLong) = (new string('x', 1_000), new string('x', 1_001));

        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/notes", new { by = "ada", reason = fits }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await TextAsync(await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/notes", new { by = "ada", reason = tooLong }, Cancel))).ShouldContain("A note has at most 1000 characters. Nothing was recorded.");
        (await TextAsync(await _host.Browser.PostAsync($"/incidents/{id}/notes", Form(("by", "ada"), ("reason", tooLong)), Cancel))).ShouldContain("A note has at most 1000 characters. Nothing was recorded.");
        _host.Store.All[0].Timeline.Count(line => line.Kind == TimelineKind.Note).ShouldBe(1);

        var larger = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/notes", new { by = "ada", reason = new string('x', 70_000) }, Cancel);
        larger.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await TextAsync(larger)).ShouldNotContain("alerts");
    }

    [Fact]
    public async Task NotesWithoutEnd_AreRefused()
    {
        var full = Enumerable.Range(0, Incident.MaxNotes).Aggregate(Some.Incident(), (incident, i) => incident.AddNote("ada", $"{i}", Some.Time).Incident);
        var id = await _host.OpenAsync(full);

        (await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/notes", new { by = "ada", reason = "more" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        _host.Store.All[0].Timeline.Count.ShouldBe(full.Timeline.Count);
    }

    [Fact]
    public async Task RefusalWhosePageCannotBeShown_IsSaidAllTheSame()
    {
        var id = await _host.OpenAsync(Ended(IncidentState.Failed) with { RunbookHash = "lost" });

        var answer = await _host.Browser.PostAsync($"/incidents/{id}/stop", Form(("by", "ada"), ("reason", "x")), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await TextAsync(answer)).ShouldContain($"Incident {id} ended");
    }

    [Theory]
    [InlineData("Basic YWRhOnNlY3JldA==", "value=\"ada\"")]
    [InlineData("Basic !!", "name=\"by\"")]
    public async Task NameThatTheBrowserAskedFor_StandsInTheForms(string authorization, string expected)
    {
        var id = await _host.OpenAsync(Some.Waiting());
        var request = new HttpRequestMessage(HttpMethod.Get, $"/incidents/{id}");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);

        (await (await _host.Browser.SendAsync(request, Cancel)).Content.ReadAsStringAsync(Cancel)).ShouldContain(expected);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Recipient Person(string name) => new(name, [new Address("test", name, name)]) { Identities = [Identity.SignIn($"tenant/{name}")] };

    private static Incident Ended(IncidentState state, string id = "261123-0312-k7m2p9wd", string target = "inference/llm-b-0") =>
        Some.Incident(id, target).End(state, "It did not work.", Some.Time);

    private async Task<string> PageAsync(string id) => Tags().Replace(WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel)), "");

    private async Task<(string Gate, string Plan)> FieldsAsync(string id)
    {
        var page = await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel);
        return (Hidden("gate").Match(page).Groups[1].Value, Hidden("plan").Match(page).Groups[1].Value);
    }

    private Task<HttpResponseMessage> DecideAsync(string id, (string Gate, string Plan) shown, string decision, string by) =>
        _host.Browser.PostAsync($"/incidents/{id}/decision", Form(("gate", shown.Gate), ("plan", shown.Plan), ("decision", decision), ("by", by), ("reason", "")), Cancel);

    private static Regex Hidden(string name) => new($"name=\"{name}\" value=\"([^\"]*)\"");

    [GeneratedRegex("</?(a|strong)[^>]*>")]
    private static partial Regex Tags();
}
