using System.Text.Json;
using Microsoft.Playwright;
using RunbookServer.Tests.EndToEnd;
using TestKit.People;

namespace RunbookServer.Tests.Browsing;

/// <summary>
/// Each verb of a person, in a real browser, on one host: with scripts and without, by keyboard alone, on a phone and on a desk,
/// by day and by night. The page of each ending is looked at as it comes: axe finds nothing serious, and nothing scrolls sideways.
/// </summary>
public sealed class EveryVerbTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private const string ByHand = """
        id: card-swap
        title: Broken card
        trigger: [{ source: generic, alert: CardBroken }]
        target: "{{ labels.card }}"
        impact: { severity: high, users: Requests to the card fail. }
        mitigation:
          steps:
            swap:
              do: person
              with:
                instruction: Swap card {{ labels.card }}.
                who: [oncall]
                checklist: [Power is off, The new card answers]
              timeout: 1h
        """;

    private readonly RunbookCopy _runbooks = new(shipped => shipped);
    private RunningHost _host = null!;
    private string _axe = "";
    private int _pods = 10;

    public async ValueTask InitializeAsync()
    {
        _runbooks.Write(ByHand, "card-swap.yaml");
        foreach (var lease in new[] { "provider-outage.yaml", "queue-overload.yaml" })
        {
            _runbooks.Write(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "runbooks", lease), Cancel), lease);
        }

        _host = await RunningHost.StartAsync(_runbooks.Path);
        _axe = await File.ReadAllTextAsync(Path.Combine(await NodePackage.InstallAsync("axe-core", "4.14.1"), "node_modules", "axe-core", "axe.min.js"), Cancel);
    }

    /// <summary>The ways in which people sit in front of it, one after another, so that each verb is done in another one.</summary>
    private static readonly (bool Scripts, int Width, ColorScheme Colours)[] s_ways =
        [(true, 390, ColorScheme.Dark), (false, 1280, ColorScheme.Light), (false, 390, ColorScheme.Light), (true, 1280, ColorScheme.Dark)];

    [Fact]
    public async Task EveryVerbAndEveryEnding_CanBeDoneAndReadInEveryWay()
    {
        var ended = new Dictionary<string, string>();
        for (var way = 0; way < s_ways.Length; way++)
        {
            var (scripts, width, colours) = s_ways[way];
            var page = await chromium.OpenAsync(scripts, width, colours: colours);
            await Look.SpreadAsync(_host);

            // The four answers to a question, of which one is given in each way; the other verbs in all.
            var asked = await AskedAsync();
            await page.GotoAsync(Address($"incidents/{asked}"));
            await Look.EnterInEveryFieldAsync(page);
            await page.Locator("#question input[name=by]").FillAsync("ada");
            if (way < 3)
            {
                await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = (string[])["Approve", "Reject", "Take over"] is var names ? names[way] : "" }), byKeyboard: way == 1);
                ended[(string[])["resolved", "rejected", "takenOver"] is var states ? states[way] : ""] = asked;
            }
            else
            {
                await DoAsync(page, "Stop it", "false alarm");
                ended["cancelled"] = asked;
            }

            await _host.Client.WaitForAsync(asked, "final");
            await _host.SettleAsync();
            await page.GotoAsync(Address($"incidents/{asked}"));
            await DoAsync(page, "Add a note", $"watched in way {way}");
            await Assertions.Expect(page.Locator("#timeline")).ToContainTextAsync($"watched in way {way}");
            await CheckAsync(page, scripts);
            if (way == 2)
            {
                // Taken over: whoever owns it closes it, and has it tried again.
                await DoAsync(page, "Close the incident", "restarted it by hand");
                await Assertions.Expect(page.Locator("#reason")).ToContainTextAsync("Closed by ada: restarted it by hand");
                await DoAsync(page, "Try it again", "it hangs again");
                await Assertions.Expect(page.Locator("#retry-of")).ToContainTextAsync(asked);
                await _host.Client.WaitForAsync(page.Url.Split('/')[^1], "awaitingApproval");
                await _host.SettleAsync();
            }

            await WorkByHandAsync(page, scripts, could: way % 2 == 0, ended);
            await page.Context.CloseAsync();
        }

        await UnansweredAsync(ended);
        var healthy = (await _host.Client.StuckAsync("llm-b-1"))["id"]!.ToString();
        await _host.Client.WaitForAsync(ended["notNeeded"] = healthy, "notNeeded");
        var otherwise = await OtherEndings.KeepAsync(_host);
        foreach (var (scripts, width, colours) in s_ways.Take(2))
        {
            var page = await chromium.OpenAsync(scripts, width, colours: colours);
            foreach (var (id, words) in otherwise)
            {
                await page.GotoAsync(Address($"incidents/{id}"));
                await Assertions.Expect(page.Locator("#reason")).ToContainTextAsync(words);
                await CheckAsync(page, scripts);
            }

            foreach (var (state, id) in ended)
            {
                await page.GotoAsync(Address($"incidents/{id}"));
                (await page.TitleAsync()).ShouldNotContain("Waiting", Case.Insensitive, state);
                await CheckAsync(page, scripts);
            }
        }
    }

    [Fact]
    public async Task TemporaryFix_IsTakenBackFromItsPageAndFromTheListByKeyboard()
    {
        foreach (var (scripts, path, sample) in new[] { (true, "incidents/ID", "provider-outage"), (false, "", "queue-overload") })
        {
            var id = (await _host.Client.AlertAsync("azure-monitor", SomeAlert.Sample(sample)))["id"]!.ToString();
            await _host.Client.WaitForAsync(id, "awaitingApproval");
            await _host.SettleAsync();
            await _host.Client.DecideAsync(id, "approve");
            await _host.PassAsync(TimeSpan.FromMinutes(2));
            (await _host.Client.GetAsync($"api/incidents/{id}"))["state"]!.ToString().ShouldBe("holding", sample);
            var page = await chromium.OpenAsync(scripts, colours: scripts ? ColorScheme.Dark : ColorScheme.Light);
            await page.GotoAsync(Address(path.Replace("ID", id, StringComparison.Ordinal)));
            await CheckAsync(page, scripts);
            await DoAsync(page, "Take back now", "search is broken too");

            await _host.PassAsync(TimeSpan.FromMinutes(1));
            await page.GotoAsync(Address($"incidents/{id}"));
            await Assertions.Expect(page.Locator("#reason")).ToContainTextAsync("Undone:");
            await CheckAsync(page, scripts);
            await Look.SpreadAsync(_host);
        }
    }

    [Fact]
    public async Task RunbookStartedByHand_AndAStormDecided_InABrowserWithAndWithoutScripts()
    {
        foreach (var scripts in new[] { true, false })
        {
            await Look.SpreadAsync(_host);
            var page = await chromium.OpenAsync(scripts);
            await page.GotoAsync(Address("runbooks/hanged-gpu"));
            await page.Locator("#do-start > summary").PressAsync("Enter");
            await page.GetByLabel("cluster").FillAsync("b");
            await page.GetByLabel("namespace").FillAsync("inference");
            await page.GetByLabel("pod").FillAsync($"llm-b-{_pods++}");
            await page.Locator("#do-start input[name=by]").FillAsync("ada");
            await page.Locator("#do-start textarea").FillAsync("a drill");
            await page.GetByRole(AriaRole.Button, new() { Name = "Start it" }).PressAsync("Enter");
            await Assertions.Expect(page.Locator("#when")).ToContainTextAsync("started by ada");
            await _host.SettleAsync();
            await _host.Client.PostAsync($"api/incidents/{page.Url.Split('/')[^1]}/cancel", """{"by":"ada","reason":"the drill is over"}""");
        }

        await Look.SpreadAsync(_host);
        for (var i = 0; i < 6; i++)
        {
            await _host.Client.StuckAsync($"llm-b-{_pods++}");
        }

        await _host.PassAsync(TimeSpan.FromMinutes(2));
        var storm = await Look.StormLinkAsync(_host);
        foreach (var (scripts, button, words) in new[] { (true, "Approve", "You approved 2 targets."), (false, "Reject", "You rejected 4 targets.") })
        {
            var page = await chromium.OpenAsync(scripts, colours: scripts ? ColorScheme.Dark : ColorScheme.Light);
            await page.GotoAsync(storm);
            await CheckAsync(page, scripts);
            await Look.EnterInEveryFieldAsync(page);
            if (scripts)
            {
                foreach (var box in (await page.Locator("input[type=checkbox]").AllAsync()).Skip(2))
                {
                    await box.PressAsync("Space");
                }
            }

            await page.Locator("form.decide").GetByRole(AriaRole.Button, new() { Name = button }).PressAsync("Enter");
            await Assertions.Expect(page.Locator("#notice")).ToContainTextAsync(words);
            await _host.SettleAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.SettleAsync();
        await _host.DisposeAsync();
        _runbooks.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Address(string path) => $"{_host.Client.Http.BaseAddress}{path}";

    private async Task<string> AskedAsync()
    {
        var id = (await _host.Client.StuckAsync($"llm-b-{_pods++}"))["id"]!.ToString();
        await _host.Client.WaitForAsync(id, "awaitingApproval");
        await _host.SettleAsync();
        return id;
    }

    /// <summary>A step of a person: one item on the page, the rest (or why not) as well; then whoever is needed acknowledges it.</summary>
    private async Task WorkByHandAsync(IPage page, bool scripts, bool could, Dictionary<string, string> ended)
    {
        var opened = await _host.Client.AlertAsync("generic", $$$"""{"alerts":[{"name":"CardBroken","fingerprint":"card-{{{_pods}}}","labels":{"card":"slot-{{{_pods++}}}"}}]}""");
        var id = opened["id"]!.ToString();
        await _host.Client.WaitForAsync(id, "awaitingApproval");
        await _host.SettleAsync();
        await page.GotoAsync(await _host.LinkAsync("oncall", id));
        await Look.EnterInEveryFieldAsync(page);
        await page.GotoAsync(Address($"incidents/{id}"));
        await Assertions.Expect(page.Locator("#about")).ToContainTextAsync("Waiting for a person to do it");
        await CheckAsync(page, scripts);
        await Look.EnterInEveryFieldAsync(page);
        await page.GetByLabel("Power is off").PressAsync("Space");
        await page.Locator("#question input[name=by]").FillAsync("ada");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Done what is ticked" }), byKeyboard: true);
        await Assertions.Expect(page.Locator("#question")).ToContainTextAsync("Done so far: 1 of 2");
        await page.Locator("#question input[name=by]").FillAsync("grace");
        if (could)
        {
            await page.GetByLabel("The new card answers").CheckAsync();
            await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Done what is ticked" }), byKeyboard: false);
            await _host.Client.WaitForAsync(id, "resolved");
            return;
        }

        await page.Locator("#question textarea").FillAsync("no spare card");
        await PressAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Could not" }), byKeyboard: false);
        await _host.Client.WaitForAsync(ended["failed"] = id, "failed");
        await _host.SettleAsync();
        await page.GotoAsync(Address($"incidents/{id}"));
        await Assertions.Expect(page.Locator("#reason")).ToContainTextAsync("grace could not do it");
        await PressAsync(page, page.Locator("form[action$=acknowledge] button"), byKeyboard: true, async () => await page.Locator("form[action$=acknowledge] input[name=by]").FillAsync("ada"));
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("ada");
        (await _host.Client.GetAsync($"api/incidents/{id}"))["attention"]?["acknowledgedBy"]?.ToString().ShouldBe("ada");
    }

    private async Task UnansweredAsync(Dictionary<string, string> ended)
    {
        await Look.SpreadAsync(_host);
        var id = await AskedAsync();
        await _host.PassAsync(TimeSpan.FromMinutes(25));
        await _host.Client.WaitForAsync(ended["expired"] = id, "expired");
    }

    private static async Task PressAsync(IPage page, ILocator button, bool byKeyboard, Func<Task>? before = null)
    {
        await (before?.Invoke() ?? Task.CompletedTask);
        await Look.LeaveAsync(page, () => byKeyboard ? button.PressAsync("Enter") : button.ClickAsync());
    }

    /// <summary>Opens the form of a verb by keyboard, fills it in and sends it.</summary>
    private static async Task DoAsync(IPage page, string verb, string why)
    {
        var form = page.Locator("details.verb", new() { HasText = verb });
        await form.Locator("summary").PressAsync("Enter");
        await form.Locator("input[name=by]").FillAsync("ada");
        await form.Locator("textarea").FillAsync(why);
        await PressAsync(page, form.GetByRole(AriaRole.Button), byKeyboard: true);
    }

    private async Task CheckAsync(IPage page, bool scripts)
    {
        (await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(page.ViewportSize!.Width, page.Url);
        if (scripts)
        {
            await page.EvaluateAsync(_axe);
            var found = await page.EvaluateAsync<JsonElement>("() => axe.run(document, { resultTypes: ['violations'] }).then(result => result.violations)");
            found.EnumerateArray()
                .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical")
                .Select(violation => $"{violation.GetProperty("id")}: {violation.GetProperty("nodes")[0].GetProperty("html")}")
                .ShouldBeEmpty(page.Url);
        }
    }
}
