using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Web.Pages;
using TestKit;
using static Runbooks.Web.Tests.WebHost;

namespace Runbooks.Web.Tests.Console;

public sealed class RunbookPageTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task Page_ShowsWhatItDoesItsVersionAndItsLatestIncidents()
    {
        var id = await _host.OpenAsync(Some.Incident());

        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync("/runbooks/hanged-gpu", Cancel));

        page.ShouldContain("Users in the EU region see timeouts.");
        page.ShouldContain("title=\"hash-of-hanged-gpu\"");
        page.ShouldContain("{{ labels.namespace }}/{{ labels.pod }}");
        page.ShouldContain($"/incidents/{id}");
        (await _host.Browser.GetStringAsync("/runbooks", Cancel)).ShouldContain("/runbooks/hanged-gpu");
    }

    [Theory]
    [InlineData("script.act", "Normal", "Acts without asking.", "asks nobody")]
    [InlineData("script.act", "ApproveAll", "Asks all the same, since everything is asked about here.", "asks first")]
    [InlineData("script.act", "DryRun", "Rehearses without asking.", "dry run, asks nobody")]
    [InlineData("note", "ApproveAll", "Tells people, and changes nothing.", "only tells")]
    [InlineData("note", "DryRun", "Tells people, and changes nothing.", "dry run, only tells")]
    [InlineData("person", "DryRun", "Rehearses without asking.", "dry run, asks nobody")]
    [InlineData("person", "Normal", "Asks for each step that is done by hand.", "asks for what is done by hand")]
    public async Task WithoutApproval_SaysWhatThisHostDoes(string action, string mode, string said, string inTheList)
    {
        var step = action switch
        {
            "note" => TestKit.Incidents.Given.Step("tell", "note", new { text = "x" }),
            "person" => TestKit.Incidents.Given.Step("look", "person", new { instruction = "x", who = (string[])["oncall"] }),
            _ => TestKit.Incidents.Given.Step("call"),
        };
        await using var host = await HostAsync(Some.Runbook() with { Mitigation = new() { Steps = [step] } }, mode);

        (await host.Browser.GetStringAsync("/runbooks/hanged-gpu", Cancel)).ShouldContain($"<p>{said}</p>");
        WebUtility.HtmlDecode(await host.Browser.GetStringAsync("/runbooks", Cancel)).ShouldContain($" impact · {inTheList} · ");
    }

    [Theory]
    [InlineData(false, false, "<h3>Resolution</h3><p>Acts without asking.</p>")]
    [InlineData(false, true, "<h3>Resolution</h3><p>Asks oncall: Fix ")]
    [InlineData(true, false, "<h3>Resolution</h3><p>Acts without asking.</p>")]
    [InlineData(true, true, "<h3>Resolution</h3><ol ")]
    public async Task Resolution_SaysWhoIsAskedWhereTheMitigationHasNot(bool mitigates, bool asks, string said)
    {
        var mitigation = new Mitigation { Approval = asks ? TestKit.Incidents.Given.Approval() : null, Steps = mitigates ? [TestKit.Incidents.Given.Step("call")] : [] };
        await using var host = await HostAsync(Some.Runbook() with { Mitigation = mitigation, Resolution = new() { Steps = [TestKit.Incidents.Given.Step("cure")] } }, "Normal");

        Regex.Replace(await host.Browser.GetStringAsync("/runbooks/hanged-gpu", Cancel), @">\s+<", "><").ShouldContain(said);
    }

    /// <summary>Whoever rehearses without telling anybody has to know that people are asked.</summary>
    [Theory]
    [InlineData(true, "dry run, asks first")]
    [InlineData(false, "dry run, asks for the resolution")]
    public async Task DryRunOfOneWithAQuestion_SaysThatItAsks(bool first, string said)
    {
        var (approval, mitigation) = (TestKit.Incidents.Given.Approval(), new Mitigation { Steps = [TestKit.Incidents.Given.Step("call")] });
        var runbook = Some.Runbook() with { Mitigation = mitigation with { Approval = first ? approval : null }, Resolution = new() { Approval = first ? null : approval, Steps = [TestKit.Incidents.Given.Step("cure")] } };
        await using var host = await HostAsync(runbook, "DryRun");

        WebUtility.HtmlDecode(await host.Browser.GetStringAsync("/runbooks", Cancel)).ShouldContain($" impact · {said} · ");
    }

    /// <summary>A resolution with a question of its own asks in every incident.</summary>
    [Theory]
    [InlineData("", "Normal", "asks first")]
    [InlineData("call", "Normal", "acts, then asks for the resolution")]
    [InlineData("call", "ApproveAll", "asks first")]
    [InlineData("tell", "ApproveAll", "asks for the resolution")]
    public async Task ResolutionThatAsksForItself_IsSaidInTheList(string mitigates, string mode, string said)
    {
        StepSpec[] steps = mitigates switch { "" => [], "tell" => [TestKit.Incidents.Given.Step("tell", "note", new { text = "x" })], _ => [TestKit.Incidents.Given.Step(mitigates)] };
        await using var host = await HostAsync(Some.Runbook() with { Mitigation = new() { Steps = steps }, Resolution = new() { Approval = TestKit.Incidents.Given.Approval(), Steps = [TestKit.Incidents.Given.Step("cure")] } }, mode);

        WebUtility.HtmlDecode(await host.Browser.GetStringAsync("/runbooks", Cancel)).ShouldContain($" impact · {said} · ");
    }

    [Fact]
    public async Task Approval_SaysWhoHasToAgreeAndWhatSilenceMeans()
    {
        var approval = TestKit.Incidents.Given.Approval() with { OwnerRequired = true, OnTimeout = OnTimeout.ProceedIfReversible };
        await using var host = await HostAsync(Some.Runbook() with { Owner = "ml", Mitigation = new() { Approval = approval, Steps = [TestKit.Incidents.Given.Step("call")] } }, "Normal");

        (await host.Browser.GetStringAsync("/runbooks/hanged-gpu", Cancel)).ShouldContain(
            "Somebody from ml, which owns the runbook, has to approve. After 20m without a decision the steps run all the same, if what they change can be undone and nothing speaks against it.</p>");
    }

    private static async Task<WebHost> HostAsync(Runbook runbook, string mode)
    {
        var host = new WebHost { Settings = { ["Safety:Mode"] = mode }, Configure = services => services.AddSingleton<IAction>(new TestKit.Incidents.ScriptedAction(new TestKit.Incidents.Script())).AddSingleton<LoadedRunbooks>(() => [runbook]) };
        await host.InitializeAsync();
        return host;
    }

    [Fact]
    public async Task StartedByHand_OpensAnIncidentThatSaysByWhomAndWhy()
    {
        var answer = await StartAsync(("label.namespace", "inference"), ("label.pod", "llm-b-0"), ("by", "ada"), ("reason", "drill"));

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var incident = _host.Store.All.ShouldHaveSingleItem();
        answer.Headers.Location!.ToString().ShouldBe($"/incidents/{incident.Id}");
        (incident.Target, incident.StartedBy, incident.Severity).ShouldBe(("inference/llm-b-0", "ada", Some.Runbook().Impact.Severity));
        incident.Timeline[0].What.ShouldContain("Started by ada: drill");
    }

    [Fact]
    public async Task LabelWithALongName_IsRead()
    {
        var label = new string('l', 200);
        await using var host = new WebHost { Configure = services => services.AddSingleton<LoadedRunbooks>(() => [Some.Runbook() with { Target = $"{{{{ labels.{label} }}}}" }]) };
        await host.InitializeAsync();

        var answer = await host.Browser.PostAsync("/runbooks/hanged-gpu/start", Form(($"label.{label}", "llm-b-0"), ("label.pod", "llm-b-0"), ("by", "ada"), ("reason", "drill")), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        host.Store.All.ShouldHaveSingleItem().Target.ShouldBe("llm-b-0");
    }

    /// <summary>Parameters are kept as JSON, where everything that is not ASCII is escaped.</summary>
    [Fact]
    public void LabelOfAnyName_IsAskedForByIt()
    {
        var runbook = Some.Runbook();
        runbook = runbook with { Mitigation = runbook.Mitigation with { Steps = [TestKit.Incidents.Given.Step("tell", "note", new { text = "{{ labels.größe }} {{ labels.a&b }}" })] }, Resolution = new() };

        var names = RunbookModel.LabelsOf(runbook).Select(label => label.Name).ToList();

        names.ShouldContain("größe");
        names.ShouldContain("a&b");
    }

    [Fact]
    public async Task LabelThatIsMissing_IsNamedAndWhatWasTypedStays()
    {
        var answer = await StartAsync(("label.namespace", "inf\"<b>"), ("label.pod", " "), ("by", "ada"), ("reason", "drill"));

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        WebUtility.HtmlDecode(page).ShouldContain("needs the label pod. Given: namespace.");
        page.ShouldContain("value=\"inf&quot;&lt;b&gt;\"");
        _host.Store.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task FormFromAnotherSiteOrForNoRunbook_StartsNothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/runbooks/hanged-gpu/start") { Content = Form(("label.namespace", "a"), ("label.pod", "b"), ("by", "ada"), ("reason", "x")) };
        request.Headers.Add("Sec-Fetch-Site", "cross-site");

        (await _host.Browser.SendAsync(request, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await _host.Browser.PostAsync("/runbooks/none/start", Form(("by", "ada"), ("reason", "x")), Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await _host.Browser.GetAsync("/runbooks/none", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        _host.Store.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task ParameterThatIsSecret_IsShownAsDots()
    {
        var runbook = Some.Runbook() with { Samples = new Dictionary<string, string> { ["script.sh"] = "a long text" }, Mitigation = new() { Steps = [TestKit.Incidents.Given.Step("call", "script.act", new { name = "call", password = "s3cret" })] } };
        await using var host = new WebHost { Settings = { ["Mcp:Enabled"] = "true" }, Configure = services => services.AddSingleton<IAction>(new TestKit.Incidents.ScriptedAction(new TestKit.Incidents.Script())).AddSingleton<LoadedRunbooks>(() => [runbook]) };
        await host.InitializeAsync();

        var page = WebUtility.HtmlDecode(await host.Browser.GetStringAsync("/runbooks/hanged-gpu", Cancel));

        page.ShouldContain("name: call, password: •••");
        page.ShouldNotContain("s3cret");

        // Whoever may read the page may ask for it as an assistant.
        using var ask = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"show_runbook","arguments":{"id":"hanged-gpu"}}}""", Encoding.UTF8, "application/json");
        var told = await (await host.Api.PostAsync("/mcp", ask, Cancel)).Content.ReadAsStringAsync(Cancel);
        told.ShouldContain("script.act");
        told.ShouldNotContain("s3cret");
        told.ShouldNotContain("a long text");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> StartAsync(params (string Name, string Value)[] fields) => _host.Browser.PostAsync("/runbooks/hanged-gpu/start", Form(fields), Cancel);
}
