using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;

namespace Runbooks.Web.Tests.Decisions;

/// <summary>Ada was asked by a schedule, and her shift is over: Grace is on call now. Carol is on another one, Zed in no contact.</summary>
public sealed class OnCallDoorsTests : IAsyncLifetime
{
    private readonly ScriptedSchedule _rota = new ScriptedSchedule().Put("grace").And("zed@elsewhere.example");
    private readonly WebHost _host;
    private Incident _incident = null!;

    public OnCallDoorsTests()
    {
        List<Recipient> people = [.. new[] { "ada", "grace", "carol", "linus" }.Select(name => new Recipient(name, [new("test", name, name)]))];
        _host = new()
        {
            Book = new([new("oncall", []) { Schedule = new("rota", "R1", [people[2]]) }, new(ContactBook.Fallback, [people[3]])], people),
            Configure = services => services.AddSingleton<IOnCallSource>(_rota),
        };
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        _incident = Some.Waiting();
        var gate = _incident.LatestGate! with { Approvers = ["oncall"], OnCall = [new("oncall", "mitigation-1:0", ["ada"], "ada is on call by rota schedule R1.", Some.Time) { Source = "rota schedule R1" }] };
        _incident = _incident.Replace(gate);
        await _host.OpenAsync(_incident);
    }

    [Theory]
    [InlineData("ada", true)]
    [InlineData("grace", true)]
    [InlineData("carol", false)]
    [InlineData("linus", false)]
    [InlineData("zed@elsewhere.example", false)]
    public async Task Link_DecidesForWhoeverWasAskedOrIsOnCall(string person, bool may)
    {
        using var form = new FormUrlEncodedContent([new("decision", "approve")]);

        var answer = await _host.Browser.PostAsync($"/decide?token={_host.Token(_incident, person)}", form, Ct);

        Outcome.ShouldBe(may ? GateOutcome.Approved : GateOutcome.Pending, await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Whoever handed over, or has left, would take a button that cannot count for an answer.</summary>
    [Theory]
    [InlineData("ada", true)]
    [InlineData("grace", true)]
    [InlineData("carol", false)]
    [InlineData("zed@elsewhere.example", false)]
    public async Task Link_ShowsThePlanToWhoeverWasAskedOrIsOnCall(string person, bool may)
    {
        var answer = await _host.Browser.GetAsync($"/decide?token={_host.Token(_incident, person)}", Ct);

        answer.StatusCode.ShouldBe(may ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        var page = await answer.Content.ReadAsStringAsync(Ct);
        page.Contains("id=\"plan\"", StringComparison.Ordinal).ShouldBe(may);
        page.Contains("<button", StringComparison.Ordinal).ShouldBe(may);
        page.Contains("may not decide this any more", StringComparison.Ordinal).ShouldBe(!may);
    }

    /// <summary>Nobody is asked any more: whoever may not decide is told how it ended, without the plan.</summary>
    [Theory]
    [InlineData("ada", true)]
    [InlineData("carol", false)]
    [InlineData("zed@elsewhere.example", false)]
    public async Task LinkOfAClosedQuestion_SaysHowItEndedWithoutAskingTheSchedule(string person, bool hasPlan)
    {
        using var form = new FormUrlEncodedContent([new("decision", "approve")]);
        await _host.Browser.PostAsync($"/decide?token={_host.Token(_incident, "ada")}", form, Ct);
        Outcome.ShouldBe(GateOutcome.Approved);
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        var asked = _rota.Asked;

        var look = await _host.Browser.GetAsync($"/decide?token={_host.Token(_incident, person)}", Ct);

        _rota.Asked.ShouldBe(asked);
        var late = await _host.Browser.PostAsync($"/decide?token={_host.Token(_incident, person)}", form, Ct);
        (look.StatusCode, late.StatusCode).ShouldBe((HttpStatusCode.OK, HttpStatusCode.Conflict));
        foreach (var page in new[] { await look.Content.ReadAsStringAsync(Ct), await late.Content.ReadAsStringAsync(Ct) })
        {
            page.ShouldContain("ada approved this");
            page.ShouldNotContain("may not decide this any more");
            page.Contains("id=\"plan\"", StringComparison.Ordinal).ShouldBe(hasPlan);
        }
    }

    [Theory]
    [InlineData("ada", HttpStatusCode.OK)]
    [InlineData("grace", HttpStatusCode.OK)]
    [InlineData("carol", HttpStatusCode.Forbidden)]
    [InlineData("zed@elsewhere.example", HttpStatusCode.Forbidden)]
    [InlineData("oncall", HttpStatusCode.Forbidden)]
    public async Task Api_DecidesForWhoeverWasAskedOrIsOnCall(string by, HttpStatusCode status)
    {
        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{_incident.Id}/decision", new { decision = "approve", by }, Ct);

        answer.StatusCode.ShouldBe(status, await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Incident_SaysWhomTheScheduleMeantAndSafetyWhomItMeansNow()
    {
        var gate = (await WebHost.JsonOf(await _host.Api.GetAsync($"/api/incidents/{_incident.Id}", Ct))).GetProperty("gate").GetProperty("onCall")[0];
        (gate.GetProperty("people")[0].GetString(), gate.GetProperty("from").GetString(), gate.GetProperty("source").GetString()).ShouldBe(("ada", "schedule", "rota schedule R1"));
        (await _host.Browser.GetStringAsync($"/incidents/{_incident.Id}", Ct)).ShouldContain("ada is on call by rota schedule R1.");

        (await _host.Browser.GetStringAsync("/safety", Ct)).ShouldContain("grace is on call by rota schedule R1. zed@elsewhere.example is too, but not in the contacts, so not asked.");
    }

    private GateOutcome Outcome => _host.Store.All[0].LatestGate!.Outcome;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
