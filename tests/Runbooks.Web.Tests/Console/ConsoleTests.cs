using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Console;

public sealed partial class ConsoleTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    [Fact]
    public async Task NothingYet_TellsWhatOpensAnIncidentAndNamesNoCommandThatIsNotThere()
    {
        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync("/", Ct));

        page.ShouldContain("All quiet");
        page.ShouldContain("1 runbook loaded: hanged-gpu.");
        page.ShouldContain("An alert that a runbook is for opens one.");
        page.ShouldNotContain("Try one");

        await using var tried = new WebHost { Settings = { ["Console:TryThis"] = "runbook fire hanged-gpu" } };
        await tried.InitializeAsync();
        (await tried.Browser.GetStringAsync("/", Ct)).ShouldContain("<code>runbook fire hanged-gpu</code>");
    }

    [Theory]
    [InlineData("/?q=llm-b-9")]
    [InlineData("/?state=expired")]
    [InlineData("/?runbook=disk-full")]
    public async Task SearchThatFindsNothing_SaysSoUnderWhatNeedsAPerson(string path)
    {
        await _host.OpenAsync(Some.Incident("261123-0313-failed00", "inference/llm-b-0").End(IncidentState.Failed, "It did not work.", Some.Time));

        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(path, Ct));

        page.ShouldContain("/incidents/261123-0313-failed00");
        page.ShouldContain("Nothing fits this filter. What needs a person is shown above, whatever is looked for.");
        (await _host.Browser.GetStringAsync("/", Ct)).ShouldNotContain("Nothing fits this filter");
    }

    [Fact]
    public async Task LaterPage_StillSaysHowManyQuestionsWait()
    {
        await _host.OpenAsync(Some.Waiting("261123-0313-waiting0") with { Target = "waiting" });
        for (var i = 0; i < 20; i++)
        {
            await _host.OpenAsync(Some.Incident($"261123-0313-{i:d8}", $"pod-{i}") with { State = IncidentState.Resolved, OpenedAt = Some.Time.AddMinutes(i) });
        }

        var next = Older().Match(WebUtility.HtmlDecode(await _host.Browser.GetStringAsync("/", Ct))).Groups[1].Value;
        next.ShouldStartWith("/?after=");
        (await _host.Browser.GetStringAsync(next, Ct)).ShouldContain("<h1 id=\"title\">1 question waiting for an answer</h1>");
    }

    [Fact]
    public async Task WaitingIncidents_StandFirst()
    {
        await _host.OpenAsync(Some.Waiting("261123-0312-waiting0"));
        await _host.OpenAsync(Some.Incident("261123-0313-younger0", "b"));
        await _host.OpenAsync(Some.Incident("261123-0314-ended000", "c") with { State = IncidentState.Resolved });

        var page = await _host.Browser.GetStringAsync("/", Ct);

        page.ShouldContain("1 question waiting for an answer");
        var waiting = page.IndexOf("261123-0312-waiting0", StringComparison.Ordinal);
        var younger = page.IndexOf("261123-0313-younger0", StringComparison.Ordinal);
        waiting.ShouldBeLessThan(younger);
        younger.ShouldBeLessThan(page.IndexOf("261123-0314-ended000", StringComparison.Ordinal));
        (await _host.Browser.GetStringAsync("/?state=final", Ct)).ShouldNotContain("261123-0312-waiting0");
        (await _host.Browser.GetStringAsync("/?state=nonsense&runbook=%3Cb%3E&after=", Ct)).ShouldNotContain("<b>");
        (await _host.Browser.GetStringAsync("/?after=nonsense", Ct)).ShouldContain("261123-0312-waiting0");
    }

    [Fact]
    public async Task OpenIncidents_StandInTheOrderOfTheirUrgency()
    {
        var opened = Some.Time;
        foreach (var (id, severity) in new[] { ("low0", ImpactSeverity.Low), ("critical", ImpactSeverity.Critical), ("medium00", ImpactSeverity.Medium) })
        {
            await _host.OpenAsync(Some.Incident($"261123-0313-{id}", id) with { Severity = severity, OpenedAt = opened = opened.AddMinutes(1) });
        }

        await _host.OpenAsync(Some.Waiting("261123-0312-later000", Some.Gate() with { ExpiresAt = Some.Time.AddHours(1) }) with { Target = "later" });
        await _host.OpenAsync(Some.Waiting("261123-0312-soon0000") with { Target = "soon" });

        var page = await _host.Browser.GetStringAsync("/", Ct);

        string[] order = ["soon0000", "later000", "critical", "medium00", "low0"];
        order.Select(id => page.IndexOf($"/incidents/261123-031{(id is "soon0000" or "later000" ? 2 : 3)}-{id}", StringComparison.Ordinal)).ShouldBeInOrder();
        page.ShouldContain("Critical impact");
        page.ShouldContain("sev-critical");
        page.ShouldContain("<strong>Recycle pod llm-b-0?</strong>");
    }

    [Fact]
    public async Task WordsAndStates_NarrowTheListAndCountsSayHowMany()
    {
        await _host.OpenAsync(Some.Incident("261123-0313-expired0", "inference/llm-b-7") with { State = IncidentState.Expired });
        await _host.OpenAsync(Some.Incident("261123-0314-failed00", "inference/llm-b-8") with { State = IncidentState.Failed });

        var page = await _host.Browser.GetStringAsync("/", Ct);
        page.ShouldContain("Unanswered<span class=\"count\">1</span>");
        page.ShouldContain("Everything<span class=\"count\">2</span>");
        var unanswered = await _host.Browser.GetStringAsync("/?state=expired", Ct);
        unanswered.ShouldContain("expired0");
        unanswered.ShouldNotContain("failed00");
        var found = await _host.Browser.GetStringAsync("/?q=LLM-B-8", Ct);
        found.ShouldContain("failed00");
        found.ShouldNotContain("expired0");
        (await _host.Browser.GetStringAsync("/?q=%22%3E%3Cb%3E", Ct)).ShouldNotContain("\"><b>");
    }

    /// <summary>It has a person: it needs nobody else, and it is open until that person says otherwise.</summary>
    [Fact]
    public async Task IncidentThatAResponderOwns_StandsUnderOpenAloneAndEveryCountSaysSo()
    {
        await _host.OpenAsync(Ended(IncidentState.TakenOver, "owned000"));
        await _host.OpenAsync(Ended(IncidentState.Failed, "failed00"));

        foreach (var address in new[] { "/", "/?state=open", "/?state=needsPerson" })
        {
            var page = await _host.Browser.GetStringAsync(address, Ct);
            page.ShouldContain("Needs a person<span class=\"count\">1</span>");
            page.ShouldContain("Open<span class=\"count\">1</span>");
        }

        (await _host.Browser.GetStringAsync("/", Ct)).ShouldContain("<h2>Open <span class=\"count\">1</span></h2>");
        (await _host.Browser.GetStringAsync("/?state=open", Ct)).ShouldContain("owned000");
        var left = await _host.Browser.GetStringAsync("/?state=needsPerson", Ct);
        left.ShouldContain("failed00");
        left.ShouldNotContain("owned000");

        static Incident Ended(IncidentState state, string id) => Some.Incident($"261123-0313-{id}", id).End(state, "so", Some.Time);
    }

    /// <summary>Every open console asks every three seconds.</summary>
    [Fact]
    public async Task Page_ListsNothingTwice()
    {
        await _host.OpenAsync(Some.Waiting());
        _host.Store.Listings.Clear();

        await _host.Browser.GetStringAsync("/", Ct);

        _host.Store.Listings.Select(query => (query.Open, query.Unfinished, query.LeftToPeople)).ShouldBe([(true, false, false), (null, true, false), (false, false, false)], ignoreOrder: true);
    }

    [Fact]
    public async Task LongList_IsPagedWithoutGapAndBack()
    {
        for (var i = 0; i < 120; i++)
        {
            await _host.OpenAsync(Some.Incident($"261123-0313-{i:d8}", $"pod-{i}") with { State = IncidentState.Resolved, OpenedAt = Some.Time.AddMinutes(i) });
        }

        var seen = new List<string>();
        string? next = "/?state=final";
        while (next is not null)
        {
            var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(next, Ct));
            seen.AddRange(Ids().Matches(page).Select(match => match.Groups[1].Value));
            next = Older().Match(page) is { Success: true } older ? older.Groups[1].Value : null;
            (next is null).ShouldBe(seen.Count == 120);
        }

        seen.ShouldBe(Enumerable.Range(0, 120).Reverse().Select(i => $"{i:d8}"));
    }

    [GeneratedRegex("href=\"/incidents/261123-0313-(\\d{8})\"")]
    private static partial Regex Ids();

    [GeneratedRegex("href=\"([^\"]*)\" rel=\"next\"")]
    private static partial Regex Older();

    [Fact]
    public async Task AzureResource_IsListedByItsNameWithItsIdAtHand()
    {
        const string machine = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-batch-1";
        await _host.OpenAsync(Some.Incident("261123-0313-machine0", machine));

        foreach (var path in new[] { "/", "/incidents/261123-0313-machine0" })
        {
            (await _host.Browser.GetStringAsync(path, Ct)).ShouldContain($"<span class=\"target\" title=\"{machine}\">vm-batch-1</span>");
        }
    }

    [Fact]
    public async Task Evidence_IsAFileToSaveAndNeverAPage()
    {
        await _host.Evidence.SaveAsync("261123-0312-k7m2p9wd", "llm-b-0.log", new MemoryStream("<script>"u8.ToArray()), Ct);

        var answer = await _host.Browser.GetAsync("/incidents/261123-0312-k7m2p9wd/evidence/llm-b-0.log", Ct);

        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldBe("<script>");
    }

    [Theory]
    [InlineData("..%2f..%2fapi-key")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("nothing.log")]
    public async Task EvidenceThatIsNotThere_Is404(string name) =>
        (await _host.Browser.GetAsync($"/incidents/261123-0312-k7m2p9wd/evidence/{name}", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Theory]
    [InlineData("report")]
    [InlineData("report?as=markdown")]
    [InlineData("evidence/nothing.log")]
    public async Task BrowserThatFindsNothingOrNoStore_IsToldOnAPageAndAScriptIsNot(string path)
    {
        foreach (var (accept, type) in new[] { ("text/html,*/*;q=0.8", "text/html"), ("*/*", "application/problem+json") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/incidents/none/{path}") { Headers = { { "Accept", accept } } };
            using var answer = await _host.Browser.SendAsync(request, Ct);
            (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType).ShouldBe((HttpStatusCode.NotFound, type));
        }

        _host.Store.Fault = () => new StoreUnavailableException("away");
        using var later = new HttpRequestMessage(HttpMethod.Get, "/incidents/none/report") { Headers = { { "Accept", "text/html" } } };
        (await (await _host.Browser.SendAsync(later, Ct)).Content.ReadAsStringAsync(Ct)).ShouldContain("<p>The records cannot be reached at the moment.");
    }

    [Fact]
    public async Task Pages_NeedTheKeyOutsideOfPractice()
    {
        await using var closed = new WebHost { OpenPages = false };
        await closed.InitializeAsync();
        (await closed.Browser.GetAsync("/", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"ada:{WebHost.Key}")));
        (await closed.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task PageUnderAForeignHostName_StaysClosed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "rebound.example";

        (await _host.Browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task StyleSheet_IsServedUnderTheAddressThatPagesUse()
    {
        var page = await _host.Browser.GetStringAsync("/", Ct);
        var start = page.IndexOf("/assets/runbooks.css", StringComparison.Ordinal);
        var url = page[start..page.IndexOf('"', start)];

        var answer = await _host.Browser.GetAsync(url, Ct);

        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/css");
        answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromDays(365));
        (await _host.Browser.GetAsync("/assets/other.css", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>More may need a person than the page reads.</summary>
    [Fact]
    public async Task MoreThanAreRead_AreNotCountedAsIfThatWereAll()
    {
        for (var i = 0; i <= Runbooks.Web.Incidents.LiveIncidents.Most; i++)
        {
            await _host.OpenAsync(Some.Incident($"261123-0312-{i:00000000}", $"inference/llm-b-{i}").End(IncidentState.Failed, "so", Some.Time));
        }

        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync("/", Ct));

        page.ShouldContain("500 or more incidents need a person");
        page.ShouldContain("<span class=\"count\">500 or more</span>");
        page.ShouldContain("<title>(500+) Runbooks</title>");
        page.ShouldNotContain("<span class=\"count\">500</span>");
    }

    [Fact]
    public async Task QuestionThatIsAnswered_WaitsForNobody()
    {
        var id = await _host.OpenAsync(Some.Waiting());
        await _host.Store.UpdateAsync(id, i => i.CloseGate(i.OpenGate!.Id, GateOutcome.Approved, "ada", Some.Time), Ct);

        var page = await _host.Browser.GetStringAsync("/", Ct);

        page.ShouldNotContain("waiting for an answer");
        page.ShouldContain("class=\"badge busy\"");
        (await _host.Browser.GetStringAsync($"/incidents/{id}", Ct)).ShouldNotContain("Waiting for approval");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;
}
