using Microsoft.Playwright;
using RunbookServer.Tests.EndToEnd;

namespace RunbookServer.Tests.Browsing;

/// <summary>The console in a real browser: what a person does there, with and without scripts, by keyboard, on a phone.</summary>
public sealed class ConsoleVerbsTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private RunningHost _host = null!;
    private string _id = "";

    public async ValueTask InitializeAsync()
    {
        _host = await RunningHost.StartAsync();
        _id = (await _host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await _host.Client.WaitForAsync(_id, "awaitingApproval");
        await _host.SettleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Approve_LeadsBackToThePageThatShowsWhatBecameOfIt(bool javaScript)
    {
        var page = await OpenAsync($"incidents/{_id}", javaScript);
        await page.GetByLabel("Your name").First.FillAsync("ada");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        page.Url.ShouldEndWith($"/incidents/{_id}");

        await _host.Client.WaitForAsync(_id, "resolved");
        if (javaScript)
        {
            await page.Clock.FastForwardAsync(3_000);
        }
        else
        {
            await page.GetByRole(AriaRole.Link, new() { Name = "Reload" }).ClickAsync();
        }

        await Assertions.Expect(page.Locator("#about")).ToContainTextAsync("Resolved");
        await Assertions.Expect(page.Locator("#question")).ToContainTextAsync("ada approved this at 03:00:00 UTC.");
        await Assertions.Expect(page.Locator("#steps")).ToContainTextAsync("recycle");
        await Assertions.Expect(page.Locator("#verification")).ToContainTextAsync("Passing");
    }

    [Fact]
    public async Task ApprovalPage_LivesOnAndShowsStepsAndResult()
    {
        var page = await OpenAsync(await _host.LinkAsync("oncall"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await _host.Client.WaitForAsync(_id, "resolved");

        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.Locator("#result")).ToContainTextAsync("Resolved");
        await Assertions.Expect(page.Locator("#steps")).ToContainTextAsync("recycle");
    }

    [Fact]
    public async Task StopRetryAndNote_WorkByKeyboardAlone()
    {
        var page = await OpenAsync($"incidents/{_id}", javaScript: false);
        await ByKeyboardAsync(page, "Stop it", "false alarm");
        await _host.Client.WaitForAsync(_id, "cancelled");

        await page.ReloadAsync();
        await ByKeyboardAsync(page, "Try it again", "it was none");
        await Assertions.Expect(page.Locator("#retry-of")).ToContainTextAsync(_id);
        page.Url.ShouldNotEndWith(_id);

        await ByKeyboardAsync(page, "Add a note", "watched by ada");
        await Assertions.Expect(page.Locator("#timeline")).ToContainTextAsync("watched by ada");
    }

    [Fact]
    public async Task RunbookStartedByHand_OpensItsIncident()
    {
        var page = await OpenAsync("runbooks/hanged-gpu");
        await page.Locator("#do-start > summary").ClickAsync();
        await page.GetByLabel("cluster").FillAsync("b");
        await page.GetByLabel("namespace").FillAsync("inference");
        await page.GetByLabel("pod").FillAsync("llm-b-5");
        await page.GetByLabel("Your name").FillAsync("ada");
        await page.GetByLabel("Why").FillAsync("drill");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start it" }).ClickAsync();

        await Assertions.Expect(page.Locator("#when")).ToContainTextAsync("started by ada");
        await Assertions.Expect(page.Locator("#about")).ToContainTextAsync("inference/llm-b-5");
    }

    [Theory]
    [InlineData("")]
    [InlineData("incidents/ID")]
    [InlineData("runbooks")]
    [InlineData("runbooks/hanged-gpu")]
    [InlineData("statistics")]
    [InlineData("safety")]
    [InlineData("unmatched")]
    [InlineData("sandbox")]
    public async Task OnAPhone_NothingScrollsSideways(string path)
    {
        var page = await OpenAsync(path.Replace("ID", _id, StringComparison.Ordinal));

        (await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390);
    }

    /// <summary>What was started last is let come to its first wait: time stands still while the host stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.SettleAsync();
        await _host.DisposeAsync();
    }

    private async Task<IPage> OpenAsync(string path, bool javaScript = true)
    {
        var page = await chromium.OpenAsync(javaScript);
        if (javaScript)
        {
            await page.Clock.InstallAsync();
        }

        await page.GotoAsync(path.StartsWith("http", StringComparison.Ordinal) ? path : $"{_host.Client.Http.BaseAddress}{path}");
        return page;
    }

    /// <summary>Opens the form, writes into its fields in their order and sends it.</summary>
    private static async Task ByKeyboardAsync(IPage page, string verb, string why)
    {
        await page.Locator("summary", new() { HasText = verb }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.TypeAsync("ada");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync(why);
        await page.Keyboard.PressAsync("Tab");
        await Look.LeaveAsync(page, () => page.Keyboard.PressAsync("Enter"));
    }
}
