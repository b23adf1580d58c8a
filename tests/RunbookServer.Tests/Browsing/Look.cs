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

    /// <summary>Writes into every field of a question and presses Enter there, and on every tick: that is no answer.</summary>
    public static async Task EnterInEveryFieldAsync(IPage page)
    {
        const string Fields = "form.decide input:visible:not([type=submit]), #question form input:visible:not([type=submit])";
        var sent = new List<string>();
        page.Request += (_, request) => sent.AddRange(request.Method == "POST" ? [request.Url] : []);
        var fields = await page.Locator(Fields).AllAsync();
        fields.ShouldNotBeEmpty();
        foreach (var field in fields)
        {
            if (await field.GetAttributeAsync("type") != "checkbox")
            {
                await field.FillAsync("ada");
            }

            await field.PressAsync("Enter");
        }

        await page.GotoAsync(page.Url);
        sent.ShouldBeEmpty();
        (await page.Locator(Fields).CountAsync()).ShouldBe(fields.Count);
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
