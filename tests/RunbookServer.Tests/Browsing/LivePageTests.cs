using Microsoft.Playwright;
using RunbookServer.Tests.EndToEnd;

namespace RunbookServer.Tests.Browsing;

/// <summary>Pages that are open follow the record, keep what their reader does, and never go stale in silence.</summary>
public sealed class LivePageTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
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

    /// <summary>A part without a name of its own could not be told from the others.</summary>
    [Fact]
    public async Task EveryPartOfEveryLivePage_HasAnIdOfItsOwn()
    {
        var page = await chromium.OpenAsync();
        foreach (var address in new[] { Address(""), Address("safety"), Address("runbooks"), Address("runbooks/hanged-gpu"), Address("unmatched"), Address("sandbox"), Address($"incidents/{_id}"), await _host.LinkAsync("oncall") })
        {
            await page.GotoAsync(address);
            var ids = await page.EvaluateAsync<string[]>("() => [...document.querySelectorAll('main > *')].map(part => part.id)");
            ids.ShouldNotContain("", address);
            ids.ShouldBeUnique(address);
        }
    }

    [Fact]
    public async Task ChangedPart_IsSwappedAndTheReadersOwnDoingStays()
    {
        var page = await OpenAsync(await _host.LinkAsync("oncall"));
        var exact = page.Locator("summary").First;
        await exact.ClickAsync();
        await page.GetByRole(AriaRole.Textbox).FillAsync("I am still wri");

        await _host.Client.AlertAsync("alertmanager", SomeAlert.Stuck("llm-b-0").Replace("stuck-llm-b-0", "stuck-again", StringComparison.Ordinal));
        await _host.PassAsync(TimeSpan.FromMinutes(5));
        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("Live.");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Also reported on this target");
        (await page.Locator("details").First.GetAttributeAsync("open")).ShouldBeNull();
        (await page.GetByRole(AriaRole.Textbox).InputValueAsync()).ShouldBe("I am still wri");
        (await page.EvaluateAsync<string>("() => document.activeElement.id")).ShouldBe("reason");
    }

    [Fact]
    public async Task ServerThatIsGone_IsSaidAndSoIsItsReturn()
    {
        var page = await OpenAsync(Address($"incidents/{_id}"));
        var away = true;
        await page.RouteAsync("**/incidents/**", route => away ? route.AbortAsync() : route.ContinueAsync());

        await page.Clock.FastForwardAsync(3_000);
        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("Connection lost; trying again.");
        await page.Clock.FastForwardAsync(60_000);
        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("1 min ago");

        away = false;
        await page.Clock.FastForwardAsync(3_000);
        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("Live. Updated now.");
    }

    /// <summary>A browser asks for nothing from an address with a name and a key in it, and says nothing of that either.</summary>
    [Fact]
    public async Task AddressWithAKeyInIt_IsLiveAsAnyOther()
    {
        var key = _host.Client.Http.DefaultRequestHeaders.GetValues("X-Api-Key").Single();
        var page = await OpenAsync(Address("safety").Replace("://", $"://x:{Uri.EscapeDataString(key)}@", StringComparison.Ordinal));

        await page.RunAndWaitForResponseAsync(() => page.Clock.FastForwardAsync(3_000), "**/safety");

        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("Live.");
    }

    /// <summary>The server answers; what it answers is no longer this page.</summary>
    [Theory]
    [InlineData(200)]
    [InlineData(403)]
    public async Task PageThatIsAnotherByNow_SaysSoAndDoesNotBlameTheServer(int status)
    {
        var page = await OpenAsync(Address($"incidents/{_id}"));
        await page.RouteAsync("**/incidents/**", route => route.FulfillAsync(new() { Status = status, ContentType = "text/html", Body = "<main><h1>This link has expired</h1></main>" }));

        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("This page has changed: reload.");
    }

    [Fact]
    public async Task WithoutScripts_ThePageSaysOfWhenItIs()
    {
        var page = await chromium.OpenAsync(javaScript: false);
        await page.GotoAsync(Address($"incidents/{_id}"));
        await Assertions.Expect(page.Locator("#age")).ToHaveTextAsync("As of 03:00:00 UTC. Reload to see what has changed since.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Reload" }).ClickAsync();
        page.Url.ShouldEndWith($"/incidents/{_id}");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private string Address(string path) => $"{_host.Client.Http.BaseAddress}{path}";

    private async Task<IPage> OpenAsync(string address)
    {
        var page = await chromium.OpenAsync();
        await page.Clock.InstallAsync();
        await page.GotoAsync(address);
        return page;
    }
}
