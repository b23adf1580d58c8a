using Microsoft.Playwright;
using MimeKit;
using RunbookServer.Tests.EndToEnd;
using TestKit.People;

namespace RunbookServer.Tests.Browsing;

/// <summary>The mail of a running host, received by a real server; its link, opened in a real browser.</summary>
public sealed class MailedLinkTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private MailServer _mail = null!;
    private RunningHost _host = null!;
    private string _id = "";
    private string _link = "";

    public async ValueTask InitializeAsync()
    {
        _mail = await MailServer.StartAsync();
        _host = await RunningHost.StartAsync(people: PeopleFiles.ByMail(_mail.Port));
        _id = (await _host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await _host.Client.WaitForAsync(_id, "awaitingApproval");
        _link = LinkIn(await _mail.ReceiveAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ApproveButton_DecidesAndThePageSaysWhoDid(bool javaScript)
    {
        var page = await chromium.OpenAsync(javaScript);
        await page.GotoAsync(_link);
        (await StateAsync()).ShouldBe("awaitingApproval");

        await page.GetByRole(AriaRole.Textbox).FillAsync("seen the graphs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        (await page.GetByRole(AriaRole.Status).InnerTextAsync()).ShouldContain("You approved this at 03:00:00 UTC.");
        var resolved = await _host.Client.WaitForAsync(_id, "resolved");
        resolved["timeline"]!.AsArray().Select(entry => entry!["what"]!.ToString()).ShouldContain("ada approved (by link): seen the graphs");
        await page.GotoAsync(_link);
        (await page.GetByRole(AriaRole.Status).InnerTextAsync()).ShouldContain("ada approved this at 03:00:00 UTC.");
        (await page.GetByRole(AriaRole.Button).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task StaleWindow_SaysWhoDecidedWhenItsButtonIsPressed()
    {
        var (first, stale) = (await chromium.OpenAsync(), await chromium.OpenAsync(javaScript: false));
        await stale.GotoAsync(_link);
        await first.GotoAsync(_link);
        await first.GetByRole(AriaRole.Button, new() { Name = "Reject" }).ClickAsync();

        await stale.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        (await stale.GetByRole(AriaRole.Status).InnerTextAsync()).ShouldContain("ada rejected this at 03:00:00 UTC.");
        await _host.Client.WaitForAsync(_id, "rejected");
    }

    [Fact]
    public async Task StaleWindow_FollowsTheRecordByItself()
    {
        var stale = await chromium.OpenAsync();
        await stale.Clock.InstallAsync();
        await stale.GotoAsync(_link);
        await _host.Client.DecideAsync(_id, "reject", "ada");
        await _host.Client.WaitForAsync(_id, "rejected");

        await stale.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(stale.GetByRole(AriaRole.Status)).ToContainTextAsync("ada rejected this at 03:00:00 UTC.");
        (await stale.GetByRole(AriaRole.Button).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task OnAPhone_NothingScrollsSidewaysAndTheButtonsAreInSight()
    {
        var page = await chromium.OpenAsync(width: 390);
        await page.GotoAsync(_link);

        (await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390);
        foreach (var name in new[] { "Approve", "Reject", "Take over" })
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = name })).ToBeInViewportAsync(new() { Ratio = 1 });
        }

        (await page.EvaluateAsync<int>("() => scrollY")).ShouldBe(0);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _mail.DisposeAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string LinkIn(MimeMessage mail) =>
        mail.TextBody!.Split('\n').Select(line => line.Trim()).Single(line => line.Contains("/decide?token=", StringComparison.Ordinal));

    private async Task<string> StateAsync() => (await _host.Client.GetAsync($"api/incidents/{_id}"))["state"]!.ToString();
}
