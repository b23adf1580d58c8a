using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Runbooks.Guardrails;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using RunbookServer.Tests.EndToEnd;

namespace RunbookServer.Tests.Browsing;

/// <summary>Questions that come while a page is open: nobody approves what they have not looked at.</summary>
public sealed class LiveQuestionTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private RunningHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await RunningHost.StartAsync();

    [Fact]
    public async Task NextQuestion_TakesNothingOverFromTheOneBeforeAndItsButtonsWait()
    {
        var id = (await _host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await _host.Client.WaitForAsync(id, "awaitingApproval");
        await _host.SettleAsync();
        var page = await OpenAsync($"{_host.Client.Http.BaseAddress}incidents/{id}");
        await page.Locator("#question input[name=by]").FillAsync("ada");
        await page.Locator("#question textarea").FillAsync("I have seen the graphs of the first qu");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).FocusAsync();

        await AskAgainAsync(id);
        await page.Clock.FastForwardAsync(3_000);

        var approve = page.GetByRole(AriaRole.Button, new() { Name = "Approve" });
        await Assertions.Expect(page.Locator("#question")).ToContainTextAsync("Recycle it once more?");
        await Assertions.Expect(approve).ToBeDisabledAsync();
        (await page.Locator("#question textarea").InputValueAsync()).ShouldBe("");
        (await page.EvaluateAsync<string>("() => document.activeElement.localName")).ShouldBe("body");

        await page.Clock.FastForwardAsync(1_000);
        await Assertions.Expect(approve).ToBeDisabledAsync();
        await page.Clock.FastForwardAsync(1_000);
        await Assertions.Expect(approve).ToBeEnabledAsync();
    }

    [Fact]
    public async Task KillSwitchThatSomebodyElseTurns_TakesNothingOverAndItsButtonWaits()
    {
        var page = await OpenAsync($"{_host.Client.Http.BaseAddress}safety");
        await page.GetByText("Stop all steps").ClickAsync();
        await page.Locator("#kill-switch textarea").FillAsync("it drains the wrong nodes");
        await _host.Get<KillSwitch>().EngageAsync("ada", "it restarts the wrong pods", Cancel);

        await page.Clock.FastForwardAsync(3_000);

        var release = page.GetByRole(AriaRole.Button, new() { Name = "Release the kill switch" });
        await Assertions.Expect(page.Locator("#kill-switch")).ToContainTextAsync("it restarts the wrong pods");
        await Assertions.Expect(release).ToBeDisabledAsync();
        (await page.Locator("#kill-switch textarea").InputValueAsync()).ShouldBe("");
        await page.Clock.FastForwardAsync(2_000);
        await Assertions.Expect(release).ToBeEnabledAsync();

        await page.Locator("#kill-switch textarea").FillAsync("the file is repaired");
        await _host.Get<KillSwitch>().ReleaseAsync("ada", "the file is repaired", stop: null, Cancel);
        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.GetByText("Stop all steps")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#kill-switch textarea")).ToBeHiddenAsync();
        (await page.Locator("#kill-switch textarea").InputValueAsync()).ShouldBe("");
    }

    [Fact]
    public async Task TargetThatJoinsAStorm_IsTickedByItsReaderOrByNobody()
    {
        for (var i = 0; i < 6; i++)
        {
            await _host.Client.StuckAsync($"llm-b-{i + 100}");
        }

        await _host.PassAsync(TimeSpan.FromMinutes(2));
        var page = await OpenAsync(await StormLinkAsync());
        await Assertions.Expect(page.Locator("input:checked")).ToHaveCountAsync(6);
        await page.Locator("input[type=checkbox]").First.UncheckAsync();

        await _host.Client.StuckAsync("llm-b-200");
        await _host.PassAsync(TimeSpan.FromSeconds(10));
        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.Locator("input[type=checkbox]")).ToHaveCountAsync(7);
        await Assertions.Expect(page.GetByLabel("llm-b-200")).Not.ToBeCheckedAsync();
        await Assertions.Expect(page.Locator("input:checked")).ToHaveCountAsync(5);
        await Assertions.Expect(page.Locator(".ticked")).ToHaveAttributeAsync("data-of", "7");

        await page.GetByLabel("llm-b-200").CheckAsync();
        await _host.Client.StuckAsync("llm-b-201");
        await _host.PassAsync(TimeSpan.FromSeconds(10));
        await page.Clock.FastForwardAsync(3_000);
        await Assertions.Expect(page.Locator("input[type=checkbox]")).ToHaveCountAsync(8);
        await Assertions.Expect(page.GetByLabel("llm-b-200")).ToBeCheckedAsync();
    }

    [Fact]
    public async Task WhyAnApprovalWasNotTaken_StaysOnThePage()
    {
        var id = (await _host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await _host.Client.WaitForAsync(id, "awaitingApproval");
        await _host.SettleAsync();
        var page = await OpenAsync(await _host.LinkAsync("oncall"));
        await _host.Get<KillSwitch>().EngageAsync("linus", "it restarts the wrong pods", Cancel);
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        await page.Clock.FastForwardAsync(3_000);

        await Assertions.Expect(page.Locator("#age")).ToContainTextAsync("Live.");
        await Assertions.Expect(page.Locator("#notice")).ToContainTextAsync("Not approved: The kill switch is on");
        await Assertions.Expect(page.Locator("#guards")).ToContainTextAsync("it restarts the wrong pods");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.SettleAsync();
        await _host.DisposeAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>As a step that finds the world changed does it: the question is closed and asked in another round.</summary>
    private Task AskAgainAsync(string id) => _host.Get<IIncidentStore>().UpdateAsync(
        id,
        incident =>
        {
            var (first, now) = (incident.OpenGate!, _host.Time.GetUtcNow());
            return incident.CloseGate(first.Id, GateOutcome.Cancelled, "The plan changed.", now)
                .AddGate(first with { Id = Gate.IdOf(first.Phase, 2), Round = 2, Question = "Recycle it once more?", OpenedAt = now }, now);
        },
        Cancel);

    private async Task<string> StormLinkAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_host.DataFolder, "outbox"), "*.json"))
        {
            var message = JsonNode.Parse(await File.ReadAllTextAsync(file, Cancel))!;
            if (message["title"]!.ToString().Contains("at once", StringComparison.Ordinal) && message["approvalLink"] is { } link)
            {
                return link.ToString();
            }
        }

        throw new ShouldAssertException("No message of a storm went out.");
    }

    /// <summary>The page's clock stands still between what the test does, however long that takes.</summary>
    private async Task<IPage> OpenAsync(string address)
    {
        var (page, now) = (await chromium.OpenAsync(), _host.Time.GetUtcNow().UtcDateTime);
        await page.Clock.InstallAsync(new() { TimeDate = now.AddHours(-1) });
        await page.Clock.PauseAtAsync(now);
        await page.GotoAsync(address);
        return page;
    }
}
