using System.Net;
using System.Text.RegularExpressions;
using RunbookServer.Samples;
using TestKit.People;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Practice shows on every page, and the sandbox is broken, healed and fired at from one of them.</summary>
public sealed partial class SandboxPageTests
{
    [Fact]
    public async Task Badge_StandsOnEveryPageOfPractice()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();

        foreach (var path in new[] { "", $"incidents/{id}", "runbooks", "runbooks/hanged-gpu", "unmatched", "statistics", "safety", "sandbox", await host.LinkAsync("oncall"), "incidents/none" })
        {
            (await (await host.Client.Http.GetAsync(path, Cancel)).Content.ReadAsStringAsync(Cancel)).ShouldContain("<strong>Practice</strong>", Case.Sensitive, path);
        }
    }

    [Fact]
    public async Task OutsideOfPractice_ThereIsNeitherBadgeNorPage()
    {
        await using var mail = await MailServer.StartAsync();
        await using var host = await RunningHost.StartAsync(people: PeopleFiles.ByMail(mail.Port));

        var console = await host.Client.Http.GetStringAsync("", Cancel);
        console.ShouldNotContain("Practice");
        console.ShouldNotContain("Try one", Case.Sensitive, "it would page whoever is on call");
        (await host.Client.Http.GetAsync("sandbox", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await host.Client.PostAsync("api/sandbox/reset", "{}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task SampleAndTroubles_AreOneButtonEach()
    {
        await using var host = await RunningHost.StartAsync();
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = host.Client.Http.BaseAddress };

        (await FormAsync(browser, "troubles", ("name", "hung-pod"), ("turn", "heal"))).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await browser.GetStringAsync("sandbox", Cancel)).ShouldContain("<button name=\"turn\" value=\"break\">Break<span class=\"sr\">: The pod inference/llm-b-0");
        (await FormAsync(browser, "reset")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await browser.GetStringAsync("sandbox", Cancel)).ShouldContain("<button name=\"turn\" value=\"heal\">Heal<span class=\"sr\">: The pod inference/llm-b-0");

        var page = await browser.GetStringAsync("sandbox", Cancel);
        page.ShouldContain("value=\"vault-certificate-expiring.event-grid\">Event Grid<");
        (await browser.GetStringAsync("", Cancel)).ShouldMatch(" fire hanged-gpu( --url http://localhost:[0-9]+/)? --data ");
        Sample().Matches(page).Select(match => match.Groups[1].Value).ShouldBe(SampleAlerts.Names, ignoreOrder: true);
        var opened = (await FormAsync(browser, "fire", ("sample", "hanged-gpu.azure-monitor"))).Headers.Location!.ToString();
        opened.ShouldStartWith("/incidents/");
        (await FormAsync(browser, "fire", ("sample", "hanged-gpu.alertmanager"))).Headers.Location!.ToString().ShouldBe(opened);
        await host.SettleAsync();
    }

    [Fact]
    public async Task FormFromAnotherSiteOrWithNonsense_DoesNothing()
    {
        await using var host = await RunningHost.StartAsync();
        using var browser = new HttpClient { BaseAddress = host.Client.Http.BaseAddress };
        using var foreign = new HttpClient { BaseAddress = host.Client.Http.BaseAddress, DefaultRequestHeaders = { { "Sec-Fetch-Site", "cross-site" } } };

        (await FormAsync(foreign, "fire", ("sample", "hanged-gpu.azure-monitor"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await FormAsync(foreign, "troubles", ("name", "hung-pod"), ("turn", "heal"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await FormAsync(browser, "fire", ("sample", "/etc/passwd"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await host.Client.GetAsync("api/incidents"))["incidents"]!.AsArray().ShouldBeEmpty();
        (await browser.GetStringAsync("sandbox", Cancel)).ShouldNotContain("value=\"break\"");
    }

    [Fact]
    public async Task FireWithReset_BeginsWithTheSandboxAsAtTheStart()
    {
        await using var host = await RunningHost.StartAsync();
        await host.Client.Http.PostAsync("sandbox/troubles", new FormUrlEncodedContent([new("name", "provider"), new("turn", "heal")]), Cancel);
        string[] at = ["--url", host.Client.Http.BaseAddress!.ToString(), "--data", host.DataFolder];

        var (code, output, _) = await ProgramRun.RunAsync(["fire", "--reset", .. at]);

        (code, output.Trim()).ShouldBe((0, "The sandbox is as at the start."));
        (await host.Client.Http.GetStringAsync("sandbox", Cancel)).ShouldNotContain("value=\"break\"");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<HttpResponseMessage> FormAsync(HttpClient browser, string path, params (string Name, string Value)[] fields) =>
        browser.PostAsync($"sandbox/{path}", new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), Cancel);

    [GeneratedRegex("name=\"sample\" value=\"([^\"]+)\"")]
    private static partial Regex Sample();
}
