using System.Text.Json;
using Microsoft.Playwright;
using RunbookServer.Tests.EndToEnd;
using TestKit.People;

namespace RunbookServer.Tests.Browsing;

/// <summary>axe-core finds nothing serious on the pages that people decide and look on, by day and by night.</summary>
public sealed class AccessibilityTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task ConsoleIncidentAndApprovalPage_HaveNoSeriousViolation(ColorScheme colours)
    {
        var page = await chromium.OpenAsync(colours: colours);
        var axe = await File.ReadAllTextAsync(
            Path.Combine(await NodePackage.InstallAsync("axe-core", "4.14.1"), "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken);
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();

        string[] paths = ["", $"incidents/{id}", "runbooks", "runbooks/hanged-gpu", "statistics", "safety", "unmatched", "sandbox"];
        foreach (var address in paths.Select(path => $"{host.Client.Http.BaseAddress}{path}").Append(await host.LinkAsync("oncall")))
        {
            await page.GotoAsync(address);
            await page.EvaluateAsync(axe);
            var found = await page.EvaluateAsync<JsonElement>("() => axe.run(document, { resultTypes: ['violations'] }).then(result => result.violations)");
            found.EnumerateArray()
                .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical")
                .Select(violation => $"{violation.GetProperty("id")}: {violation.GetProperty("nodes")[0].GetProperty("html")}")
                .ShouldBeEmpty(address);
        }

        // A window of 1280 by 1024 at 400 %: what is decided on is not covered by what decides it.
        await page.SetViewportSizeAsync(320, 256);
        (await page.EvaluateAsync<string[]>("() => ['.buttons', '.age'].map(part => getComputedStyle(document.querySelector(part)).position)")).ShouldBe(["static", "static"]);

        // A phone: the days of the graph can be read, and no column is cut off.
        await page.SetViewportSizeAsync(400, 800);
        await page.GotoAsync($"{host.Client.Http.BaseAddress}statistics");
        (await page.EvaluateAsync<double>("() => document.querySelector('.days .end').getBoundingClientRect().height")).ShouldBeGreaterThan(10);
        (await page.EvaluateAsync<bool>("() => (table => table.scrollWidth > table.clientWidth)(document.querySelector('section > .scrolls'))")).ShouldBeFalse();
    }
}
