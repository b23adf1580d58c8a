using System.Net;
using CsCheck;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

public sealed partial class DecidePageTests : IAsyncLifetime
{
    private const string Hostile = "<script>alert('x')</script>\"'&";
    private readonly WebHost _host = new();
    private readonly Incident _incident = Some.Waiting();
    private string _link = "";

    [Fact]
    public async Task GetAndHeadTenTimes_ChangeNothing()
    {
        var writes = _host.Store.Writes;
        for (var i = 0; i < 10; i++)
        {
            (await _host.Browser.GetAsync(_link, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await _host.Browser.GetAsync($"{_link}&decision=approve", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
            using var head = new HttpRequestMessage(HttpMethod.Head, _link);
            (await _host.Browser.SendAsync(head, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        _host.Store.Writes.ShouldBe(writes);
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
        _host.Engine.Woken.ShouldBeEmpty();
    }

    [Fact]
    public async Task Page_ShowsImpactFindingsStepsAndWhatSilenceMeans()
    {
        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link, Ct));

        page.ShouldContain(">Recycle pod llm-b-0?</h1>");
        page.ShouldContain("Users in the EU region see timeouts.");
        page.ShouldContain("GPU memory is at 98 %.");
        page.ShouldContain("98 % (limit > 95)");
        page.ShouldContain("points=\"44,15.6 180,12.6 316,9.5\"");
        page.ShouldContain("Delete pod llm-b-0 in inference, keeping its logs.");
        page.ShouldContain("Cannot be undone.");
        page.ShouldContain("<dd>llm-b-0</dd>");
        page.ShouldContain("At 03:32:00 UTC nothing is done and the incident is closed as expired.");
        page.ShouldContain("You decide as <strong>oncall</strong>");
        page.ShouldContain("value=\"approve\"");
        page.ShouldContain("value=\"reject\"");
        page.ShouldContain("value=\"takeOver\"");
        page.ShouldNotContain("Dry run");
    }

    [Fact]
    public async Task LinkWithTheTokenInItsPath_AsItWasSentBefore_OpensAndDecides()
    {
        var link = $"/decide/{_host.Token(_incident)}";

        (await _host.Browser.GetStringAsync(link, Ct)).ShouldContain(">Recycle pod llm-b-0?</h1>");
        (await _host.Browser.PostAsync(link, WebHost.Form("approve"), Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Theory]
    [InlineData("/decide")]
    [InlineData("/decide?token=")]
    [InlineData("/decide?token=a&token=b")]
    public async Task LinkWithoutAToken_DoesNotWork(string link) =>
        (await _host.Browser.GetAsync(link, Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Theory]
    [InlineData("approve", GateOutcome.Approved)]
    [InlineData("reject", GateOutcome.Rejected)]
    [InlineData("takeOver", GateOutcome.TakenOver)]
    public async Task PostOfTheForm_Decides(string decision, GateOutcome outcome)
    {
        var answer = await PostAsync(decision, "seen the graphs");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var gate = _host.Store.All[0].LatestGate!;
        gate.Outcome.ShouldBe(outcome);
        gate.Decisions.ShouldHaveSingleItem().ShouldBe(gate.Decisions[0] with { Person = "oncall", Via = "link", Reason = "seen the graphs" });
        _host.Engine.Woken.Count.ShouldBe(1);
    }

    [Fact]
    public async Task SecondClick_IsToldWhoDecidedWhatAndWhen()
    {
        await PostAsync("approve");
        _host.Time.Advance(TimeSpan.FromMinutes(1));

        using var form = WebHost.Form("reject");
        var second = await _host.Browser.PostAsync($"/decide?token={_host.Token(_incident, "platform-lead")}", form, Ct);

        second.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await second.Content.ReadAsStringAsync(Ct)).ShouldContain("oncall approved this at 03:12:00 UTC.");
        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Fact]
    public async Task LateReader_SeesHowItEndedAndNoButtons()
    {
        await PostAsync("reject", "not now");

        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link, Ct));
        page.ShouldContain("oncall rejected this at 03:12:00 UTC.");
        page.ShouldContain("Reason given: not now");
        page.ShouldNotContain("<button");
    }

    [Fact]
    public async Task ExpiredQuestion_TakesNoDecision()
    {
        _host.Time.Advance(TimeSpan.FromMinutes(21));

        var answer = await PostAsync("approve");

        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("Your answer came too late and does not count. The time for an answer ended at 03:32:00 UTC");
        _host.Store.All[0].LatestGate!.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task LinkLongAfterItsTime_ShowsNothingButHowItEnded()
    {
        _host.Time.Advance(TimeSpan.FromDays(3));

        var page = await _host.Browser.GetStringAsync(_link, Ct);

        page.ShouldContain("The time for an answer ended at");
        page.ShouldNotContain("GPU memory");
    }

    [Fact]
    public async Task AnyFlippedCharacter_IsRefusedAndChangesNothing()
    {
        var writes = _host.Store.Writes;
        var token = _host.Token(_incident);
        await Gen.Select(Gen.Int[0, token.Length - 1], Gen.Char["ABCXYZabcxyz0123456789-_."]).SampleAsync(
            async change =>
            {
                var bad = string.Concat(token.AsSpan(0, change.Item1), change.Item2.ToString(), token.AsSpan(change.Item1 + 1));
                if (bad == token)
                {
                    return;
                }

                using var form = WebHost.Form("approve");
                (await _host.Browser.PostAsync($"/decide?token={bad}", form, Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
            },
            iter: 200);

        _host.Store.Writes.ShouldBe(writes);
        _host.Logged.ShouldContain(line => line.StartsWith("A decision link was refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Token_NeverReachesTheLog()
    {
        await _host.Browser.GetAsync(_link, Ct);
        await PostAsync("approve");

        var token = _host.Token(_incident);
        _host.Logged.ShouldEach(line => !line.Contains(token));
    }

    [Fact]
    public async Task HundredDeciders_GiveOneDecision()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async n =>
        {
            using var form = WebHost.Form(n % 2 == 0 ? "approve" : "reject");
            return (await _host.Browser.PostAsync($"/decide?token={_host.Token(_incident, $"person-{n}")}", form, Ct)).StatusCode;
        }));

        answers.Count(status => status == HttpStatusCode.OK).ShouldBe(1);
        answers.Count(status => status == HttpStatusCode.Conflict).ShouldBe(99);
        _host.Store.All[0].LatestGate!.Decisions.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Page_CarriesHeadersThatKeepItsAddressAndContentHome()
    {
        var headers = (await _host.Browser.GetAsync(_link, Ct)).Headers;

        headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
        headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        headers.GetValues("X-Robots-Tag").ShouldBe(["noindex, nofollow"]);
        headers.CacheControl!.NoStore.ShouldBeTrue();
        var policy = headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
    }

    [Fact]
    public async Task HostileText_IsShownAsText()
    {
        var gate = Some.Gate() with { Question = Hostile, Difference = Hostile, Warnings = [Hostile] };
        var finding = Some.Finding();
        var incident = Some.Waiting("261123-0312-hostile0", gate) with
        {
            Target = Hostile,
            Findings = [finding with { Ask = Hostile, Result = finding.Result with { Summary = Hostile, Value = Hostile, Link = "javascript:alert(1)" } }],
        };
        await _host.OpenAsync(incident);

        var page = await _host.Browser.GetStringAsync($"/decide?token={_host.Token(incident, Hostile)}", Ct);
        var console = await _host.Browser.GetStringAsync($"/incidents/{incident.Id}", Ct);
        var list = await _host.Browser.GetStringAsync("/", Ct);

        foreach (var html in new[] { page, console, list })
        {
            html.ShouldNotContain("<script>alert");
            html.ShouldNotContain("javascript:");
            html.ShouldContain("&lt;script&gt;");
        }
    }

    [Fact]
    public async Task SignedInPerson_IsNotTakenFromAHeaderThatAnybodyCanSet()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _link) { Content = WebHost.Form("approve") };
        request.Headers.Add("X-MS-CLIENT-PRINCIPAL-NAME", "ceo@example.com");

        await _host.Browser.SendAsync(request, Ct);

        _host.Store.All[0].LatestGate!.Decisions[0].Person.ShouldBe("oncall");
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        await _host.OpenAsync(_incident);
        _link = $"/decide?token={_host.Token(_incident)}";
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task QuestionAfterTheMitigation_ShowsWhatWasDoneAndWhatTheChecksSaidLast()
    {
        await _host.Store.UpdateAsync(_incident.Id, current => (current with
        {
            Verification = [Some.Finding(verdict: Verdict.Passing) with { Result = CheckResult.Passing("GPU memory is at 41 %."), At = Some.Time.AddMinutes(-1) }],
            Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "x", GateId = "mitigation-1", Status = StepStatus.Done, Outcome = "Deleted the pod.", Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = Some.Time }],
        }, true), Ct);

        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link, Ct));

        page.ShouldContain("<h2>What was found first</h2>");
        page.ShouldContain("<p class=\"will\">recycle: Deleted the pod.</p>");
        page.ShouldContain("GPU memory is at 41 %.");
        page.ShouldContain("<time datetime=\"2026-11-23T03:11:00Z\">03:11:00 UTC</time>");
        page.IndexOf("GPU memory is at 41 %.", StringComparison.Ordinal).ShouldBeLessThan(page.IndexOf("What will be done", StringComparison.Ordinal));
        page.ShouldContain("A no is remembered: this firing of the alert asks again only if it becomes more severe.");
    }

    /// <summary>A second press would count for nothing, and a no still does.</summary>
    [Fact]
    public async Task WhoHasApprovedAndWaitsForOthers_IsOfferedNoSecondYes()
    {
        await _host.Store.UpdateAsync(_incident.Id, i => (i.Replace(i.OpenGate! with { Required = 2 }), true), Ct);

        var answer = await PostAsync("approve");
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Ct));

        page.ShouldContain("Your approval counts; 1 more needed.");
        page.ShouldNotContain("value=\"approve\"");
        page.ShouldContain("value=\"reject\"");
        (await _host.Browser.GetStringAsync(_link, Ct)).ShouldContain("You have approved; 1 more needed.");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> PostAsync(string decision, string reason = "")
    {
        using var form = WebHost.Form(decision, reason);
        return await _host.Browser.PostAsync(_link, form, Ct);
    }
}
