using System.Text.Json.Nodes;
using Microsoft.Playwright;
using RunbookServer.Tests.EndToEnd;

namespace RunbookServer.Tests.Browsing;

/// <summary>What tests with a browser do before they look.</summary>
internal static class Look
{
    /// <summary>Does what leads to another page, and waits until that is there: the old one is marked, since both may have one address.</summary>
    public static async Task LeaveAsync(IPage page, Func<Task> press)
    {
        await page.EvaluateAsync("() => { document.documentElement.dataset.left = 'behind'; }");
        await press();
        await Assertions.Expect(page.Locator("html:not([data-left]) main")).ToBeVisibleAsync();
    }

    /// <summary>Long enough apart that what comes next is no storm.</summary>
    public static Task SpreadAsync(RunningHost host) => host.PassAsync(TimeSpan.FromMinutes(6));

    public static async Task<string> StormLinkAsync(RunningHost host)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(host.DataFolder, "outbox"), "*.json"))
        {
            var message = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
            if (message["title"]!.ToString().Contains("at once", StringComparison.Ordinal) && message["approvalLink"] is { } link)
            {
                return link.ToString();
            }
        }

        throw new ShouldAssertException("No message of a storm went out.");
    }
}
